"""Checking a generation's files against their checksums: sizes always, hashes whenever a file may have changed.

Size, times and inode of each verified file are remembered in SIMILARITY_HOME/cache/verified, also of those that were
hashed when a generation was written, so that opening a large gallery does not read all of it.
"""

import hashlib
import json
import logging
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from similarity.errors import GalleryDamagedError
from similarity.files import open_own, read_json, write_atomically
from similarity.paths import cache_folder
from similarity.storage.unreadable import unreadable_or_damaged

# Seconds after its last change until a file is remembered: times are too coarse to show another change right after it.
SETTLED_AFTER = 2.0
MOST_BYTES = 1_000_000  # of the remembered facts of a gallery

logger = logging.getLogger(__name__)


def fingerprint(path: Path) -> dict[str, Any]:
    """Return size and SHA-256 of a file."""
    with open_own(path) as file:
        return {"size": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def fingerprints(folder: Path) -> dict[str, dict[str, Any]]:
    """Name -> size and SHA-256 of every file of a generation that was just written; what was hashed is remembered."""
    hashed: dict[str, dict[str, Any]] = {}
    seen: dict[str, list[Any]] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name, status = path.relative_to(folder).as_posix(), path.stat()
        hashed[name] = fingerprint(path)
        if time.time() - status.st_mtime > SETTLED_AFTER:
            seen[name] = _identity(status, hashed[name])
    _remember(_memory(folder.parents[1]), seen)
    return hashed


def check_there(folder: Path, files: Mapping[str, dict[str, Any]]) -> None:
    """Look whether files are there, with the size that they were written with; raises as `check_files`."""
    for name, expected in files.items():
        path = folder / name
        try:
            is_whole = path.stat().st_size == expected["size"]
        except (OSError, LookupError, TypeError) as error:
            raise unreadable_or_damaged(path, error) from error
        if not is_whole:
            raise GalleryDamagedError(path)


def check_files(folder: Path, files: Mapping[str, dict[str, Any]], *, thorough: bool = False) -> None:
    """Compare files with their fingerprints.

    Args:
        files: name -> value of `fingerprint` when the file was written.
        thorough: hash all files, even those that are remembered.

    Raises:
        GalleryDamagedError: a file is missing or has changed. GalleryUnreadableError: this user may not read one.
    """
    memory = _memory(folder.parents[1])
    remembered = {} if thorough else _recall(memory)
    seen: dict[str, list[Any]] = {}
    for name, expected in files.items():
        path = folder / name
        try:
            before = _identity(path.stat(), expected)
            sound = path.stat().st_size == expected["size"] and (
                remembered.get(name) == before or fingerprint(path) == expected
            )
        except (OSError, LookupError, TypeError) as error:
            raise unreadable_or_damaged(path, error) from error
        if not sound:
            raise GalleryDamagedError(path)
        if time.time() - path.stat().st_mtime > SETTLED_AFTER:
            seen[name] = before
    if seen != remembered:
        _remember(memory, seen)


def _identity(status: os.stat_result, expected: Mapping[str, Any]) -> list[Any]:
    """Return size, times and inode of a file, which change with its content, and its expected SHA-256."""
    return [expected["sha256"], status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def _memory(gallery: Path) -> Path:
    """Return the file for a gallery; it is shared by all generations, so that old ones leave nothing behind."""
    key = hashlib.sha256(os.fsencode(gallery)).hexdigest()[:24]
    return cache_folder() / "verified" / f"{key}.json"


def _recall(memory: Path) -> dict[str, list[Any]]:
    try:
        recalled = read_json(memory, MOST_BYTES)
    except (OSError, ValueError):
        return {}
    return recalled if isinstance(recalled, dict) else {}


def _remember(memory: Path, seen: dict[str, list[Any]]) -> None:
    """Write the facts atomically; if that fails, files are hashed again the next time."""
    try:
        memory.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(memory, json.dumps(seen))
    except OSError as error:
        logger.info("Verified files cannot be remembered: %s", error)
