"""Search for the most similar vectors: the `VectorIndex` contract, recipes of indexes, and the engines.

contract   the contract of every index    recipes    the choice of an index by the number of vectors
stores     the place of an index          engines    building and updating an index in its store
tuning     how many lists to visit        rescoring  exact scores of candidates
neighbours the nearest of every picture of a large gallery
faiss      flat and scan, exact; inverted, approximate, for millions
milvus     collections on a server
"""

from typing import TYPE_CHECKING

from similarity.lazy import public_names

if TYPE_CHECKING:
    from similarity.search.accuracy import Accuracy, Where
    from similarity.search.contract import METRIC, Hit, Rows, Selection, VectorIndex
    from similarity.search.faiss.build import build_index, load_index, updated_index
    from similarity.search.recipes import AUTO, Recipe, choose_recipe
else:
    __getattr__, __dir__ = public_names(
        __name__,
        {
            "AUTO": "similarity.search.recipes",
            "METRIC": "similarity.search.contract",
            "Accuracy": "similarity.search.accuracy",
            "Hit": "similarity.search.contract",
            "Recipe": "similarity.search.recipes",
            "Rows": "similarity.search.contract",
            "Selection": "similarity.search.contract",
            "VectorIndex": "similarity.search.contract",
            "Where": "similarity.search.accuracy",
            "build_index": "similarity.search.faiss.build",
            "choose_recipe": "similarity.search.recipes",
            "load_index": "similarity.search.faiss.build",
            "updated_index": "similarity.search.faiss.build",
        },
    )

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
