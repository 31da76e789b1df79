"""Which collections a gallery has made in a Milvus, so that none is left behind when it is not needed any more.

    photos/collections.json     a list of {"uri", "name", "gallery"}, written before a collection is made

A generation's manifest names the collection that it is in; one that is noted and in no manifest is of a change that was
interrupted, or of a generation that is gone. The list may come from a stranger with the gallery, so what it names is
dropped only if it is the gallery's own, see `ownership.py`.
"""

import json
import logging
from collections.abc import Collection as Some
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from similarity.errors import StoreError
from similarity.files import confirm
from similarity.json_files import read_json
from similarity.search.milvus.addresses import remember
from similarity.search.milvus.installation import forget_galleries, owns
from similarity.search.milvus.ownership import drop_own, own_id
from similarity.search.stores import COLLECTIONS, Store

MOST_BYTES = 1_000_000  # of the list

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Noted:
    """A collection that a gallery has made.

    Attributes:
        uri: of the Milvus that it is in.
        gallery: the id that it carries; nothing by earlier versions.
    """

    uri: str
    name: str
    gallery: str = ""


def note(directory: Path, store: Store, name: str) -> str:
    """Note a collection that is about to be made; returns the id of the gallery that it is to carry.

    Raises:
        OSError, StoreError: it cannot be noted.
    """
    noted = _noted(directory)
    remember(store)
    identity = own_id(directory, [one.gallery for one in noted])
    _write(directory, [*noted, Noted(store.uri, name, identity)])
    return identity


def drop_unused(directory: Path, used: Some[tuple[str, str]]) -> None:
    """Drop the collections that a gallery has made and does not use; it never fails, since it is tried again.

    Args:
        used: address and name of each that it uses.
    """
    noted = _noted(directory)
    left = [one for one in noted if (one.uri, one.name) in used or not _is_dropped(directory, one)]
    with suppress(OSError):
        _write(directory, left)
    with suppress(StoreError):
        gone = {one.gallery for one in noted} - {one.gallery for one in left}
        forget_galleries(identity for identity in gone if owns(directory, identity))


def _is_dropped(directory: Path, one: Noted) -> bool:
    try:
        return drop_own(directory, Store("milvus", one.uri), one.name, one.gallery)
    except (StoreError, OSError) as error:
        logger.warning("The collection %s of %s could not be dropped: %s", one.name, directory, error)
        return False


def _noted(directory: Path) -> list[Noted]:
    try:
        read = read_json(directory / COLLECTIONS, MOST_BYTES)
        noted = [Noted(one["uri"], one["name"], one.get("gallery", "")) for one in read]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        logger.warning("Which collections %s has made cannot be read: %s", directory, error)
        return []
    return [one for one in noted if all(isinstance(word, str) for word in (one.uri, one.name, one.gallery))]


def _write(directory: Path, noted: list[Noted]) -> None:
    """Whole or not at all; without any, there is no file."""
    path = directory / COLLECTIONS
    if not noted:
        path.unlink(missing_ok=True)
        return
    new = path.with_name(f"{COLLECTIONS}.new")
    new.write_text(json.dumps([asdict(one) for one in noted], indent=2) + "\n")
    confirm(new)
    new.replace(path)
