"""Several indexes with inverted lists as one: each core visits those of its share, and the best are rescored together.

The distances of codes are those of each index, whose components were trained on its own vectors: nearly the same, so
more of them are rescored than of one index.
"""

from collections.abc import Sequence
from operator import itemgetter

import numpy as np

from similarity.search.accuracy import Accuracy
from similarity.search.contract import Rows
from similarity.search.faiss.inverted import InvertedIndex
from similarity.search.faiss.stacked_reading import StackedReading
from similarity.search.faiss_library import cores, in_one_thread, scanning
from similarity.search.rescoring import rescore
from similarity.search.tuning import SHORTLIST
from similarity.vectors.arrays import Vectors

# How many times as many candidates are rescored as of one index.
MORE = 2


class StackedLists:
    """Searches all vectors of several indexes, numbered one after the other. Safe to share between threads."""

    def __init__(self, indexes: Sequence[InvertedIndex]) -> None:
        """Stack indexes of vectors of one length."""
        self._vectors, numbers = StackedReading(indexes), range(len(indexes))
        self._shares = [[(number, indexes[number]) for number in numbers[core :: cores()]] for core in range(cores())]

    def search(self, queries: Vectors, k: int, *, accuracy: Accuracy = "balanced") -> tuple[Vectors, Rows]:
        """See `VectorIndex.search`; with fewer columns where fewer candidates are found.

        Args:
            queries: checked, see `validate_queries`.
        """
        tasks = [scanning().submit(_visit_share, share, queries, k, accuracy) for share in self._shares if share]
        found = sorted((one for task in tasks for one in task.result()), key=itemgetter(0))
        wanted, results = MORE * max(SHORTLIST[accuracy], 2 * k), []
        with in_one_thread():
            for place, query in enumerate(queries):
                results.append(
                    rescore(self._vectors, query, self._nearest([one[place] for _, one in found], wanted), k)
                )
        count = min(len(rows) for _, rows in results)
        scores, rows = zip(*((scores[:count], rows[:count]) for scores, rows in results), strict=True)
        return np.array(scores, np.float32), np.array(rows, np.int64)

    def _nearest(self, candidates: Sequence[tuple[Vectors, Rows]], wanted: int) -> Rows:
        """Return the rows of the nearest by their codes of all indexes."""
        distances = np.concatenate([distances for distances, _ in candidates])
        firsts = self._vectors.firsts.tolist()
        rows = np.concatenate([rows + first for (_, rows), first in zip(candidates, firsts, strict=True)])
        return rows[np.argsort(distances, kind="stable")[:wanted]]


def _visit_share(
    share: Sequence[tuple[int, InvertedIndex]], queries: Vectors, k: int, accuracy: Accuracy
) -> list[tuple[int, list[tuple[Vectors, Rows]]]]:
    return [(number, index.visit_here(queries, k, accuracy)) for number, index in share]
