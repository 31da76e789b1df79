"""Which collections a gallery has made in a Milvus, so that none is left behind when it is not needed any more.

    photos/collections.json     a list of {"uri", "name", "gallery"}, written before a collection is made

A generation's manifest names the collection that it is in; one that is noted and in no manifest is of a change that was
interrupted, or of a generation that is gone. The list may come from a stranger with the gallery, so what it names is
dropped only if it is the gallery's own, see `ownership.py`.
"""

import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

from similarity.files import read_json, write_atomically
from similarity.search.milvus.addresses import remember
from similarity.search.milvus.ownership import own_id
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
    noted = read_noted(directory)
    remember(store)
    identity = own_id(directory, [one.gallery for one in noted])
    write_noted(directory, [*noted, Noted(store.uri, name, identity)])
    return identity


def read_noted(directory: Path) -> list[Noted]:
    try:
        read = read_json(directory / COLLECTIONS, MOST_BYTES)
        noted = [Noted(one["uri"], one["name"], one.get("gallery", "")) for one in read]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        logger.warning("Which collections %s has made cannot be read: %s", directory, error)
        return []
    return [one for one in noted if all(isinstance(word, str) for word in (one.uri, one.name, one.gallery))]


def write_noted(directory: Path, noted: list[Noted]) -> None:
    """Whole or not at all; without any, there is no file."""
    path = directory / COLLECTIONS
    if not noted:
        path.unlink(missing_ok=True)
        return
    write_atomically(path, json.dumps([asdict(one) for one in noted], indent=2) + "\n", durable=True)
