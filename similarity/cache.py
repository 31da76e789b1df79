"""Cached notes and results, in JSON files under SIMILARITY_HOME/cache; deleting them only costs time."""

import hashlib
import json
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from cachetools import LRUCache

from similarity.files import read_json, write_atomically
from similarity.paths import cache_folder

MOST_BYTES = 20_000_000  # of a file; ours have some kilobytes

# Results that were read last stay parsed for as long as their files stay the same: every search asks for some.
LATEST = 32
_latest: LRUCache[tuple[object, ...], object] = LRUCache(LATEST)
_lock = threading.Lock()

T = TypeVar("T")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StateCache:
    """Results for states of galleries, a file for each.

    Attributes:
        folder: the name of its folder in the cache.
        method: begins the names of files; another one whenever the same gallery would get another result.
        most_bytes: of a file.
    """

    folder: str
    method: str
    most_bytes: int

    def read(self, key: str, parse: Callable[[Any], T]) -> T | None:
        """The result for a key; None if there is none, or none that can be read.

        Args:
            parse: gives the result for its JSON, which nobody changes; raises ValueError if that is something else.
        """
        path = self.path(key)
        try:
            status = path.lstat()
            stamp = (path, status.st_ino, status.st_mtime_ns, status.st_size)
            with _lock:
                known = _latest.get((stamp, parse))
            if known is None:
                known = parse(read_json(path, self.most_bytes))
                with _lock:
                    _latest[stamp, parse] = known
            return cast(T, known)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            logger.warning("%s cannot be read: %s", path, error)
            return None

    def write(self, key: str, value: Any) -> None:
        """Write a result, whole or not at all; after a failure it is computed again the next time."""
        path = self.path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, json.dumps(value))
        except OSError as error:
            logger.warning("%s cannot be written: %s", path, error)

    def path(self, key: str) -> Path:
        """The file for a key."""
        return cache_folder() / self.folder / f"{self.method}-{hashlib.sha256(key.encode()).hexdigest()}.json"


def read_notes(file: str) -> dict[str, Any]:
    """Read the notes in a file of the cache, by key; a damaged or missing file counts as empty."""
    try:
        noted = read_json(cache_folder() / file, MOST_BYTES)
    except (OSError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


def write_note(file: str, key: str, value: Any) -> None:
    """Add or replace a note; the file is replaced as a whole. A failure is only logged."""
    path = cache_folder() / file
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(read_notes(file) | {key: value}))
    except OSError:
        logger.warning("%s could not be noted in %s", key, path)
