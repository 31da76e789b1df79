"""Which collections a gallery has made in a Milvus, so that none is left behind when it is not needed any more.

    photos/collections.json     a list of {"uri", "name"}, written before a collection is made

A generation's manifest names the collection that it is in; one that is noted and in no manifest is of a change that was
interrupted, or of a generation that is gone.
"""

import json
import logging
from collections.abc import Collection as Some
from contextlib import suppress
from pathlib import Path

from similarity.current import confirm
from similarity.errors import StoreError
from similarity.json_files import read_json
from similarity.milvus.collection import Collection
from similarity.stores import COLLECTIONS, Store

MOST_BYTES = 1_000_000  # of the list

logger = logging.getLogger(__name__)

Noted = tuple[str, str]


def note(directory: Path, store: Store, name: str) -> None:
    """Note a collection that is about to be made; raises OSError."""
    _write(directory, [*_noted(directory), (store.uri, name)])


def drop_unused(directory: Path, used: Some[Noted]) -> None:
    """Drop the collections that a gallery has made and does not use; it never fails, since it is tried again.

    Args:
        used: address and name of each that it uses.
    """
    left = []
    for uri, name in _noted(directory):
        try:
            if (uri, name) not in used:
                Collection(Store("milvus", uri), name).drop()
                continue
        except StoreError as error:
            logger.warning("The collection %s of %s could not be dropped: %s", name, directory, error)
        left.append((uri, name))
    with suppress(OSError):
        _write(directory, left)


def _noted(directory: Path) -> list[Noted]:
    try:
        noted = [(one["uri"], one["name"]) for one in read_json(directory / COLLECTIONS, MOST_BYTES)]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, LookupError, TypeError) as error:
        logger.warning("Which collections %s has made cannot be read: %s", directory, error)
        return []
    return [one for one in noted if all(isinstance(word, str) for word in one)]


def _write(directory: Path, noted: list[Noted]) -> None:
    """Whole or not at all; without any, there is no file."""
    path = directory / COLLECTIONS
    if not noted:
        path.unlink(missing_ok=True)
        return
    new = path.with_name(f"{COLLECTIONS}.new")
    new.write_text(json.dumps([{"uri": uri, "name": name} for uri, name in noted], indent=2) + "\n")
    confirm(new)
    new.replace(path)
