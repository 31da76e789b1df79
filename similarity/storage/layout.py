"""The layout of a gallery's folder: only regular files and folders, and no links out of it.

A gallery may come from a stranger, who can put anything there. This check makes sure that only regular files are
read, and that only files in the folder itself are written or deleted.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from similarity.errors import GalleryDamagedError
from similarity.files import is_link
from similarity.paths import GENERATIONS, SHARDS, THUMBNAILS, UNFINISHED
from similarity.storage.unreadable import unreadable_or_damaged

FOREIGN = "is a link, or neither a file nor a folder, which galleries never contain: do not use this gallery"


def check_own(directory: Path) -> None:
    """Check that a gallery consists of regular files and folders only.

    Raises:
        GalleryDamagedError: there is a link, or something that is neither a file nor a folder.
    """
    for path in _within(directory):
        _check(path)
        if path.name in (GENERATIONS, SHARDS, UNFINISHED):
            for entry in walk(path):  # which passes over entries that a writer deletes meanwhile
                _check(Path(entry.path))
        elif path.name == THUMBNAILS:  # its very many files are checked one by one, when they are read
            for inner in _within(path):
                _check(inner)


def walk(folder: Path) -> Iterator["os.DirEntry[str]"]:
    """Every entry in a folder, however deep, without following links; unreadable folders are passed over."""
    waiting = [str(folder)]
    while waiting:
        with suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                yield entry
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)


def _within(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise unreadable_or_damaged(folder, error, f"cannot be read ({error.strerror or error})") from error


def _check(path: Path) -> None:
    try:
        status = path.lstat()
    except OSError:  # it has been deleted, or cannot be read
        return
    if is_link(status) or not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        raise GalleryDamagedError(path, FOREIGN)


def generation_folder(directory: Path, number: int) -> Path:
    """Return the folder of a generation."""
    return directory / GENERATIONS / f"{number:06d}"
