"""A folder of pictures, with all folders below it."""

import os
import stat
from pathlib import Path

from similarity.errors import ImageError, SourceError
from similarity.images import SUFFIXES
from similarity.sources.contract import FileBytes, Item, Skipped


class Files:
    """Items that are files on this computer: how they are read, whatever listed them."""

    def __init__(self, name: str, items: list[Item], skipped: list[Skipped]) -> None:
        self.name = name
        self.items = items
        self.skipped = skipped
        self.readers = os.cpu_count() or 1

    def read(self, item: Item) -> FileBytes:
        """The bytes of a file, unless it is gone, unreadable or no regular file."""
        return read_file(item.path)

    def whereabouts(self, item: Item) -> str:
        """Its path."""
        return item.path


def read_file(path: str) -> FileBytes:
    """The bytes of a picture file; raises ImageError if it is gone, unreadable or no regular file."""
    try:
        status = Path(path).stat()
        if not stat.S_ISREG(status.st_mode):
            raise ImageError(path, "is not a regular file.")
        return FileBytes(Path(path).read_bytes(), status.st_mtime)
    except OSError as error:
        raise ImageError(path, f"cannot be read ({error.strerror or error}).") from error


def scan_folder(root: Path) -> Files:
    """List a folder, in the order of the paths below it; hidden files and folders are left out.

    A picture's label is the name of the folder it lies in; pictures that lie directly in `root` have none.

    Raises:
        SourceError: `root` cannot be read, or has no picture files.
    """
    unreadable: list[OSError] = []
    items = [_item(root, path) for path in _picture_files(root, unreadable)]
    if not items and unreadable:
        raise SourceError(f"The folder {unreadable[0].filename} cannot be read ({unreadable[0].strerror}).")
    if not items:
        raise SourceError(f"There are no pictures in {root} (JPEG, PNG, WebP, GIF, AVIF and BMP are looked for).")
    skipped = [Skipped(str(error.filename), f"cannot be read ({error.strerror}).") for error in unreadable]
    return Files(str(root), sorted(items, key=lambda item: item.id), skipped)


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
