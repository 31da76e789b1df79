"""The contents of a gallery's folder: files and folders of its own, and nothing that leads elsewhere.

A gallery may come from somebody else, who can put anything there. What is read is a regular file, and what is written
or deleted lies in the folder itself.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from similarity.errors import GalleryDamagedError
from similarity.paths import GENERATIONS, THUMBNAILS, UNFINISHED

FOREIGN = "leads out of the gallery, or is neither a file nor a folder. Nothing of ours does: do not use this gallery"


def check_own(directory: Path) -> None:
    """See to it that all that a gallery consists of lies in its folder.

    Raises:
        GalleryDamagedError: something leads elsewhere, or is neither a file nor a folder.
    """
    for path in _within(directory):
        _check(path)
        if path.name in (GENERATIONS, UNFINISHED):
            for entry in walk(path):  # which passes over what a writer takes away meanwhile
                _check(Path(entry.path))
        elif path.name == THUMBNAILS:  # of the very many files in its folders each is looked at when it is read
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
        raise GalleryDamagedError(folder, f"cannot be read ({error.strerror or error})") from error


def _check(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except OSError:  # it is gone by now, or nobody can read it
        return
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise GalleryDamagedError(path, FOREIGN)


def generation_folder(directory: Path, number: int) -> Path:
    return directory / GENERATIONS / f"{number:06d}"
