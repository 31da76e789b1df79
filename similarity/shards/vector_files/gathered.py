"""The pictures and vectors of a file, checked: what becomes the contents of a gallery."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from similarity.errors import SourceError
from similarity.images.exif import EXIF
from similarity.progress import OnProgress, Reporter
from similarity.shards.new_contents import NewContents
from similarity.shards.vector_files.vector_file import Floats, Texts, VectorFile
from similarity.sources import Item, Skipped
from similarity.sources.csv_table import item_of_row
from similarity.vectors.arrays import Vectors, normalise

SHA256 = re.compile(r"[0-9a-f]{64}")
SIDE = re.compile(r"[0-9]{1,6}")
OWN = ("sha256", "width", "height")
PREFIX = "metadata."
# Pictures that may be looked at to find out whether a model made the vectors.
CANDIDATES = 64


@dataclass(slots=True)
class Gathered(NewContents):
    """The contents of a file of vectors but the vectors; implements `to_gallery.Contents`.

    Attributes:
        file: the file.
        identity: the model and preprocessing, as in `Manifest.identity`.
        files: the pictures, one for each vector that is wanted.
        contents: for each of them a hash of its vector, of unit length.
        wanted: for each vector whether it is used.
        skipped: pictures whose vectors cannot be used.
        samples: some of the pictures with their vectors, float32 (dim,), of unit length.
        notes: remarks on the file and on the model.
    """

    file: VectorFile
    identity: dict[str, Any] = field(default_factory=dict)
    files: list[Item] = field(default_factory=list)
    contents: list[int] = field(default_factory=list)
    wanted: list[bool] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    samples: list[tuple[Item, Vectors]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The path of the file."""
        return self.file.name

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self.file.dim

    def vectors(self, items: Sequence[Item], dim: int) -> Iterator[Vectors]:
        """Yield the vectors of the items, in order, in blocks of float32 (any, dim), rows of unit length.

        Raises:
            SourceError: the file has changed since it was checked.
        """
        wanted, begin, given = np.array(self.wanted, bool), 0, 0
        for block in self.file.blocks():
            taken = unit_rows(block)[wanted[begin : begin + len(block)]]
            if block.shape[1] != dim or not np.isfinite(taken).all():
                break
            begin, given = begin + len(block), given + len(taken)
            yield taken
        if given != len(items) or begin != len(wanted):
            raise SourceError(f"{self.name} was changed while it was read: index it again.")

    def without_repeats(self, files: Sequence[Item]) -> None:
        """Take pictures with their contents read: of equal ones with equal vectors, one vector is used.

        Equal pictures with different vectors, such as those of parts of a picture, stay apart.
        """
        vectors: dict[str, int] = {}
        rows = np.flatnonzero(self.wanted).tolist()
        self.files = []
        for row, item, content in zip(rows, files, self.contents, strict=True):
            if vectors.get(item.sha256, content) != content:
                item = replace(item, sha256=made_up(item))
            self.wanted[row] = item.sha256 not in vectors
            vectors[item.sha256] = content
            self.files.append(item)


def made_up(item: Item) -> str:
    """Return the SHA-256 that stands for the content of a picture that cannot be read: it names the picture by id."""
    return hashlib.sha256(b"vector of " + item.id.encode(errors="surrogateescape")).hexdigest()


def unit_rows(block: Floats) -> Vectors:
    """Scale the rows of any floats to unit length; those of zeros stay zero."""
    values = np.asarray(block, np.float64)
    # By the largest value first, since the square of a small or large one has no room in a float.
    largest = np.abs(values).max(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        return normalise(values / np.where(largest > 0, largest, 1.0))


def gather(file: VectorFile, progress: OnProgress | None = None) -> Gathered:
    """Read and check all rows of a file.

    Raises:
        SourceError: a vector has a value that is not finite, two pictures have the same id, the list is not as long as
            there are vectors, or no vector can be used.
    """
    gathered, ids = Gathered(file, notes=list(file.notes)), _Ids()
    report = Reporter(file.count, progress, task="Checking vectors")
    rows, number, step = file.rows(), 0, max(1, file.count // CANDIDATES)
    for block in file.blocks():
        _check_finite(file, block, number)
        for vector, row in zip_longest(unit_rows(block), islice(rows, len(block))):
            number += 1
            if row is None:
                raise SourceError(f"{file.name} has {file.count:,} vectors, and its list only {number - 1:,} pictures.")
            item = _item(file, row, number, ids, is_zero=not vector.any())
            gathered.wanted.append(isinstance(item, Item))
            if isinstance(item, Skipped):
                gathered.skipped.append(item)
                continue
            gathered.files.append(item)
            gathered.contents.append(hash(vector.tobytes()))
            if number % step == 0:
                gathered.samples.append((item, vector))
        report.advance(len(block))
    if next(rows, None) is not None:
        raise SourceError(f"{file.name} has {file.count:,} vectors, and its list more pictures.")
    if not gathered.files:
        raise SourceError(f"None of the {number:,} vectors in {file.name} can be used: {gathered.skipped[0].reason}")
    return gathered


def _check_finite(file: VectorFile, block: Floats, before: int) -> None:
    wrong = np.flatnonzero(~np.isfinite(block).all(axis=1))
    if len(wrong):
        raise SourceError(
            f"{file.name}, row {before + 1 + int(wrong[0]):,} has a vector with values that are not finite numbers: "
            "leave the row out, or make the vector again."
        )


class _Ids:
    """The ids of pictures, each once."""

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}

    def admit(self, file: VectorFile, item: Item, number: int, *, has_id: bool) -> Item:
        """Return an item with an id of its own; raises SourceError if its row names one that an earlier row has."""
        own, again = item.id, 1
        while own in self._rows:
            if has_id:
                raise SourceError(
                    f"{file.name}, row {number:,} has the id {item.id!r}, as row {self._rows[own]:,} has: give each "
                    "picture an id of its own."
                )
            again += 1
            own = f"{item.id}#{again}"
        self._rows[own] = number
        return replace(item, id=own)


def _item(file: VectorFile, row: Texts, number: int, ids: _Ids, *, is_zero: bool) -> Item | Skipped:
    """Return the picture of a row, or why its vector cannot be used."""
    whereabouts = f"{file.name}, row {number}"
    if row.get("image_path") and not (row.get("path") or row.get("url")):
        row = {name: value for name, value in row.items() if name != "image_path"} | {"path": row["image_path"]}
    item, fault = item_of_row(row, file.folder, needs_place=False)
    if item is None:
        return Skipped(whereabouts, fault, file.name)
    has_id = bool((row.get("id") or "").strip())
    item = ids.admit(file, item if item.id else replace(item, id=str(number)), number, has_id=has_id)
    if "\0" in item.id or "\0" in (item.label or ""):
        return Skipped(whereabouts, "has an id or a label with a NUL character.", file.name)
    if is_zero:
        return Skipped(whereabouts, "has a vector of zeros, which has no direction.", file.name)
    return replace(_with_facts(item), source=file.name)


def _with_facts(item: Item) -> Item:
    """Return an item with what its metadata say of its file, as an export names it, in the fields for that."""
    metadata = {name.removeprefix(PREFIX): value for name, value in item.metadata.items() if name not in (*OWN, *EXIF)}
    told = item.metadata
    width, height = (int(told[name]) if SIDE.fullmatch(told.get(name, "")) else 0 for name in ("width", "height"))
    exif = {name: told[name] for name in EXIF if told.get(name)}
    sha256 = told.get("sha256", "").lower()
    return replace(
        item,
        metadata=metadata,
        exif=exif,
        sha256=sha256 if SHA256.fullmatch(sha256) else "",
        width=width,
        height=height,
    )


def place_of(item: Item) -> Path | None:
    """Return where the file of a picture is on this computer; None if it is elsewhere, or gone."""
    path = Path(item.path)
    return path if path.is_absolute() and path.is_file() else None
