"""Synthetic vectors in a file, with queries whose exact nearest ones are known."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from similarity.bench.indexes import K
from similarity.bench.synthetic import World
from similarity.errors import SearchError
from similarity.progress import OnProgress, Reporter
from similarity.search import Rows
from similarity.search.faiss_library import faiss
from similarity.vectors.arrays import Vectors
from similarity.vectors.memmap import StoredVectors, write_vectors

BLOCK = 4_000


@dataclass(frozen=True, slots=True)
class Made:
    """Vectors in float16 (n, dim), queries float32 (m, dim), and the rows that are nearest to each, int64 (m, K)."""

    vectors: StoredVectors
    queries: Vectors
    truth: Rows


class Nearest:
    """The exact k nearest rows of queries among blocks that come one after the other."""

    def __init__(self, queries: Vectors, k: int = K) -> None:
        self.rows: Rows = np.full((len(queries), k), -1)
        self._queries, self._count, self._k = queries, 0, k
        self._scores = np.full((len(queries), k), -np.inf, np.float32)

    def compare(self, block: Vectors) -> None:
        """Include another block."""
        scores, rows = faiss.knn(self._queries, block, min(self._k, len(block)), metric=faiss.METRIC_INNER_PRODUCT)
        scores, rows = np.hstack([self._scores, scores]), np.hstack([self.rows, rows + self._count])
        order = np.argsort(-scores, axis=1, kind="stable")[:, : self._k]
        self._scores, self.rows = (np.take_along_axis(array, order, axis=1) for array in (scores, rows))
        self._count += len(block)


def world_blocks(world: World, count: int) -> Iterator[Vectors]:
    """The vectors of a world but those of its first block, which are queries."""
    return (world.block(min(BLOCK, count - start), 1 + start // BLOCK) for start in range(0, count, BLOCK))


@contextmanager
def made_vectors(n: int, dim: int, queries: int, progress: OnProgress | None) -> Iterator[Made]:
    """Make vectors of a world in a temporary folder.

    Raises:
        SearchError: there are too few of them.
    """
    if n < K:
        raise SearchError(f"{n} vectors are too few to measure: take at least {K}.")
    world, report = World(dim), Reporter(n, progress, task="Making vectors")
    asked = world.block(queries, 0)
    nearest = Nearest(asked)

    def compared() -> Iterator[Vectors]:
        for block in world_blocks(world, n):
            nearest.compare(block)
            report.advance(len(block))
            yield block

    with tempfile.TemporaryDirectory(prefix="similarity-bench-") as folder:
        path = Path(folder, "vectors.npy")
        write_vectors(path, (n, dim), compared(), "float16")
        yield Made(StoredVectors(path), asked, nearest.rows)
