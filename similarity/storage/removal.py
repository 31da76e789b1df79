"""Which files in a gallery's folder are ours, by their names, and taking these away and nothing else.

A folder may hold what somebody else put there: it stays, and so does every folder that it lies in.
"""

import errno
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from similarity.files import UNFINISHED_SUFFIX
from similarity.paths import (
    CENTRE,
    CHECKSUM,
    EMBEDDINGS,
    GENERATIONS,
    HEAD,
    INDEX,
    ITEMS,
    KEYS,
    MANIFEST,
    NEIGHBOURS,
    NETWORK,
    NETWORK_FILES,
    PROJECTED,
    THUMBNAILS,
    UNFINISHED,
)

# Of a generation, in the order in which they are taken away: as long as there is any, it is known to have been one.
OF_A_GENERATION = (INDEX, KEYS, CENTRE, NEIGHBOURS, PROJECTED, HEAD, EMBEDDINGS, ITEMS, CHECKSUM, MANIFEST)
MOST = 999_999_999  # generations
# Names are compared as a whole; \d would also match the digits of other scripts.
NUMBER = re.compile(r"[0-9]{6,9}")
# As earlier versions named it.
UNWRITTEN_HEAD = re.compile(r"\.new-[0-9a-f]{32}")
JOURNAL = re.compile(r"([0-9a-f]{16}\.sqlite)(-wal|-shm|-journal)?")
FOLDER_OF_THUMBNAILS, THUMBNAIL = re.compile(r"[0-9a-f]{2}"), re.compile(r"([0-9a-f]{64})\.jpg(\.new)?")


def generation_folders(directory: Path) -> list[Path]:
    """The folders of a gallery's generations, also of those that are not complete, oldest first."""
    folders = [path for path in _within(directory / GENERATIONS) if _number(path) and is_folder(path)]
    return sorted((one for one in folders if _is_ours(one)), key=lambda one: int(one.name))


def next_number(directory: Path) -> int:
    """The number of a gallery's next generation, under which nothing lies yet; above MOST if there is none left."""
    return 1 + max(filter(None, map(_number, _within(directory / GENERATIONS))), default=0)


def journals(directory: Path) -> list[Path]:
    """The files in which interrupted runs have left what they had embedded."""
    there = [path for path in _within(directory / UNFINISHED) if (own := JOURNAL.fullmatch(path.name)) and not own[2]]
    return [path for path in there if _mode(path, stat.S_ISREG)]


def has_unfinished(directory: Path) -> bool:
    """Whether an interrupted run has left anything to go on with."""
    return bool(journals(directory))


def remove_journal(path: Path) -> None:
    """Take a journal away, with SQLite's own files beside it; raises OSError."""
    for name in (path.name, *(f"{path.name}-{suffix}" for suffix in ("wal", "shm", "journal"))):
        take_away(path.with_name(name))


def remove_generation(folder: Path) -> None:
    """Take a generation away, and its folder if nothing else is in that; raises OSError."""
    if not is_folder(folder):
        take_away(folder)
        return
    if is_folder(folder / NETWORK):
        for name in NETWORK_FILES:
            take_away(folder / NETWORK / name)
        _close(folder / NETWORK)
    for path in _within(folder):
        if UNWRITTEN_HEAD.fullmatch(path.name) or path.name == f"{HEAD}{UNFINISHED_SUFFIX}":
            take_away(path)
    for name in OF_A_GENERATION:
        take_away(folder / name)
    _close(folder)


def remove_entry(path: Path) -> None:
    """Take away what a gallery has under one of its own names, such as CURRENT or thumbnails; raises OSError."""
    if not is_folder(path):
        take_away(path)
        return
    remove = REMOVERS.get(path.name)
    if remove:
        for inner in _within(path):
            remove(inner)
        _close(path)


def thumbnails(directory: Path) -> Iterator[tuple[str, Path]]:
    """The thumbnails of a gallery, also unfinished ones: the SHA-256 of the picture, in hex, and the file."""
    if is_folder(directory / THUMBNAILS):
        for folder in _within(directory / THUMBNAILS):
            yield from _thumbnails_in(folder)


def take_away(path: Path) -> None:
    """Delete a file, or a link but not where it leads; a folder stays. Raises OSError."""
    with suppress(FileNotFoundError, NotADirectoryError):
        if not stat.S_ISDIR(path.lstat().st_mode):
            path.unlink()


def is_folder(path: Path) -> bool:
    """Whether there is a folder, and not only a link to one."""
    return _mode(path, stat.S_ISDIR)


def _thumbnails_in(folder: Path) -> Iterator[tuple[str, Path]]:
    if not FOLDER_OF_THUMBNAILS.fullmatch(folder.name) or not is_folder(folder):
        return
    for path in _within(folder):
        if (own := THUMBNAIL.fullmatch(path.name)) and own[1].startswith(folder.name):
            yield own[1], path


def _remove_thumbnails(folder: Path) -> None:
    for _, path in _thumbnails_in(folder):
        take_away(path)
    if FOLDER_OF_THUMBNAILS.fullmatch(folder.name):
        _close(folder)


def _remove_numbered(folder: Path) -> None:
    if _number(folder):
        remove_generation(folder)


def _remove_unfinished(path: Path) -> None:
    if JOURNAL.fullmatch(path.name):
        take_away(path)


REMOVERS: dict[str, Callable[[Path], None]] = {
    THUMBNAILS: _remove_thumbnails,
    GENERATIONS: _remove_numbered,
    UNFINISHED: _remove_unfinished,
}


def _number(path: Path) -> int | None:
    """The number that the folder of a generation has as its name; None if it is the name of something else."""
    is_one = NUMBER.fullmatch(path.name) and f"{int(path.name):06d}" == path.name
    return int(path.name) if is_one else None


def _is_ours(folder: Path) -> bool:
    """Whether there is any file of a generation in a folder, or nothing else, because whoever made it was killed."""
    names, network = _names_in(folder), _names_in(folder / NETWORK) if is_folder(folder / NETWORK) else set()
    return bool(names & set(OF_A_GENERATION) or network & set(NETWORK_FILES) or not (network or names - {NETWORK}))


def _names_in(folder: Path) -> set[str]:
    return {path.name for path in _within(folder)}


def _within(folder: Path) -> list[Path]:
    """List a folder; empty if there is none."""
    with suppress(FileNotFoundError, NotADirectoryError):
        return list(folder.iterdir())
    return []


def _close(folder: Path) -> None:
    """Take a folder away if nothing is in it."""
    if not is_folder(folder):
        return
    try:
        folder.rmdir()
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT):
            raise


def _mode(path: Path, is_that: Callable[[int], bool]) -> bool:
    try:
        return is_that(path.lstat().st_mode)
    except OSError:
        return False
