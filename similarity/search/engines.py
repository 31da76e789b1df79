"""The index of a generation, in whichever store it lies: made, gone on with after a change, read, and tidied up after.

    index.faiss      in the generation's folder: all of it
    keys.npy         in the generation's folder: which vectors of a collection in Milvus are its own

What is for Milvus is imported only where a gallery is in one.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from similarity.errors import GalleryError, StoreError
from similarity.progress import OnProgress
from similarity.search import Rows, VectorIndex, build_index, load_index, updated_index
from similarity.search.stores import COLLECTIONS, Indexed, Store, choose_store
from similarity.sources import Item
from similarity.storage.items import CHUNK, items_at
from similarity.storage.layout import INDEX, KEYS
from similarity.storage.manifest import Manifest, read_manifest
from similarity.vectors.memmap import StoredVectors
from similarity.vectors.npy_files import read_array

FILES = {"faiss": INDEX, "milvus": KEYS}

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Before:
    """What an index goes on from after a change.

    Attributes:
        index, vectors, items: of the generation that was changed.
        origins: for each item of the new one the row that it had there, or -1.
    """

    index: VectorIndex
    vectors: StoredVectors
    items: Sequence[Item]
    origins: Rows


@runtime_checkable
class Remote(Protocol):
    """An index that has more than its file."""

    def verify(self) -> None:
        """See to it that the rest is there; raises StoreError."""


def check_store(store: Store, recipe: str = "", *, is_given: bool = False) -> None:
    """See to it that an index can be made there, before anything else is done for it.

    Args:
        recipe: of the index, if it is known yet.
        is_given: whether somebody here has named it, and not only the gallery that is in it.

    Raises:
        SearchError: there is no counterpart of the recipe. StoreError: it cannot be reached, or nobody here named it.
    """
    if store.kind == "milvus":
        from similarity.search.milvus.addresses import give
        from similarity.search.milvus.collection import reach
        from similarity.search.milvus.index import index_type

        if recipe:
            index_type(recipe)
        if is_given:
            give(store)
        reach(store)


@contextmanager
def giving(store: Store, uri: str | None) -> Iterator[None]:
    """Take the address of a gallery's store for given, and remember it if what is within goes well.

    Args:
        uri: the address, as somebody who knows it has named it; without one this does nothing.

    Raises:
        StoreError: it is not the address of the store.
    """
    if uri is None:
        yield
        return
    named = choose_store("milvus", uri)
    from similarity.search.milvus.addresses import give, normalised, remember

    if store.kind != "milvus" or normalised(named.uri) != normalised(store.uri):
        raise StoreError(f"{uri} is not where the gallery is searched, which is {store.title}: give its own address.")
    give(named)
    yield
    remember(named)


def make_index(
    store: Store,
    recipe: str,
    vectors: StoredVectors,
    of: Indexed,
    *,
    before: Before | None = None,
    progress: OnProgress | None = None,
) -> VectorIndex:
    """Make an index of all embeddings of a file, or go on with one by the same recipe in the same store.

    Raises:
        SearchError: the recipe makes no sense for so many vectors. StoreError: the store cannot be used.
    """
    if store.kind == "faiss":
        if before:
            return updated_index(before.index, recipe, vectors, before.origins, progress)
        return build_index(recipe, vectors, progress)
    from similarity.search.milvus.index import MilvusIndex

    goes_on = before and before.vectors.are_compared_as(vectors)
    if before and goes_on and isinstance(before.index, MilvusIndex) and before.index.is_own(of.directory):
        return before.index.updated(recipe, vectors, of, _retagged(before, of.items), progress)
    return MilvusIndex.build(store, recipe, vectors, of, progress)


def read_index(folder: Path, manifest: Manifest, vectors: StoredVectors) -> VectorIndex:
    """The index in a generation's folder; raises OSError, ValueError, LookupError, TypeError or SearchError."""
    path = folder / FILES[manifest.store.kind]
    if manifest.store.kind == "faiss":
        return load_index(manifest.recipe, path, manifest.search, vectors)
    from similarity.search.milvus.index import MilvusIndex

    return MilvusIndex.load(manifest.store, manifest.recipe, path, manifest.search, vectors)


def verify_index(index: VectorIndex) -> None:
    """See to it that what an index has outside of its file is there; raises StoreError."""
    if isinstance(index, Remote):
        index.verify()


def forget_vectors(folder: Path, there: Iterable[Path]) -> bool:
    """Take the vectors of a generation out of its collection, but for those that others have too.

    Args:
        folder: of the generation, which is about to go.
        there: the folders of all generations, also of those that only a reader holds.

    Returns:
        Whether that is done, so that the folder may go.
    """
    try:
        manifest = read_manifest(folder)[0]
    except GalleryError:
        return True  # what it had sent, if anything, is passed over by all searches
    if manifest.store.kind == "faiss":
        return True
    try:
        mine = _collection(folder)
        others = [other for other in there if other != folder and _collection(other) == mine]
        if not others:  # all of the collection goes
            return True
        from similarity.search.milvus.ownership import own_collection

        keys = np.setdiff1d(_keys(folder), np.concatenate([_keys(other) for other in others]))
        if collection := own_collection(folder.parents[1], manifest):
            collection.delete_keys(keys)
    except (GalleryError, OSError, ValueError, LookupError) as error:
        logger.warning("What only %s has in its collection could not be taken out: %s", folder, error)
        return False
    return True


def drop_collections(directory: Path, folders: Iterable[Path]) -> None:
    """Drop what a gallery has made in Milvus and does not use any more; it never fails.

    Args:
        folders: its generations.
    """
    if (directory / COLLECTIONS).exists():
        from similarity.search.milvus.ledger import drop_unused

        try:
            drop_unused(directory, {used for folder in folders if (used := _collection(folder))})
        except GalleryError as error:  # a generation that cannot be read may still need one
            logger.warning("The collections of %s were left as they are: %s", directory, error)


def _retagged(before: Before, items: Sequence[Item]) -> Rows:
    """Origins without those whose labels or metadata are others now: these are put in anew."""
    from similarity.search.milvus.conditions import tags

    origins = before.origins.copy()
    stay = np.flatnonzero(origins >= 0)
    for start in range(0, len(stay), CHUNK):
        rows = stay[start : start + CHUNK]
        then, now = items_at(before.items, origins[rows].tolist()), items_at(items, rows.tolist())
        others = [tags(one) != tags(other) for one, other in zip(then, now, strict=True)]
        origins[rows[others]] = -1
    return origins


def _collection(folder: Path) -> tuple[str, str] | None:
    """Address and name of the collection that a generation is in; raises GalleryError if that cannot be told."""
    manifest = read_manifest(folder)[0]
    return (manifest.store.uri, str(manifest.search["collection"])) if manifest.store.kind == "milvus" else None


def _keys(folder: Path) -> Rows:
    return read_array(folder / FILES["milvus"], (read_manifest(folder)[0].count,), np.int64)
