"""From a recipe to the index that it makes, and from a file to the index that lies in it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from similarity.progress import OnProgress
from similarity.search.contract import Rows, VectorIndex
from similarity.search.faiss.flat import FlatIndex
from similarity.search.faiss.inverted import InvertedIndex
from similarity.search.faiss.scan import ScanIndex
from similarity.search.recipes import FLAT, SCAN
from similarity.vectors.memmap import StoredVectors


def build_index(recipe: str, vectors: StoredVectors, progress: OnProgress | None = None) -> VectorIndex:
    """Make an index of all embeddings of a file.

    Args:
        recipe: the name of a `Recipe`.

    Raises:
        SearchError: it makes no sense for so many vectors.
    """
    if recipe == FLAT:
        return FlatIndex.build(vectors, progress)
    if recipe == SCAN:
        return ScanIndex.build(vectors, progress)
    return InvertedIndex.build(recipe, vectors, progress)


def updated_index(
    before: VectorIndex, recipe: str, vectors: StoredVectors, origins: Rows, progress: OnProgress | None = None
) -> VectorIndex:
    """The index of a gallery after a change: an approximate one is changed, the others are made anew in a moment.

    Args:
        before: the index before the change, which stays as it is, made by the same recipe.
        origins: for each embedding the row that it had before, or -1.
    """
    if isinstance(before, InvertedIndex):
        return before.updated(vectors, origins, progress)
    return build_index(recipe, vectors, progress)


def load_index(recipe: str, path: Path, facts: Mapping[str, Any], vectors: StoredVectors) -> VectorIndex:
    """Read an index; raises OSError, ValueError, LookupError or TypeError if it is none, or not of these embeddings.

    Args:
        facts: what the index said when it was saved.
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
