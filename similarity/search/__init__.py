"""Search for the most similar vectors: the `VectorIndex` contract, recipes of indexes, and the engines.

contract   the contract of every index    recipes    the choice of an index by the number of vectors
stores     the place of an index          engines    building and updating an index in its store
tuning     how many lists to visit        rescoring  exact scores of candidates
faiss      flat and scan, exact; inverted, approximate, for millions
milvus     collections on a server
"""

from similarity.search.contract import METRIC, Accuracy, Hit, Rows, Selection, VectorIndex, Where
from similarity.search.faiss.build import build_index, load_index, updated_index
from similarity.search.recipes import AUTO, Recipe, choose_recipe

__all__ = [
    "AUTO",
    "METRIC",
    "Accuracy",
    "Hit",
    "Recipe",
    "Rows",
    "Selection",
    "VectorIndex",
    "Where",
    "build_index",
    "choose_recipe",
    "load_index",
    "updated_index",
]
