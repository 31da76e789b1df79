"""The ledger of collections that a gallery made in Milvus, so that unused ones can be dropped.

    photos/collections.json     a list of {"uri", "name", "gallery"}, written before a collection is made

A generation's manifest names its collection; a listed one that no manifest names belongs to an interrupted change, or
to a generation that is gone. The list may come from a stranger with the gallery, so a collection in it is dropped only
if it is the gallery's own, see `ownership.py`.
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
class LedgerEntry:
    """A collection that a gallery has made.

    Attributes:
        uri: the address of its Milvus.
        name: its name.
        gallery: the gallery's id that is stored in it; empty for collections of earlier versions.
    """

    uri: str
    name: str
    gallery: str = ""


def record_collection(directory: Path, store: Store, name: str) -> str:
    """Record a collection that is about to be made; returns the id of the gallery that it is to carry.

    Raises:
        OSError, StoreError: it cannot be recorded.
    """
    entries = read_ledger(directory)
    remember(store)
    identity = own_id(directory, [entry.gallery for entry in entries])
    write_ledger(directory, [*entries, LedgerEntry(store.uri, name, identity)])
    return identity


def read_ledger(directory: Path) -> list[LedgerEntry]:
    """Read the list; empty if it is missing or damaged."""
    try:
        read = read_json(directory / COLLECTIONS, MOST_BYTES)
        entries = [LedgerEntry(entry["uri"], entry["name"], entry.get("gallery", "")) for entry in read]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        logger.warning("The list of collections of %s cannot be read: %s", directory, error)
        return []
    return [entry for entry in entries if all(isinstance(word, str) for word in (entry.uri, entry.name, entry.gallery))]


def write_ledger(directory: Path, entries: list[LedgerEntry]) -> None:
    """Write the list atomically; an empty one deletes the file."""
    path = directory / COLLECTIONS
    if not entries:
        path.unlink(missing_ok=True)
        return
    write_atomically(path, json.dumps([asdict(entry) for entry in entries], indent=2) + "\n", durable=True)
