"""The manifest of a generation: a JSON file that describes it, with its checksum beside it."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from similarity.errors import GalleryDamagedError, GalleryError
from similarity.files import parse_json, read_own
from similarity.paths import CHECKSUM, MANIFEST
from similarity.search.stores import EMBEDDED, Store
from similarity.sources import Skipped
from similarity.vectors.methods import Method

if TYPE_CHECKING:
    from pydantic import TypeAdapter

# The last version, and the first one that is read as well: it knew exact search only, until 3 nothing was refined,
# until 4 nothing was learned, and until 5 there was no store but FAISS.
FORMAT, OLDEST, REFINED = 6, 2, 4
MOST_BYTES = 200_000_000  # of it; it lists what was skipped

# More than anybody has, and less than breaks what reckons with it.
MOST_PICTURES, MOST_NUMBERS = 1 << 40, 1 << 20
NAME = re.compile(r"[\w.:/@+-]{1,300}")  # of a model


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a run: the changes that it made to a gallery, or would make.

    Attributes:
        task: index, add, sync, remove or rebuild.
        source: where the pictures came from.
        added: files that are new in the gallery.
        changed: files with another content than before.
        moved: files that were in the gallery under another path.
        relabelled: files whose label or metadata are others now.
        removed: files that left the gallery.
        unchanged: files of the source that are as they were.
        embedded: pictures that went through the network.
        resumed: pictures that an interrupted run had embedded.
        skipped: files of the source that cannot be used.
        seconds: that it took.
    """

    task: str
    source: str = ""
    added: int = 0
    changed: int = 0
    moved: int = 0
    relabelled: int = 0
    removed: int = 0
    unchanged: int = 0
    embedded: int = 0
    resumed: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def counts(self) -> dict[str, int]:
        """Its counts, by the names above."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.type in (int, "int")}

    @property
    def changes(self) -> bool:
        """Whether it found anything to change."""
        return any((self.added, self.changed, self.moved, self.relabelled, self.removed))

    @property
    def images_per_second(self) -> float:
        """Pictures that went through the network in a second of the run."""
        return round(self.embedded / self.seconds, 1) if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class Manifest:
    """The description of a generation.

    Attributes:
        model, weights_sha256, preprocessing: what embedded it, and must embed its queries.
        precision: of the network's arithmetic when it was embedded: f32, bf16, f16 or int8.
        network_sha256: of the int8 network, if it is one; a copy of it lies in the generation's folder.
        head_sha256: of the head that its embeddings go through before they are compared, if there is one; a copy of it
            lies in the generation's folder.
        recipe: how its index is made, see `search.recipes`; recipe_asked is what was asked for, such as auto,
        recipe_reason: and that says why it is this one.
        refinement: how its embeddings are refined, see `refinement.py`; refinement_asked is what was asked for,
        refinement_reason: and that says why it is this one.
        store: where its index lies.
        search: what the index has to know beside its file.
        note: if it is not the model that was hoped for, two lines: why, and what to do about it.
        count: pictures, each with an embedding.
        duplicates: further files with the very content of one of them.
        created: ISO 8601, UTC.
        source: what was indexed first.
        seconds: that the last run took.
        last_run: what it did.
        skipped: files of all its sources that cannot be used.
        files: size and SHA-256 of every other file of the generation.
    """

    model: str
    weights_sha256: str
    preprocessing: dict[str, Any]
    precision: str
    dim: int
    source: str
    count: int = 0
    created: str = ""
    seconds: float = 0.0
    last_run: Report = field(default_factory=lambda: Report("index"))
    duplicates: int = 0
    note: str = ""
    network_sha256: str | None = None
    head_sha256: str | None = None
    recipe: str = "flat"
    recipe_asked: str = "auto"
    recipe_reason: str = ""
    refinement: Method = "none"
    refinement_asked: str = "auto"
    refinement_reason: str = ""
    store: Store = EMBEDDED
    search: dict[str, Any] = field(default_factory=dict)
    metric: str = "inner_product"
    format: int = FORMAT
    generation: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def identity(self) -> dict[str, Any]:
        """Everything that an embedding depends on beside the picture."""
        names = ("model", "weights_sha256", "preprocessing", "precision", "network_sha256")
        return {name: getattr(self, name) for name in names}


def write_manifest(folder: Path, manifest: Manifest) -> str:
    """Write it and its checksum into a generation's folder; returns the checksum, SHA-256 in hex."""
    data = (json.dumps(asdict(replace(manifest, format=FORMAT)), indent=2, ensure_ascii=False) + "\n").encode()
    checksum = hashlib.sha256(data).hexdigest()
    (folder / MANIFEST).write_bytes(data)
    (folder / CHECKSUM).write_text(_checksum_line(checksum))
    return checksum


def read_manifest(folder: Path) -> tuple[Manifest, str]:
    """The manifest of a generation, and its checksum.

    Raises:
        GalleryDamagedError: it is not what was written. GalleryError: it is of another version.
    """
    path = folder / MANIFEST
    try:
        data = read_own(path, MOST_BYTES)
        checksum = hashlib.sha256(data).hexdigest()
        read = parse_json(data)
        version = read["format"]
        # The first version had no checksum; all after it have.
        has_checksum = version != 1 or (folder / CHECKSUM).exists()
        if has_checksum and read_own(folder / CHECKSUM, MOST_BYTES) != _checksum_line(checksum).encode():
            raise GalleryDamagedError(path)
        if version < OLDEST:
            raise GalleryError(f"The gallery in {folder.parents[1]} was made by an older version: index it again.")
        if version > FORMAT:
            raise GalleryError(f"The gallery in {folder.parents[1]} was made by a newer version: update this program.")
        return _from_json(read), checksum
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise GalleryDamagedError(path) from error


def _from_json(read: dict[str, Any]) -> Manifest:
    """Raises ValueError, LookupError or TypeError if it is none, whatever is in it."""
    known = {key: read[key] for key in (one.name for one in fields(Manifest)) if key in read}
    if read["format"] < REFINED:  # then it stays as it is, until it is asked for
        known |= {"refinement_asked": "none", "refinement_reason": "It was made before there was any."}
    manifest = _reader().validate_json(json.dumps(known), strict=True)
    if not (0 <= manifest.count <= MOST_PICTURES and 0 < manifest.dim <= MOST_NUMBERS and manifest.generation >= 0):
        raise ValueError("it says more than can be")
    counts = (*manifest.last_run.counts.values(), manifest.duplicates, manifest.generation)
    if not all(0 <= one <= MOST_PICTURES for one in counts) or not manifest.last_run.seconds >= 0:
        raise ValueError("it counts what cannot be")
    if not NAME.fullmatch(manifest.model) or not all(map(_is_inside, manifest.files)):
        raise ValueError("it names what cannot be")
    if not all(map(_is_fingerprint, manifest.files.values())) or not _are_facts(manifest.search):
        raise ValueError("it says what nobody can read")
    datetime.fromisoformat(manifest.created or "2000-01-01")
    return manifest


@cache
def _reader() -> "TypeAdapter[Manifest]":
    """Validator that checks the types in a manifest."""
    from pydantic import TypeAdapter

    return TypeAdapter(Manifest)


def _is_fingerprint(told: dict[str, Any]) -> bool:
    """Whether this is what `verification.fingerprint` says of a file."""
    size, sha256 = told.get("size"), told.get("sha256")
    return type(size) is int and 0 <= size < 1 << 62 and isinstance(sha256, str)


def _are_facts(search: dict[str, Any]) -> bool:
    """Whether these can be what an index has to know: words, numbers, and numbers by level of accuracy."""
    known: tuple[type, ...] = (str, int, float)
    levels = [one for one in search.values() if not isinstance(one, known)]
    numbers = [share for one in levels if isinstance(one, dict) for share in one.values()]
    are_levels = all(isinstance(one, dict) for one in (*levels, search.get("recall@10", {})))
    return are_levels and all(isinstance(one, int | float) for one in numbers)


def _is_inside(name: str) -> bool:
    """Whether the name of a file leads nowhere but into its folder."""
    path = PurePosixPath(name)
    return not (path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name)


def _checksum_line(checksum: str) -> str:
    """As `sha256sum --check` reads it."""
    return f"{checksum}  {MANIFEST}\n"
