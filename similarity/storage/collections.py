"""The collections in Milvus that a gallery has made: which are its own, and dropping what it does not use any more."""

import logging
import re
from collections.abc import Collection as Some
from contextlib import suppress
from pathlib import Path

from similarity.errors import CollectionError, GalleryError, StoreError
from similarity.paths import GENERATIONS, galleries_folder
from similarity.search.milvus.collection import Collection
from similarity.search.milvus.installation import forget_galleries, owns
from similarity.search.milvus.ledger import Noted, read_noted, write_noted
from similarity.search.milvus.ownership import name_stem
from similarity.search.stores import Store
from similarity.storage.manifest import Manifest, read_manifest

logger = logging.getLogger(__name__)


def drop_own(directory: Path, store: Store, name: str, identity: str) -> bool:
    """Drop a collection if it is the gallery's own.

    Args:
        identity: that was noted with it; nothing by earlier versions.

    Returns:
        Whether it is gone.

    Raises:
        StoreError: Milvus cannot be asked.
    """
    if identity and not owns(directory, identity):
        return False
    if not (identity or _is_named_after(directory, name)):
        return False
    collection = Collection(store, name, gallery=identity)
    try:
        if collection.carried() != identity:
            logger.warning("The collection %s is not of %s, and is left as it is.", name, directory)
            return False
    except CollectionError:
        return True
    collection.drop()
    return True


def own_collection(directory: Path, manifest: Manifest) -> Collection | None:
    """The collection of one of the gallery's generations, if it may be changed; raises StoreError, LookupError."""
    identity = str(manifest.search.get("gallery", ""))
    if not (identity and owns(directory, identity)):
        return None
    collection = Collection(manifest.store, str(manifest.search["collection"]), gallery=identity)
    return collection if collection.carried() == identity else None


def _is_named_after(directory: Path, name: str) -> bool:
    """Whether a collection without an id is surely that of the gallery in a folder."""
    if not re.fullmatch(re.escape(name_stem(directory)) + "[0-9a-f]{12}", name):
        return False
    others = (path for path in galleries_folder().glob("*") if path.is_dir() and not path.samefile(directory))
    return not any(_is_in(path, name) for path in others)


def _is_in(directory: Path, name: str) -> bool:
    """Whether a gallery is in a collection, or may be: nobody can tell of one that is damaged."""
    try:
        return any(
            read_manifest(folder)[0].search.get("collection") == name
            for folder in (directory / GENERATIONS).glob("[0-9]*")
        )
    except GalleryError:
        return True


def drop_unused(directory: Path, used: Some[tuple[str, str]]) -> None:
    """Drop the collections that a gallery has made and does not use; it never fails, since it is tried again.

    Args:
        used: address and name of each that it uses.
    """
    noted = read_noted(directory)
    left = [one for one in noted if (one.uri, one.name) in used or not _is_dropped(directory, one)]
    with suppress(OSError):
        write_noted(directory, left)
    with suppress(StoreError):
        gone = {one.gallery for one in noted} - {one.gallery for one in left}
        forget_galleries(identity for identity in gone if owns(directory, identity))


def _is_dropped(directory: Path, one: Noted) -> bool:
    try:
        return drop_own(directory, Store("milvus", one.uri), one.name, one.gallery)
    except (StoreError, OSError) as error:
        logger.warning("The collection %s of %s could not be dropped: %s", one.name, directory, error)
        return False
