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
from similarity.sources.passed_over import HIDDEN, count_files, passed_over_part
from similarity.sources.unread import bounded, nothing_here, reason_of_file
from similarity.text.unicode import nfc

# Contents of a gallery's folder.
GALLERY = {"CURRENT", "generations"}


class Files:
    """Items that are files on this computer, which are read in the same way for several kinds of source.

    Attributes:
        passed_over: number of files that were left out unread, by the name of their folder, or hidden.
    """

    def __init__(
        self, name: str, items: list[Item], skipped: list[Skipped], passed_over: dict[str, int] | None = None
    ) -> None:
        self.name = name
        self.passed_over = passed_over or {}
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
    """List a folder, in the order of the paths below it; hidden files, and folders such as recycle bins, are left out.

    A picture's label is the name of its folder; pictures directly in `root` have none.

    Raises:
        SourceError: `root` cannot be read, or has no picture files.
    """
    unreadable: list[OSError] = []
    others: list[Skipped] = []
    passed_over: Counter[str] = Counter()
    paths = sorted(_picture_files(root, unreadable, others, passed_over))
    if not paths and unreadable:
        raise SourceError(f"The folder {unreadable[0].filename} cannot be read ({unreadable[0].strerror}).")
    if not paths:
        raise SourceError(nothing_here(root, others))
    skipped = [Skipped(shown(error.filename), f"cannot be read ({error.strerror}).") for error in unreadable]
    skipped += [Skipped(shown(path), "has a name that is not UTF-8: rename it.") for path in paths if not is_utf8(path)]
    skipped += bounded(sorted(others, key=lambda file: file.path), str(root))
    items = _with_own_ids(root, [_item(root, path) for path in paths if is_utf8(path)])
    return Files(str(root), sorted(items, key=lambda item: item.id), skipped, dict(+passed_over))


def _picture_files(
    root: Path, unreadable: list[OSError], others: list[Skipped], passed_over: Counter[str]
) -> Iterator[Path]:
    """Every picture file below a folder, links followed; notes folders that cannot be listed, and other files."""
    for folder, files in _folders(root, unreadable, passed_over):
        for name in files:
            if name.startswith("."):
                passed_over[HIDDEN] += 1
            elif reason := reason_of_file(path := Path(folder, name)):
                others.append(Skipped(shown(path), reason))
            else:
                yield path


def _folders(root: Path, unreadable: list[OSError], passed_over: Counter[str]) -> Iterator[tuple[str, list[str]]]:
    """Every folder below one with its files; one that is a link comes after all that are not, so that these name it."""
    seen: set[str] = set()
    waiting = [str(root)]
    while waiting:
        for folder, subfolders, files in os.walk(waiting.pop(0), onerror=unreadable.append):
            real = os.path.realpath(folder)
            # A link back up or a second way to the same place, or a gallery, whose thumbnails are not pictures of it.
            if real in seen or {*subfolders, *files} >= GALLERY:
                subfolders.clear()
                continue
            seen.add(real)
            for name in sorted(subfolders):
                if reason := passed_over_part((name,)):
                    passed_over[reason] += count_files(Path(folder, name))
                    subfolders.remove(name)
                elif Path(folder, name).is_symlink():
                    waiting.append(str(Path(folder, name)))
                    subfolders.remove(name)
            subfolders.sort()
            yield folder, files


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
