"""Marks of people on a gallery's results, more like this or not like this, kept beside its generations.

    photos/feedback.jsonl      a line for each mark: when, what was asked with, the picture, whether it was wanted

A line is only ever added, in one piece, also where a mark is taken back, so two tabs or processes can do that at once,
and a process that is killed loses one line at most. The last line about a query and a picture counts. Pictures are
known by the SHA-256 of their files, so marks outlive any change of the gallery. A query that is none of its pictures is
kept as its embedding, with the backbone that gave it: to another backbone that says nothing.
"""

import errno
import json
import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import filelock

from similarity.errors import GalleryBusyError, GalleryError, GalleryNotFoundError
from similarity.files import drop_foreign, open_own, parse_json, write_atomically
from similarity.sources import Item
from similarity.storage.current import exists
from similarity.storage.feedback_lines import About, FeedbackEntry, FeedbackQuery, to_about, to_edges, to_entry, to_line
from similarity.storage.items import Items
from similarity.storage.manifest import Manifest

__all__ = [
    "FEEDBACK",
    "MAX_ENTRIES",
    "OWN_FILES",
    "FeedbackEntry",
    "FeedbackQuery",
    "add_feedback",
    "export_feedback",
    "feedback_to_json",
    "forget_all",
    "forget_feedback",
    "read_feedback",
    "write_feedback",
]

FEEDBACK, FEEDBACK_NEW, FEEDBACK_LOCK = "feedback.jsonl", "feedback.jsonl.new", ".feedback.lock"
OWN_FILES = (FEEDBACK, FEEDBACK_NEW, FEEDBACK_LOCK)
# Lines of a gallery. With embeddings of 2048 numbers that is 280 MB at the very most.
MAX_ENTRIES = 50_000
# Of a file that is read: bytes, lines, which also take marks back, and bytes of a line. Of damaged lines, so many are
# logged.
MOST_BYTES, MOST_LINES, LONGEST_LINE, LOGGED = 400_000_000, 8 * MAX_ENTRIES, 32_000, 5
# Whoever else writes a line needs a moment, in seconds; tidying up the longest file takes two.
PATIENCE = 10.0
BLOCK = 1 << 20

logger = logging.getLogger(__name__)


def add_feedback(
    directory: Path, manifest: Manifest, query: FeedbackQuery, item: Item, *, wanted: bool
) -> FeedbackEntry:
    """Keep a mark; an earlier one about the same query and picture is replaced.

    Raises:
        GalleryError: there are too many, or it cannot be written. GalleryNotFoundError: the gallery was deleted.
    """
    of = (manifest.model, manifest.weights_sha256, manifest.network_sha256, manifest.view)
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
        _append(path, to_line(entry))
    return entry


def forget_feedback(directory: Path, query: FeedbackQuery, item: Item) -> None:
    """Take a mark back, if there is one; raises as `add_feedback`, but never because there are too many."""
    line = {"when": _now(), "query": query.sha256, "box": to_edges(query.box), "sha256": item.sha256, "wanted": None}
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
        line = to_line(entry)
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
            line = json.dumps(to_line(entry), ensure_ascii=False, separators=(",", ":")) + "\n"
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
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
    try:
        length = os.fstat(descriptor).st_size
        os.lseek(descriptor, max(0, length - 1), os.SEEK_SET)
        if length and os.read(descriptor, 1) != b"\n":
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


def _read(path: Path) -> dict[About, FeedbackEntry]:
    """The latest entry for each query and picture."""
    entries: dict[About, FeedbackEntry] = {}
    if not path.exists():
        return entries
    damaged = 0
    for number, line in enumerate(_lines(path), start=1):
        try:
            read = parse_json(line)
            about = to_about(read)
            entries.pop(about, None)  # the newest is the last
            if read["wanted"] is not None:
                entries[about] = to_entry(read)
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


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
