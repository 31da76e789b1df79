"""A folder of pictures, with all folders below it."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path

from similarity.errors import SourceError
from similarity.images.decoding import read_file
from similarity.sources.base import FileBytes, Item, Skipped, Stamp
from similarity.sources.unread import bounded, nothing_here, reason_of_file
from similarity.text.unicode import nfc

# Contents of a gallery's folder.
GALLERY = {"CURRENT", "generations"}


class Files:
    """Items that are files on this computer, which are read in the same way for several kinds of source."""

    def __init__(self, name: str, items: list[Item], skipped: list[Skipped]) -> None:
        self.name = name
        self.items = items
        self.skipped = skipped
        self.readers = os.cpu_count() or 1

    def read(self, item: Item) -> FileBytes:
        """The bytes of a file, unless it is gone, unreadable or no regular file."""
        return FileBytes(*read_file(item.path))

    def stamp(self, item: Item) -> Stamp | None:
        """A file's size, and when it was last changed."""
        return file_stamp(item.path)

    def whereabouts(self, item: Item) -> str:
        """The path of an item."""
        return item.path

    def part(self, items: Sequence[Item]) -> "Files":
        """The source with a subset of its items."""
        part = copy(self)
        part.items, part.skipped = list(items), []
        return part


def file_stamp(path: str) -> Stamp | None:
    """A file's size, and when it was last changed; None if it is not there."""
    try:
        status = Path(path).stat()
    except (OSError, ValueError):
        return None
    return Stamp(status.st_size, status.st_mtime)


def scan_folder(root: Path) -> Files:
    """List a folder, in the order of the paths below it; hidden files and folders are left out.

    A picture's label is the name of its folder; pictures directly in `root` have none.

    Raises:
        SourceError: `root` cannot be read, or has no picture files.
    """
    unreadable: list[OSError] = []
    others: list[Skipped] = []
    paths = sorted(_picture_files(root, unreadable, others))
    if not paths and unreadable:
        raise SourceError(f"The folder {unreadable[0].filename} cannot be read ({unreadable[0].strerror}).")
    if not paths:
        raise SourceError(nothing_here(root, others))
    skipped = [Skipped(shown(error.filename), f"cannot be read ({error.strerror}).") for error in unreadable]
    skipped += [Skipped(shown(path), "has a name that is not UTF-8: rename it.") for path in paths if not is_utf8(path)]
    skipped += bounded(sorted(others, key=lambda file: file.path), str(root))
    items = _with_own_ids(root, [_item(root, path) for path in paths if is_utf8(path)])
    return Files(str(root), sorted(items, key=lambda item: item.id), skipped)


def _picture_files(root: Path, unreadable: list[OSError], others: list[Skipped]) -> Iterator[Path]:
    """Every picture file below a folder, links followed; notes folders that cannot be listed, and other files."""
    seen: set[str] = set()
    for folder, subfolders, files in os.walk(root, onerror=unreadable.append, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:  # a link back up, or a second way to the same place
            subfolders.clear()
            continue
        seen.add(real)
        if {*subfolders, *files} >= GALLERY:  # its thumbnails are not pictures of this folder
            subfolders.clear()
            continue
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for name in files:
            if name.startswith("."):
                continue
            if reason := reason_of_file(path := Path(folder, name)):
                others.append(Skipped(shown(path), reason))
            else:
                yield path


def _item(root: Path, path: Path) -> Item:
    below = path.relative_to(root)
    return Item(id=nfc(below.as_posix()), path=str(path), label=nfc(below.parent.name) or None)


def _with_own_ids(root: Path, items: list[Item]) -> list[Item]:
    """Items with an id each: of two names that only differ in how they are composed, each keeps its own."""
    counts = Counter(item.id for item in items)
    if len(counts) == len(items):
        return items
    own = (Path(item.path).relative_to(root).as_posix() for item in items)
    return [replace(item, id=name) if counts[item.id] > 1 else item for item, name in zip(items, own, strict=True)]


def is_utf8(path: Path) -> bool:
    """Whether a name can be written down; others come from the system with surrogates in them."""
    return not any("\ud800" <= letter <= "\udfff" for letter in str(path))


def shown(path: str | Path) -> str:
    """A path as it can be shown, bytes that are not UTF-8 replaced."""
    return os.fsencode(path).decode("utf-8", errors="replace")
