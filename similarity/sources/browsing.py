"""The folders in a folder, and the number of pictures in each, for somebody who chooses one by clicking.

Hidden folders and links are left out, and so are folders that are never indexed. Of a huge folder only a part is
listed, and pictures are counted as far as time allows: a second at most.
"""

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from similarity.errors import SourceError
from similarity.images.formats import SUFFIXES
from similarity.sources.passed_over import passed_over_part

MOST_FOLDERS, MOST_ENTRIES, MOST_PICTURES = 200, 20_000, 10_000
SECONDS = 0.8


@dataclass(frozen=True, slots=True)
class Count:
    """A number of pictures, in a folder and below it; `is_all` is false if there may be more."""

    pictures: int = 0
    is_all: bool = True


@dataclass(frozen=True, slots=True)
class Listing:
    """The folders in a folder.

    Attributes:
        folder: its path.
        pictures: the number of pictures in it, without those in its folders.
        folders: the names of its folders.
        unreadable: the names of those that this user may not read.
        is_all: whether all of them are listed.
    """

    folder: Path
    pictures: int
    folders: tuple[str, ...]
    unreadable: tuple[str, ...] = ()
    is_all: bool = True

    def total(self, counts: Iterable[Count]) -> Count:
        """Return the number of pictures in the folder and below it, from those of its folders."""
        counted = list(counts)
        is_all = self.is_all and len(counted) == len(self.folders) and all(count.is_all for count in counted)
        return Count(self.pictures + sum(count.pictures for count in counted), is_all)


def list_folders(folder: Path) -> Listing:
    """List the folders in a folder; the pictures in them are not counted yet, see `count_pictures`.

    Raises:
        SourceError: it is not a folder, or this user may not read it.
    """
    try:
        with os.scandir(folder) as entries:
            listed = list(islice(entries, MOST_ENTRIES + 1))
    except OSError as error:
        raise SourceError(f"The folder {folder} cannot be opened ({error.strerror or error}).") from error
    names = sorted(entry.name for entry in listed if _is_offered(entry))
    there = names[:MOST_FOLDERS]
    readable = tuple(name for name in there if os.access(folder / name, os.R_OK | os.X_OK))
    unreadable = tuple(name for name in there if name not in readable)
    is_all = len(listed) <= MOST_ENTRIES and len(names) <= MOST_FOLDERS
    return Listing(folder, sum(map(_is_picture, listed)), readable, unreadable, is_all)


def count_pictures(listing: Listing, seconds: float = SECONDS) -> Iterator[Count]:
    """Count the pictures in each of the folders and below it, one after the other, until the time is up."""
    until = time.monotonic() + seconds
    return (_count(listing.folder / name, until) for name in listing.folders)


def _is_offered(entry: "os.DirEntry[str]") -> bool:
    with suppress(OSError):
        return entry.is_dir(follow_symlinks=False) and not passed_over_part((entry.name,)) and entry.name.isprintable()
    return False


def _is_picture(entry: "os.DirEntry[str]") -> bool:
    """Whether an entry is a picture by its name; none is opened."""
    return not entry.name.startswith(".") and Path(entry.name).suffix.lower() in SUFFIXES


def _count(folder: Path, until: float) -> Count:
    """Count the pictures in a folder and below it until there are very many, or the time is up."""
    count = 0
    for is_picture in _walk(folder):
        count += is_picture
        if count >= MOST_PICTURES or time.monotonic() > until:
            return Count(count, is_all=False)
    return Count(count)


def _walk(folder: Path) -> Iterator[bool]:
    """Go through all entries of a folder and of those below it; yields whether each is a picture."""
    waiting = [folder]
    while waiting:
        with suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if _is_offered(entry):
                    waiting.append(Path(entry.path))
                yield _is_picture(entry)
