"""Several fast exact indexes as one: each core scans its share of them, and the best of all are rescored together.

Asked one after the other, each would rescore as many candidates as all need together.
"""

from collections.abc import Sequence
from operator import itemgetter

import numpy as np

from similarity.search.accuracy import Accuracy
from similarity.search.contract import Rows
from similarity.search.faiss.batching import Batcher
from similarity.search.faiss.coded import Scanned
from similarity.search.faiss.scan import ScanIndex, finish
from similarity.search.faiss.stacked_reading import StackedReading
from similarity.search.faiss_library import cores, in_one_thread, scanning
from similarity.vectors.arrays import Vectors


class StackedScan:
    """Searches all vectors of several indexes, numbered one after the other. Safe to share between threads."""

    def __init__(self, indexes: Sequence[ScanIndex]) -> None:
        """Stack indexes of vectors of one length."""
        self._vectors = StackedReading(indexes)
        numbers = range(len(indexes))
        self._shares = [[(number, indexes[number]) for number in numbers[core :: cores()]] for core in range(cores())]
        self._together: Batcher[list[Scanned]] = Batcher()

    def search(self, queries: Vectors, k: int, *, accuracy: Accuracy = "balanced") -> tuple[Vectors, Rows]:  # noqa: ARG002
        """See `VectorIndex.search`.

        Args:
            queries: checked, see `validate_queries`.
            k: up to the number of vectors.
        """
        alone = len(queries) == 1
        scans = [self._together(queries, k, self._scan)] if alone else self._scan(queries, k)
        firsts = self._vectors.firsts.tolist()
        with in_one_thread():
            results = [
                finish(self._vectors, query, k, list(zip(one, firsts, strict=True)))
                for query, one in zip(queries, scans, strict=True)
            ]
        scores, rows = zip(*results, strict=True)
        return np.array(scores, np.float32), np.array(rows, np.int64)

    def _scan(self, queries: Vectors, k: int) -> list[list[Scanned]]:
        """Return for each query what the scan of each index has found, in their order."""
        tasks = [scanning().submit(_scan_share, share, queries, k) for share in self._shares if share]
        found = sorted((one for task in tasks for one in task.result()), key=itemgetter(0))
        return [list(one) for one in zip(*(scanned for _, scanned in found), strict=True)]


def _scan_share(share: Sequence[tuple[int, ScanIndex]], queries: Vectors, k: int) -> list[tuple[int, list[Scanned]]]:
    return [(number, index.scan_here(queries, k)) for number, index in share]
