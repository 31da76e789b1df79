"""The contract of sources: a list of items, and a way to read their bytes."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, runtime_checkable

from similarity.paths import on_disk


@dataclass(frozen=True, slots=True)
class Item:
    """A picture of a gallery.

    Attributes:
        id: unique in its gallery; in a folder, the path below it with forward slashes.
        path: the absolute path of the file, its http(s) address, or its address in an object store.
        label: its label, if known; in a folder of pictures, the name of its own folder.
        metadata: anything else that is known of it.
        width, height: size in pixels, as seen upright. These and the rest are 0 or empty until the file has been read.
        size: size of the file, in bytes.
        mtime: time of the last change of the file, in seconds since 1970.
        sha256: SHA-256 of the file's bytes, in hex.
        source: the name of the source that listed it.
        copies: further files with the same bytes.
        exif: what the file says of itself, such as when it was taken; see `images.exif`.
    """

    id: str
    path: str
    label: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    width: int = 0
    height: int = 0
    size: int = 0
    mtime: float = 0.0
    sha256: str = ""
    source: str = ""
    copies: "tuple[Item, ...]" = ()
    exif: Mapping[str, str] = field(default_factory=dict)

    @property
    def labels(self) -> list[str]:
        """The labels of the item and its copies, each once."""
        return list(dict.fromkeys(file.label for file in (self, *self.copies) if file.label))

    @property
    def public_id(self) -> str:
        """Its id, or its SHA-256 if the id reveals its location; both identify it."""
        from similarity.fetch.redaction import redact

        return self.id if redact(self.id) == self.id else self.sha256

    @property
    def is_gone(self) -> bool:
        """Whether the file, or its zip, is missing; false for an address, and where this user may not look."""
        place = self.source if self.source.lower().endswith(".zip") else self.path
        if os.path.exists(place):  # noqa: PTH110 - asked for every hit, and many times as fast as a Path
            return False
        try:
            return Path(place).is_absolute() and not on_disk(Path(place)).exists()
        except OSError:
            return False


def existing_first(item: Item) -> Item:
    """A picture as the first of its copies whose file is there; as it is if none is, or if it has no copies."""
    if not (item.copies and item.is_gone):
        return item
    files = list(files_of([item]))
    there = next((file for file in files if not file.is_gone), None)
    return replace(there, copies=tuple(file for file in files if file is not there)) if there else item


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that could not be indexed, and the reason.

    Attributes:
        source: the name of the source that listed it.
    """

    path: str
    reason: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Stamp:
    """Size in bytes and modification time in seconds of a file, to detect a change without reading it."""

    size: int
    mtime: float


@dataclass(frozen=True, slots=True)
class FileBytes:
    """A file's bytes and modification time, 0 if that is not known."""

    data: bytes
    mtime: float = 0.0


def is_place_gone(name: str) -> bool:
    """Whether the place that a source is named after is missing; a name in the form `PLACE (choice)` is of PLACE."""
    place = name.rpartition(" (")[0] if name.endswith(")") else name
    try:
        return Path(name).is_absolute() and not Path(name).exists() and not Path(place).exists()
    except OSError:  # it cannot be looked for, which does not say that it is missing
        return False


@runtime_checkable
class Source(Protocol):
    """A place that lists pictures and reads their bytes.

    Attributes:
        name: its name in messages.
        items: the pictures, in a stable order.
        skipped: files and lines that could not be listed.
        readers: number of items that should be read at once.
    """

    name: str
    items: list[Item]
    skipped: list[Skipped]
    readers: int

    def read(self, item: Item) -> FileBytes:
        """The bytes of one of its items; raises ImageError or FetchError. Called from several threads at once."""

    def stamp(self, item: Item) -> Stamp | None:
        """A file's stamp; None if it cannot be known without fetching it, or there is no such file."""

    def whereabouts(self, item: Item) -> str:
        """Where a person finds an item that could not be used: its path, and the line that named it, if any."""

    def part(self, items: Sequence[Item]) -> "Source":
        """The source with a subset of its items, and nothing skipped: small enough to send to another process."""


def notes_of(source: object) -> list[str]:
    """Remarks on a source as a whole, such as how its names were decoded; most kinds have none."""
    return list(getattr(source, "notes", ()))


def files_of(items: Iterable[Item]) -> Iterator[Item]:
    """Every file of some items, each on its own: the item, then its copies."""
    for item in items:
        yield replace(item, copies=()) if item.copies else item
        yield from item.copies


def join_copies(files: Iterable[Item]) -> list[Item]:
    """Join files with the same content into one item, at the position of the first."""
    by_content: dict[str, list[Item]] = defaultdict(list)
    for file in files:
        by_content[file.sha256].append(file)
    return [replace(first, copies=tuple(copies)) if copies else first for first, *copies in by_content.values()]


@runtime_checkable
class ReadTogether(Protocol):
    """Items that are read faster together."""

    def at(self, rows: Iterable[int]) -> list[Item]:
        """The items at some rows, in that order."""


def items_at(items: Sequence[Item], rows: Iterable[int]) -> list[Item]:
    """The items at some rows, in that order; those of a generation are read together, which is many times faster."""
    return items.at(rows) if isinstance(items, ReadTogether) else [items[row] for row in rows]


LABEL = "label"


def facts_of(item: Item) -> Iterator[tuple[str, str]]:
    """Columns and values of a picture and its copies."""
    return (pair for file in (item, *item.copies) for pair in _values(file.metadata, file.label))


def _values(metadata: Mapping[str, str], label: str | None) -> Iterable[tuple[str, str]]:
    return ({**metadata, LABEL: label} if label else metadata).items()
