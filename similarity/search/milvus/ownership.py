"""Which collections of a Milvus are a gallery's own, so that it may change and drop them.

A collection carries the id of its gallery. Whoever has read a gallery's files knows its id, and can put it into
another's: so it counts only in the folder that it was made for here, see `installation.owns`. The id is noted in that
folder with each collection, see `notes.py`.

Collections of earlier versions carry none. They are searched, and the next change of their gallery makes a new one. The
old one is then dropped only if it is named after the gallery's folder and no other gallery here is in it.
"""

import logging
import re
import secrets
import uuid
from collections.abc import Iterable
from pathlib import Path

from similarity.errors import CollectionError, GalleryError
from similarity.paths import galleries_folder
from similarity.search.milvus.collection import Collection
from similarity.search.milvus.installation import owns, remember_gallery
from similarity.search.stores import Store
from similarity.storage.layout import GENERATIONS
from similarity.storage.manifest import Manifest, read_manifest

logger = logging.getLogger(__name__)


def new_name(directory: Path) -> str:
    """For a new collection; others may have a gallery of the same name in the same Milvus."""
    return f"{_stem(directory)}{secrets.token_hex(6)}"


def own_id(directory: Path, noted: Iterable[str]) -> str:
    """The id of the gallery in a folder: one of those noted there, if it was given to it, or a new one.

    Raises:
        StoreError: it cannot be kept outside of the gallery.
    """
    for identity in noted:
        if identity and owns(directory, identity):
            return identity
    identity = uuid.uuid4().hex
    remember_gallery(identity, directory)
    return identity


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
    if not re.fullmatch(re.escape(_stem(directory)) + "[0-9a-f]{12}", name):
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


def _stem(directory: Path) -> str:
    return f"similarity_{re.sub(r'[^0-9A-Za-z]+', '_', directory.name)[:100]}_"
