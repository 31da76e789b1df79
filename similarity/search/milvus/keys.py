"""Keys of vectors in a collection: the generation that added a vector, and its number there. They are never reused."""

import numpy as np

from similarity.search import Rows

# Bits of a key that count the vectors of one generation.
NUMBER = 32


def first_key(generation: int) -> int:
    """The lowest key of a generation."""
    return generation << NUMBER


def new_keys(generation: int, count: int) -> Rows:
    """Keys for the vectors that a generation adds, int64 (count,)."""
    return first_key(generation) + np.arange(count, dtype=np.int64)


def order_of(keys: Rows) -> Rows | None:
    """The order that sorts keys; None if they are sorted."""
    return None if (np.diff(keys) > 0).all() else np.argsort(keys)


def rows_of(keys: Rows, own: Rows, order: Rows | None) -> Rows:
    """The rows of keys among an index's own ones, without keys of other generations.

    Args:
        own: the keys of the index, int64 (n,).
        order: see `order_of`.
    """
    places = np.minimum(np.searchsorted(own, keys, sorter=order), len(own) - 1)
    rows = places if order is None else order[places]
    return np.asarray(rows[own[rows] == keys], np.int64)
