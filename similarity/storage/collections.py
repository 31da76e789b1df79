"""The collections in Milvus that a gallery made: checking ownership, and dropping unused ones."""

import logging
import re
from collections.abc import Set as AbstractSet
from contextlib import suppress
from pathlib import Path

from similarity.errors import CollectionError, GalleryError, StoreError
from similarity.paths import GENERATIONS, galleries_folder
from similarity.search.milvus.collection import Collection
from similarity.search.milvus.installation import forget_galleries, owns
from similarity.search.milvus.ledger import LedgerEntry, read_ledger, write_ledger
from similarity.search.milvus.ownership import name_stem
from similarity.search.stores import Store
from similarity.storage.manifest import Manifest, read_manifest

logger = logging.getLogger(__name__)


def drop_own(directory: Path, store: Store, name: str, identity: str) -> bool:
    """Drop a collection if it is the gallery's own.

    Args:
        identity: the gallery's id in the ledger; earlier versions wrote none.

    Returns:
        Whether it does not exist any more.

    Raises:
        StoreError: Milvus cannot be used.
    """
    if identity and not owns(directory, identity):
        return False
    if not (identity or _is_named_after(directory, name)):
        return False
    collection = Collection(store, name, gallery=identity)
    try:
        if collection.gallery_id() != identity:
            logger.warning("The collection %s is not of %s, and is left as it is.", name, directory)
            return False
    except CollectionError:
        return True
    collection.drop()
    return True


def own_collection(directory: Path, manifest: Manifest) -> Collection | None:
    """Return the collection of a generation if it is the gallery's own; raises StoreError, LookupError."""
    identity = str(manifest.search.get("gallery", ""))
    if not (identity and owns(directory, identity)):
        return None
    collection = Collection(manifest.store, str(manifest.search["collection"]), gallery=identity)
    return collection if collection.gallery_id() == identity else None


def _is_named_after(directory: Path, name: str) -> bool:
    """Whether a collection without an id can only be that of the gallery in a folder."""
    if not re.fullmatch(re.escape(name_stem(directory)) + "[0-9a-f]{12}", name):
        return False
    others = (path for path in galleries_folder().glob("*") if path.is_dir() and not path.samefile(directory))
    return not any(_is_in(path, name) for path in others)


def _is_in(directory: Path, name: str) -> bool:
    """Whether a gallery uses a collection, or may do so because it is damaged."""
    try:
        return any(
            read_manifest(folder)[0].search.get("collection") == name
            for folder in (directory / GENERATIONS).glob("[0-9]*")
        )
    except GalleryError:
        return True


def drop_unused(directory: Path, used: AbstractSet[tuple[str, str]]) -> None:
    """Drop the collections that a gallery made and does not use. It never fails: the rest is dropped the next time.

    Args:
        used: address and name of each collection that it uses.
    """
    recorded = read_ledger(directory)
    left = [entry for entry in recorded if (entry.uri, entry.name) in used or not _drop(directory, entry)]
    with suppress(OSError):
        write_ledger(directory, left)
    with suppress(StoreError):
        gone = {entry.gallery for entry in recorded} - {entry.gallery for entry in left}
        forget_galleries(identity for identity in gone if owns(directory, identity))


def _drop(directory: Path, entry: LedgerEntry) -> bool:
    """Drop a collection; returns whether it does not exist any more."""
    try:
        return drop_own(directory, Store("milvus", entry.uri), entry.name, entry.gallery)
    except (StoreError, OSError) as error:
        logger.warning("The collection %s of %s could not be dropped: %s", entry.name, directory, error)
        return False
