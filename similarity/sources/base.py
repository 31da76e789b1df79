"""What every source is: a list of items, and a way to read their bytes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from similarity.fetch.redaction import redact


@dataclass(frozen=True, slots=True)
class Item:
    """One picture of a gallery.

    Attributes:
        id: unique in its gallery; in a folder, the path below it with forward slashes.
        path: where the picture is: a file's absolute path, its http(s) address, or its place in an object store.
        label: what it shows, if known; in a folder, the name of the folder it lies in.
        metadata: anything else that is known of it.
        width, height: in pixels, as seen upright. These and the rest are 0 or empty until the file has been read.
        size: of the file, in bytes.
        mtime: when the file was last changed, in seconds since 1970.
        sha256: of the file's bytes, in hex.
        source: the name of the source that listed it.
        copies: further files with the very same bytes.
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

    @property
    def labels(self) -> list[str]:
        """Its label and those of its copies, each once."""
        return list(dict.fromkeys(file.label for file in (self, *self.copies) if file.label))

    @property
    def public_id(self) -> str:
        """Its id, unless that says where it is; then its SHA-256, which it can be found by as well."""
        return self.id if redact(self.id) == self.id else self.sha256

    @property
    def is_gone(self) -> bool:
        """Whether the file, or the zip that it was in, is not there any more; of an address that is not known."""
        file = Path(self.source if self.source.lower().endswith(".zip") else self.path)
        return file.is_absolute() and not file.exists()


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was meant to be indexed and could not be, and why.

    Attributes:
        source: the name of the source that listed it.
    """

    path: str
    reason: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells, without reading it, whether a file may be another one than before: size in bytes, time in seconds."""

    size: int
    mtime: float


@dataclass(frozen=True, slots=True)
class FileBytes:
    """A file as it was at one moment: its bytes, and when they were last changed (0 where that is not known)."""

    data: bytes
    mtime: float = 0.0


class Source(Protocol):
    """A place that lists pictures and gives their bytes.

    Attributes:
        name: what to call it in messages.
        items: the pictures, in a stable order.
        skipped: what could not even be listed.
        readers: how many items are worth reading at once.
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
        """Where a person finds an item that could not be used: its path, and the line that named it, if one did."""

    def part(self, items: Sequence[Item]) -> "Source":
        """The same with only some of its items, and nothing skipped: small enough to be sent to another process."""
