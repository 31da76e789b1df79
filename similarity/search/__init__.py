"""Vectors to the most similar rows: the `VectorIndex` contract, its FAISS indexes, and the recipes to make them.

contract   what every index does          recipes    which one for how many vectors
flat       the reference, exact           scan       exact, in 8 bits
inverted   approximate, for millions      training, tuning, selected    its parts
"""

from typing import TYPE_CHECKING

from similarity.lazy import public_names

if TYPE_CHECKING:
    from similarity.search.accuracy import Accuracy
    from similarity.search.contract import METRIC, Hit, Rows, Selection, VectorIndex, Where
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
            "Where": "similarity.search.contract",
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
