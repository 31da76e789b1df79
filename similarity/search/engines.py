"""The index of a generation, in whichever store it lies: made, gone on with after a change, read, and tidied up after.

    index.faiss      in the generation's folder: all of it
    keys.npy         in the generation's folder: which vectors of a collection in Milvus are its own

What is for Milvus is imported only where a gallery is in one.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

from similarity.errors import StoreError
from similarity.paths import INDEX, KEYS
from similarity.progress import OnProgress
from similarity.search import VectorIndex, build_index, updated_index
from similarity.search.milvus.conditions import _retagged
from similarity.search.stores import Before, Indexed, Store, choose_store
from similarity.vectors.memmap import StoredVectors

FILES = {"faiss": INDEX, "milvus": KEYS}

logger = logging.getLogger(__name__)


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
        from similarity.search.milvus.index_types import index_type

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


def verify_index(index: VectorIndex) -> None:
    """See to it that what an index has outside of its file is there; raises StoreError."""
    if isinstance(index, Remote):
        index.verify()
