"""Cached notes, in JSON files under SIMILARITY_HOME/cache; deleting them only costs time."""

import json
import logging
from typing import Any

from similarity.files import read_json, write_atomically
from similarity.paths import cache_folder

MOST_BYTES = 20_000_000  # of a file; ours have some kilobytes

logger = logging.getLogger(__name__)


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
