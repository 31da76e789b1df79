"""Building an index by a recipe, and loading one from a file."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from similarity.progress import OnProgress
from similarity.search.contract import Rows, VectorIndex
from similarity.search.faiss.flat import FlatIndex
from similarity.search.faiss.inverted import InvertedIndex
from similarity.search.faiss.scan import ScanIndex
from similarity.search.faiss.training import Lists
from similarity.search.recipes import FLAT, SCAN
from similarity.threads import need_threads
from similarity.vectors.memmap import StoredVectors

Builder = Callable[[StoredVectors, OnProgress | None], VectorIndex]


def builder_of(recipe: str, trained: Lists | None = None) -> Builder:
    """The function that builds an index by a recipe; see `build_index`. Raises ForkError as `validate_queries`.

    Args:
        trained: inverted lists that were trained before.
    """
    need_threads()
    exact: dict[str, Builder] = {FLAT: FlatIndex.build, SCAN: ScanIndex.build}
    return exact.get(recipe) or partial(InvertedIndex.build, recipe, trained=trained)


def build_index(recipe: str, vectors: StoredVectors, progress: OnProgress | None = None) -> VectorIndex:
    """Build an index of all embeddings of a file.

    Args:
        recipe: the name of a `Recipe`.

    Raises:
        SearchError: the recipe does not suit the number of vectors.
    """
    return builder_of(recipe)(vectors, progress)


def updated_index(
    before: VectorIndex, recipe: str, vectors: StoredVectors, origins: Rows, progress: OnProgress | None = None
) -> VectorIndex:
    """Return the index after a change: an approximate one is updated, an exact one is rebuilt, which is fast.

    Args:
        before: the index before the change, by the same recipe; it is not changed.
        origins: for each embedding its row before the change, or -1.
    """
    if isinstance(before, InvertedIndex):
        return before.updated(vectors, origins, progress)
    return build_index(recipe, vectors, progress)


def load_index(recipe: str, path: Path, facts: Mapping[str, Any], vectors: StoredVectors) -> VectorIndex:
    """Load an index; raises OSError, ValueError, LookupError or TypeError if it is damaged or of other embeddings.

    Args:
        facts: the `facts` of the index when it was saved.
    """
    if recipe == FLAT:
        index: VectorIndex = FlatIndex.load(path, (len(vectors), vectors.dim))
    elif recipe == SCAN:
        index = ScanIndex.load(path, facts, vectors)
    else:
        index = InvertedIndex.load(path, facts, vectors)
    if (len(index), index.dim) != vectors.shape:
        raise ValueError("an index of other embeddings")
    return index
