"""Marks of people on a gallery's results, more like this or not like this, kept beside its generations.

    photos/feedback.jsonl      a line for each mark: when, what was asked with, the picture, whether it was wanted

A line is only ever added, in one piece, also where a mark is taken back, so two tabs or processes can do that at once,
and a process that is killed loses one line at most. The last line about a query and a picture counts. Pictures are
known by the SHA-256 of their files, so marks outlive any change of the gallery. A query that is none of its pictures is
kept as its embedding, with the backbone that gave it: to another backbone that says nothing.
"""

import base64
import errno
import json
import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import filelock
import numpy as np

from similarity.errors import GalleryBusyError, GalleryError, GalleryNotFoundError
from similarity.files import drop_foreign, open_own, parse_json, write_atomically
from similarity.images.picture import Box
from similarity.sources import Item
from similarity.storage.current import exists
from similarity.storage.items import Items
from similarity.storage.manifest import Manifest
from similarity.vectors.arrays import Vectors, normalise

FEEDBACK, FEEDBACK_NEW, FEEDBACK_LOCK = "feedback.jsonl", "feedback.jsonl.new", ".feedback.lock"
OWN_FILES = (FEEDBACK, FEEDBACK_NEW, FEEDBACK_LOCK)
# Lines of a gallery. With embeddings of 2048 numbers that is 280 MB at the very most.
MAX_ENTRIES = 50_000
MOST_TITLE = 300
# Of a file that is read: bytes, lines, which also take marks back, and bytes of a line. Of damaged lines, so many are
# logged.
MOST_BYTES, MOST_LINES, LONGEST_LINE, LOGGED = 400_000_000, 8 * MAX_ENTRIES, 32_000, 5
# Whoever else writes a line needs a moment, in seconds; tidying up the longest file takes two.
PATIENCE = 10.0
BLOCK = 1 << 20

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FeedbackQuery:
    """The query that a mark is about: a picture, or a part of one.

    Attributes:
        title: its name.
        sha256: of the picture's file, in hex.
        box: the part of the picture that was the query, if not the whole.
        embedding: of that part, float32 (dim,), of unit length, as the backbone gives it; None of a whole picture
            of the gallery, whose embedding the gallery has.
    """

    title: str
    sha256: str
    box: Box | None = None
    embedding: Vectors | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class FeedbackEntry:
    """That somebody wanted a result, or did not.

    Attributes:
        when: ISO 8601, UTC.
        query: the query that it was a result for.
        item: its id then,
        sha256: and that of its file, in hex.
        wanted: more like this, or not like this.
        model, weights_sha256, network_sha256: the backbone that the query's embedding is of; see `Manifest`.
    """

    when: str
    query: FeedbackQuery
    item: str
    sha256: str
    wanted: bool
    model: str
    weights_sha256: str
    network_sha256: str | None = None

    @property
    def about(self) -> tuple[str, Box | None, str]:
        """The query and the picture: of each such pair one mark is kept."""
        return self.query.sha256, self.query.box, self.sha256


def add_feedback(
    directory: Path, manifest: Manifest, query: FeedbackQuery, item: Item, *, wanted: bool
) -> FeedbackEntry:
    """Keep a mark; an earlier one about the same query and picture is replaced.

    Raises:
        GalleryError: there are too many, or it cannot be written. GalleryNotFoundError: the gallery was deleted.
    """
    of = (manifest.model, manifest.weights_sha256, manifest.network_sha256)
    entry = FeedbackEntry(_now(), query, item.id, item.sha256, wanted, *of)
    with _writing(directory):
        path = directory / FEEDBACK
        if _count_lines(path) >= MAX_ENTRIES:
            write_feedback(directory, read_feedback(directory))
        if _count_lines(path) >= MAX_ENTRIES:
            raise GalleryError(
                f"The gallery {directory.name} has {MAX_ENTRIES:,} marks, and no more are kept: export them, then "
                "forget them to make room."
            )
        _append(path, _to_line(entry))
    return entry


def forget_feedback(directory: Path, query: FeedbackQuery, item: Item) -> None:
    """Take a mark back, if there is one; raises as `add_feedback`, but never because there are too many."""
    line = {"when": _now(), "query": query.sha256, "box": _edges(query.box), "sha256": item.sha256, "wanted": None}
    with _writing(directory):
        path = directory / FEEDBACK
        if path.exists():
            _append(path, line)


def forget_all(directory: Path) -> int:
    """Take all marks of the gallery in a folder back; returns how many there were. Raises as `add_feedback`."""
    with _writing(directory):
        count = len(read_feedback(directory))
        (directory / FEEDBACK).unlink(missing_ok=True)
    return count


def read_feedback(directory: Path) -> list[FeedbackEntry]:
    """All marks of the gallery in a folder, oldest first; lines that are damaged are passed over.

    Raises:
        GalleryError: they cannot be read.
    """
    try:
        return list(_read(directory / FEEDBACK).values())
    except OSError as error:
        raise GalleryError(f"The marks of {directory} cannot be read ({error.strerror or error}).") from error


def export_feedback(directory: Path, items: Items) -> bytes:
    """All marks as a JSON file, oldest first, with where each picture is now; of one that is gone that is null."""
    return json.dumps(
        {"gallery": directory.name, "marks": feedback_to_json(directory, items)}, indent=2, ensure_ascii=False
    ).encode()


def feedback_to_json(directory: Path, items: Items) -> list[dict[str, Any]]:
    """All marks in JSON's own types, oldest first; see `export_feedback`. An embedding is float16 in base64."""
    entries = read_feedback(directory)
    rows = {content: row for row, content in enumerate(items.contents())} if entries else {}
    told = []
    for entry in entries:
        item = items[rows[entry.sha256]] if entry.sha256 in rows else None
        line = _to_line(entry)
        told.append(
            {name: line.pop(name) for name in ("when", "title", "query", "item", "wanted")}
            | {"path": item.path if item else None, "label": item.label if item else None}
            | line
        )
    return told


def write_feedback(directory: Path, entries: Iterable[FeedbackEntry]) -> None:
    """Write all marks of a gallery, in place of those that are there; raises OSError."""

    def write(file: BinaryIO) -> None:
        for entry in entries:
            line = json.dumps(_to_line(entry), ensure_ascii=False, separators=(",", ":")) + "\n"
            file.write(line.encode(errors="replace"))

    write_atomically(directory / FEEDBACK, write, durable=True)


@contextmanager
def _writing(directory: Path) -> Iterator[None]:
    """Be the only one who writes marks of a gallery, if that is still there."""
    try:
        if not exists(directory):
            raise GalleryNotFoundError(f"There is no gallery in {directory} any more.")
        for name in OWN_FILES:
            drop_foreign(directory / name)
        with filelock.FileLock(directory / FEEDBACK_LOCK, timeout=PATIENCE):
            if not exists(directory):
                raise GalleryNotFoundError(f"There is no gallery in {directory} any more.")
            yield
    except filelock.Timeout:
        raise GalleryBusyError(f"The marks of {directory} are being written by somebody else: try again.") from None
    except OSError as error:
        raise GalleryError(f"Marks could not be written to {directory} ({error.strerror or error}).") from error


def _append(path: Path, line: dict[str, Any]) -> None:
    """Add a line in one piece, or nothing."""
    data = json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode(errors="replace") + b"\n"
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        length = os.fstat(descriptor).st_size
        if length and os.pread(descriptor, 1, length - 1) != b"\n":
            data = b"\n" + data  # the last line was cut short, and must not take this one along
        if os.write(descriptor, data) != len(data):
            os.ftruncate(descriptor, length)
            raise OSError(f"there is no room for {len(data)} bytes")
    finally:
        os.close(descriptor)


def _count_lines(path: Path) -> int:
    if not path.exists():
        return 0
    with open_own(path) as file:
        if os.fstat(file.fileno()).st_size > MOST_BYTES:
            raise OSError(errno.EFBIG, f"there are more than {MOST_BYTES:,} bytes", str(path))
        return sum(block.count(b"\n") for block in iter(lambda: file.read(BLOCK), b""))


def _read(path: Path) -> dict[tuple[str, Box | None, str], FeedbackEntry]:
    """The marks that count, by what they are about."""
    entries: dict[tuple[str, Box | None, str], FeedbackEntry] = {}
    if not path.exists():
        return entries
    damaged = 0
    for number, line in enumerate(_lines(path), start=1):
        try:
            read = parse_json(line)
            about = (_word(read["query"]), _to_box(read["box"]), _word(read["sha256"]))
            entries.pop(about, None)  # the newest is the last
            if read["wanted"] is not None:
                entries[about] = _to_entry(read)
        except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
            damaged += 1
            if damaged <= LOGGED:
                logger.warning("Line %d of %s is damaged, and is passed over: %s", number, path, error)
        if len(entries) > MAX_ENTRIES:
            del entries[next(iter(entries))]
    if damaged > LOGGED:
        logger.warning("%d more lines of %s are damaged, and are passed over", damaged - LOGGED, path)
    return entries


def _lines(path: Path) -> Iterator[bytes]:
    """The lines of a file, each cut where no mark goes on; raises OSError if there are more than can be."""
    with open_own(path) as file:
        if os.fstat(file.fileno()).st_size > MOST_BYTES:
            raise OSError(errno.EFBIG, f"there are more than {MOST_BYTES:,} bytes", str(path))
        for _ in range(MOST_LINES):
            if not (line := file.readline(LONGEST_LINE)):
                return
            yield line
            while not line.endswith(b"\n") and (line := file.readline(LONGEST_LINE)):
                pass
        logger.warning("Only the first %d lines of %s are read", MOST_LINES, path)


def _to_line(entry: FeedbackEntry) -> dict[str, Any]:
    line = asdict(entry)
    del line["query"]
    query = {"title": entry.query.title[:MOST_TITLE], "query": entry.query.sha256, "box": _edges(entry.query.box)}
    return line | query | {"embedding": _pack(entry.query.embedding)}


def _to_entry(line: dict[str, Any]) -> FeedbackEntry:
    packed, network = line["embedding"], line["network_sha256"]
    embedding = None if packed is None else _unpack(packed)
    query = FeedbackQuery(str(line["title"])[:MOST_TITLE], line["query"], _to_box(line["box"]), embedding)
    words = {name: _word(line[name]) for name in ("when", "item", "sha256", "model", "weights_sha256")}
    datetime.fromisoformat(words["when"])
    if network is not None:
        _word(network)
    if not isinstance(line["wanted"], bool):
        raise TypeError("it is neither wanted nor not")
    return FeedbackEntry(query=query, wanted=line["wanted"], network_sha256=network, **words)


def _to_box(edges: Any) -> Box | None:
    if not edges:
        return None
    left, top, right, bottom = map(float, edges)
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise ValueError("a box that is none")
    return Box(*edges)


def _word(told: Any) -> str:
    if not isinstance(told, str):
        raise TypeError("what should be words is something else")
    return told


def _pack(embedding: Vectors | None) -> str | None:
    """Half precision keeps a cosine to 0.0003."""
    return None if embedding is None else base64.b64encode(embedding.astype("<f2").tobytes()).decode()


def _unpack(packed: str) -> Vectors:
    embedding = np.frombuffer(base64.b64decode(packed, validate=True), "<f2").astype(np.float32)
    if not np.isfinite(embedding).all() or not embedding.any():
        raise ValueError("an embedding that is none")
    unit: Vectors = normalise(embedding[np.newaxis])[0]
    return unit


def _edges(box: Box | None) -> list[float] | None:
    return [box.left, box.top, box.right, box.bottom] if box else None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
