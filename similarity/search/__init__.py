"""Vectors to the most similar rows: the `VectorIndex` contract, its FAISS indexes, and the recipes to make them.

contract   what every index does          recipes    which one for how many vectors
flat       the reference, exact           scan       exact, in 8 bits
inverted   approximate, for millions      training, tuning, selected    its parts
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
