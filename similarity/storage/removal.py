"""Deleting a gallery's own files, which are recognised by their names.

Other files in the folder, and the folders that contain them, are not touched.
"""

import errno
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from similarity.files import UNFINISHED_SUFFIX, WRITER_SUFFIX, is_link
from similarity.paths import (
    CENTRE,
    CHECKSUM,
    EMBEDDINGS,
    GENERATIONS,
    HEAD,
    INDEX,
    ITEMS,
    KEYS,
    LABELS,
    MANIFEST,
    NEIGHBOURS,
    NETWORK,
    NETWORK_FILES,
    PARTS,
    PIN_SUFFIX,
    PROJECTED,
    REFINED,
    SHARDS,
    THUMBNAILS,
    UNFINISHED,
)
from similarity.storage.unreadable import unreadable

# Files of a generation, in the order of deletion; any of them shows that the folder is a generation's.
OF_A_GENERATION = (
    INDEX, KEYS, CENTRE, NEIGHBOURS, REFINED, PARTS, PROJECTED, HEAD, EMBEDDINGS, LABELS, ITEMS, CHECKSUM, MANIFEST
)  # fmt: skip
MOST = 999_999_999  # generations
# For whole names; \d would also match the digits of other scripts.
NUMBER = re.compile(r"[0-9]{6,9}")
PIN = re.compile(rf"[0-9]{{6,9}}{re.escape(PIN_SUFFIX)}")
# Name in earlier versions.
UNWRITTEN_HEAD = re.compile(r"\.new-[0-9a-f]{32}")
JOURNAL = re.compile(r"([0-9a-f]{16}\.sqlite)(-wal|-shm|-journal)?")
FOUND_NEIGHBOURS = re.compile(r"[0-9a-f]{16}\.neighbours")
SHARD, OF_A_SHARD = re.compile(r"shard-[0-9]{1,3}"), ("CURRENT", THUMBNAILS, UNFINISHED, GENERATIONS)
FOLDER_OF_THUMBNAILS, THUMBNAIL = re.compile(r"[0-9a-f]{2}"), re.compile(r"([0-9a-f]{64})\.(jpg|sift)(\.new(\.lock)?)?")


def generation_folders(directory: Path) -> list[Path]:
    """Return the folders of a gallery's generations, complete or not, oldest first.

    Raises:
        GalleryUnreadableError: this user may not read one of them.
    """
    try:
        folders = [path for path in _within(directory / GENERATIONS) if _number(path) and is_folder(path)]
        return sorted(filter(_is_generation, folders), key=lambda folder: int(folder.name))
    except OSError as error:
        if reason := unreadable(directory, error):
            raise reason from error
        raise


def next_number(directory: Path) -> int:
    """Return the number of a gallery's next generation, which is unused; above MOST if all are used."""
    return 1 + max(filter(None, map(_number, _within(directory / GENERATIONS))), default=0)


def journals(directory: Path) -> list[Path]:
    """Return the journals of interrupted runs, which hold their embeddings."""
    there = [path for path in _within(directory / UNFINISHED) if (own := JOURNAL.fullmatch(path.name)) and not own[2]]
    return [path for path in there if _is_kind(path, stat.S_ISREG)]


def has_unfinished(directory: Path) -> bool:
    """Whether there is an interrupted run that can be resumed."""
    return bool(journals(directory))


def remove_journal(path: Path) -> None:
    """Delete a journal, with SQLite's own files beside it; raises OSError."""
    for name in (path.name, *(f"{path.name}-{suffix}" for suffix in ("wal", "shm", "journal"))):
        remove_file(path.with_name(name))


def remove_found_neighbours(directory: Path) -> None:
    """Delete the neighbours that runs have found, and their folder if that contains nothing else; raises OSError."""
    for path in _within(directory / UNFINISHED):
        if FOUND_NEIGHBOURS.fullmatch(path.name):
            remove_file(path)
            _remove_if_empty(directory / UNFINISHED)


def remove_generation(folder: Path) -> None:
    """Delete a generation, and its folder if that contains nothing else; raises OSError."""
    if not is_folder(folder):
        remove_file(folder)
        return
    if is_folder(folder / NETWORK):
        for name in NETWORK_FILES:
            remove_file(folder / NETWORK / name)
        _remove_if_empty(folder / NETWORK)
    for path in _within(folder):
        if UNWRITTEN_HEAD.fullmatch(path.name) or path.name in (f"{HEAD}{UNFINISHED_SUFFIX}", f"{HEAD}{WRITER_SUFFIX}"):
            remove_file(path)
    for name in OF_A_GENERATION:
        remove_file(folder / name)
    _remove_if_empty(folder)


def remove_entry(path: Path) -> None:
    """Delete one of a gallery's own files or folders, such as CURRENT or thumbnails; raises OSError."""
    if not is_folder(path):
        remove_file(path)
        return
    remove = REMOVERS.get(path.name)
    if remove:
        for inner in _within(path):
            remove(inner)
        _remove_if_empty(path)


def thumbnails(directory: Path) -> Iterator[tuple[str, Path]]:
    """Yield the thumbnails of a gallery, and the local features beside them, finished or not.

    Yields:
        The SHA-256 of the picture, in hex, and the file.
    """
    if is_folder(directory / THUMBNAILS):
        for folder in _within(directory / THUMBNAILS):
            yield from _thumbnails_in(folder)


def shard_folders(directory: Path) -> list[Path]:
    """Return the folders of the shards of a set, used or not; raises OSError."""
    numbered = [path for path in _within(directory / SHARDS) if _number(path) and is_folder(path)]
    return [path for folder in numbered for path in _within(folder) if SHARD.fullmatch(path.name) and is_folder(path)]


def remove_shard(folder: Path) -> None:
    """Delete a shard, and the folders that it was in if these contain nothing else; raises OSError."""
    for name in OF_A_SHARD:
        remove_entry(folder / name)
    for path in (folder, folder.parent, folder.parents[1]):
        _remove_if_empty(path)


def remove_shards(folder: Path) -> None:
    """Delete the shards that one state of a set brought, in their folder; raises OSError."""
    for path in shard_folders(folder.parents[1]):
        if path.parent == folder:
            remove_shard(path)


def remove_file(path: Path) -> None:
    """Delete a file, or a link but not its target; folders are not deleted. Raises OSError."""
    with suppress(FileNotFoundError, NotADirectoryError):
        if not stat.S_ISDIR(path.lstat().st_mode):
            path.unlink()


def is_folder(path: Path) -> bool:
    """Whether this is a folder, and not a link to one."""
    try:
        status = path.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and not is_link(status)


def _thumbnails_in(folder: Path) -> Iterator[tuple[str, Path]]:
    if not FOLDER_OF_THUMBNAILS.fullmatch(folder.name) or not is_folder(folder):
        return
    for path in _within(folder):
        if (own := THUMBNAIL.fullmatch(path.name)) and own[1].startswith(folder.name):
            yield own[1], path


def _remove_thumbnails(folder: Path) -> None:
    for _, path in _thumbnails_in(folder):
        remove_file(path)
    if FOLDER_OF_THUMBNAILS.fullmatch(folder.name):
        _remove_if_empty(folder)


def _remove_numbered(path: Path) -> None:
    if _number(path):
        remove_generation(path)
    elif PIN.fullmatch(path.name):
        remove_file(path)


def _remove_unfinished(path: Path) -> None:
    if JOURNAL.fullmatch(path.name) or FOUND_NEIGHBOURS.fullmatch(path.name):
        remove_file(path)


REMOVERS: dict[str, Callable[[Path], None]] = {
    THUMBNAILS: _remove_thumbnails,
    GENERATIONS: _remove_numbered,
    UNFINISHED: _remove_unfinished,
    SHARDS: remove_shards,
}


def _number(path: Path) -> int | None:
    """Return the number in the name of a generation's folder; None for other names."""
    is_number = NUMBER.fullmatch(path.name) and f"{int(path.name):06d}" == path.name
    return int(path.name) if is_number else None


def _is_generation(folder: Path) -> bool:
    """Whether a folder has a file of a generation, or is empty, because its writer was killed."""
    names, network = _names_in(folder), _names_in(folder / NETWORK) if is_folder(folder / NETWORK) else set()
    return bool(names & set(OF_A_GENERATION) or network & set(NETWORK_FILES) or not (network or names - {NETWORK}))


def _names_in(folder: Path) -> set[str]:
    return {path.name for path in _within(folder)}


def _within(folder: Path) -> list[Path]:
    """List a folder; empty if there is none."""
    with suppress(FileNotFoundError, NotADirectoryError):
        return list(folder.iterdir())
    return []


def _remove_if_empty(folder: Path) -> None:
    """Delete a folder if it is empty."""
    if not is_folder(folder):
        return
    try:
        folder.rmdir()
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT):
            raise


def _is_kind(path: Path, test: Callable[[int], bool]) -> bool:
    try:
        return test(path.lstat().st_mode)
    except OSError:
        return False
