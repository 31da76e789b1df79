"""The index of a generation in either store: built, updated after a change, and verified.

    index.faiss      in the generation's folder: all of it
    keys.npy         in the generation's folder: which vectors of a collection in Milvus are its own

The code for Milvus is imported only for galleries that are in one.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

from similarity.errors import StoreError
from similarity.paths import INDEX, KEYS
from similarity.progress import OnProgress
from similarity.search import VectorIndex
from similarity.search.faiss.build import builder_of, updated_index
from similarity.search.faiss.training import Lists
from similarity.search.milvus.conditions import drop_retagged
from similarity.search.stores import Before, Indexed, Store, choose_store
from similarity.vectors.memmap import StoredVectors

FILES = {"faiss": INDEX, "milvus": KEYS}

logger = logging.getLogger(__name__)


@runtime_checkable
class Remote(Protocol):
    """An index that has data outside of its file."""

    def verify(self) -> None:
        """Check that this data is there; raises StoreError."""


def check_store(store: Store, recipe: str = "", *, is_given: bool = False) -> None:
    """Check that a store can hold an index, before any other work is done.

    Args:
        recipe: recipe of the index, if it is known.
        is_given: whether a person named the store here, and not only a gallery.

    Raises:
        SearchError: the store does not have this kind of index. StoreError: the store cannot be reached, or only a
            gallery named it.
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
    """Trust the address of a gallery's store, and remember it if the block within succeeds.

    Args:
        uri: the address as a person gave it; without one this does nothing.

    Raises:
        StoreError: it is not the address of the store.
    """
    if uri is None:
        yield
        return
    named = choose_store("milvus", uri)
    from similarity.search.milvus.addresses import give, normalise_address, remember

    if store.kind != "milvus" or normalise_address(named.uri) != normalise_address(store.uri):
        raise StoreError(
            f"{uri} is not the address of the gallery's store, which is {store.title}: give its own address."
        )
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
    trained: Lists | None = None,
    progress: OnProgress | None = None,
) -> VectorIndex:
    """Build an index of all embeddings of a file, or update one by the same recipe in the same store.

    Args:
        trained: inverted lists that were trained before, for a shard of a set.

    Raises:
        SearchError: the recipe does not suit the number of vectors. StoreError: the store cannot be used.
    """
    if store.kind == "faiss":
        if before:
            return updated_index(before.index, recipe, vectors, before.origins, progress)
        return builder_of(recipe, trained)(vectors, progress)
    from similarity.search.milvus.index import MilvusIndex

    is_comparable = before and (before.are_traced or before.vectors.are_compared_as(vectors))
    if before and is_comparable and isinstance(before.index, MilvusIndex) and before.index.is_own(of.directory):
        return before.index.updated(recipe, vectors, of, drop_retagged(before, of.items), progress)
    return MilvusIndex.build(store, recipe, vectors, of, progress)


def verify_index(index: VectorIndex) -> None:
    """Check the data that an index has outside of its file; raises StoreError."""
    if isinstance(index, Remote):
        index.verify()
