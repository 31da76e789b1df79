"""Whether a generation's files are the ones that were written: sizes always, hashes whenever a file may have changed.

What was hashed when it was written, or later and found sound, is remembered in SIMILARITY_HOME/cache/verified by each
file's size, times and place on the disk, so that opening a large gallery does not hash it again.
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

# A file that was written less than this many seconds ago may be written again without its times telling it.
SETTLED_AFTER = 2.0
MOST_BYTES = 1_000_000  # of what is remembered of a gallery

logger = logging.getLogger(__name__)


def fingerprint(path: Path) -> dict[str, Any]:
    """Size and SHA-256 of a file."""
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


def check_files(folder: Path, files: Mapping[str, dict[str, Any]], *, thorough: bool = False) -> None:
    """Compare files with what is known of them.

    Args:
        files: name -> what `fingerprint` said when it was written.
        thorough: hash them all, whatever is remembered.

    Raises:
        GalleryDamagedError: one is missing or another.
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
            raise GalleryDamagedError(path) from error
        if not sound:
            raise GalleryDamagedError(path)
        if time.time() - path.stat().st_mtime > SETTLED_AFTER:
            seen[name] = before
    if seen != remembered:
        _remember(memory, seen)


def _identity(status: os.stat_result, expected: Mapping[str, Any]) -> list[Any]:
    """Facts that change with a file's content, as far as a file system tells, and the SHA-256 it should have."""
    return [expected["sha256"], status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def _memory(gallery: Path) -> Path:
    """One file for each gallery, so that generations that come and go leave nothing behind."""
    key = hashlib.sha256(os.fsencode(gallery)).hexdigest()[:24]
    return cache_folder() / "verified" / f"{key}.json"


def _recall(memory: Path) -> dict[str, list[Any]]:
    try:
        recalled = read_json(memory, MOST_BYTES)
    except (OSError, ValueError):
        return {}
    return recalled if isinstance(recalled, dict) else {}


def _remember(memory: Path, seen: dict[str, list[Any]]) -> None:
    """Written whole or not at all; where that cannot be, the next one to open the gallery hashes again."""
    try:
        memory.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(memory, json.dumps(seen))
    except OSError as error:
        logger.info("What was verified cannot be remembered: %s", error)
