"""Where pictures come from: a source lists its items and reads their bytes."""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from similarity.errors import ImageError, SourceError
from similarity.images import SUFFIXES


@dataclass(frozen=True, slots=True)
class Item:
    """One picture of a gallery.

    Attributes:
        id: unique in its gallery; in a folder, the path below it with forward slashes.
        path: the file, absolute.
        label: what it shows, if known; in a folder, the name of the folder it lies in.
        metadata: anything else that is known of it.
        width, height: in pixels, as seen upright. These and the rest are 0 or empty until the file has been read.
        size: of the file, in bytes.
        mtime: when the file was last changed, in seconds since 1970.
        sha256: of the file's bytes, in hex.
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


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was meant to be indexed and could not be, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class FileBytes:
    """A file as it was at one moment: its bytes, and when they were last changed."""

    data: bytes
    mtime: float


class Source(Protocol):
    """A place that lists pictures and gives their bytes."""

    @property
    def name(self) -> str:
        """What to call it in messages."""

    @property
    def items(self) -> list[Item]:
        """The pictures, in a stable order."""

    @property
    def skipped(self) -> list[Skipped]:
        """What could not even be listed."""

    def read(self, item: Item) -> FileBytes:
        """The bytes of one of its items; raises ImageError. Called from several threads at once."""


@dataclass(frozen=True)
class Folder:
    """The pictures in a folder and all folders below it; make one with `scan`."""

    name: str
    items: list[Item]
    skipped: list[Skipped]

    @classmethod
    def scan(cls, root: str | Path) -> "Folder":
        """List a folder, in the order of the paths below it; hidden files and folders are left out.

        A picture's label is the name of the folder it lies in; pictures that lie directly in `root` have none.

        Raises:
            SourceError: `root` is not a folder, cannot be read, or has no picture files.
        """
        root = Path(root).expanduser().resolve()
        if not root.is_dir():
            raise SourceError(f"{root} is not a folder." if root.exists() else f"There is no folder {root}.")
        unreadable: list[OSError] = []
        items = [_item(root, path) for path in _picture_files(root, unreadable)]
        if not items and unreadable:
            raise SourceError(f"The folder {unreadable[0].filename} cannot be read ({unreadable[0].strerror}).")
        if not items:
            raise SourceError(f"There are no pictures in {root} (JPEG, PNG, WebP, GIF, AVIF and BMP are looked for).")
        skipped = [Skipped(str(error.filename), f"cannot be read ({error.strerror}).") for error in unreadable]
        return cls(str(root), sorted(items, key=lambda item: item.id), skipped)

    def read(self, item: Item) -> FileBytes:
        """The bytes of a file, unless it is gone, unreadable or no regular file."""
        try:
            status = Path(item.path).stat()
            if not stat.S_ISREG(status.st_mode):
                raise ImageError(item.path, "is not a regular file.")
            return FileBytes(Path(item.path).read_bytes(), status.st_mtime)
        except OSError as error:
            raise ImageError(item.path, f"cannot be read ({error.strerror or error}).") from error


def _picture_files(root: Path, unreadable: list[OSError]) -> list[Path]:
    """Every file below a folder that is named like a picture; folders that cannot be listed are noted."""
    found = []
    for folder, subfolders, files in os.walk(root, onerror=unreadable.append):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        found += [
            Path(folder, name) for name in files if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES
        ]
    return found


def _item(root: Path, path: Path) -> Item:
    below = path.relative_to(root)
    return Item(id=below.as_posix(), path=str(path), label=below.parent.name or None)
