"""Rows of a file after centring, which takes the mean of all pictures off, and the nearest of them to a vector."""

import numpy as np
import numpy.typing as npt

from similarity.vectors.arrays import Nearest, Vectors
from similarity.vectors.mapped import MappedRows

# A shorter row is nothing but rounding errors after centring: it is not normalised.
SHORTEST = 1e-3
# How many scores there may be at a time when all pictures are compared.
MATRIX = 1 << 24
# How many candidates are read at a time.
TOGETHER = 4096


class CentredRows:
    """The rows of a file, centred as they are read, of unit length. Safe to share between threads.

    Attributes:
        centre: the mean that is taken off, float32 (dim,).
    """

    def __init__(self, rows: MappedRows, centre: Vectors) -> None:
        """Centre the rows of a file; raises ValueError if the centre is one of other embeddings."""
        if centre.shape != (rows.dim,) or centre.dtype != np.float32 or not np.isfinite(centre).all():
            raise ValueError("a centre of other embeddings")
        self._rows, self.centre = rows, centre
        self._lengths: Vectors | None = None

    def __len__(self) -> int:
        """Count the rows."""
        return len(self._rows)

    @property
    def dim(self) -> int:
        """Length of a row."""
        return self._rows.dim

    def gather(self, rows: npt.NDArray[np.integer]) -> Vectors:
        """Some rows, float32 (m, dim)."""
        return self.apply(self._rows.gather(rows))

    def apply(self, embeddings: Vectors) -> Vectors:
        """Centre other embeddings, float32 (m, dim)."""
        centred = embeddings - self.centre
        lengths = np.linalg.norm(centred, axis=1, keepdims=True)
        return np.asarray(np.where(lengths < SHORTEST, embeddings, centred / np.maximum(lengths, SHORTEST)), np.float32)

    def find_nearest(
        self, centred: Vectors, count: int, excluded: npt.NDArray[np.integer] | None = None
    ) -> tuple[Nearest, Vectors]:
        """The rows nearest to some vectors, nearest first, int32 (m, count), and their scores, float32 (m, count).

        Args:
            centred: vectors as `apply` makes them.
            excluded: for each of the vectors a row to leave out.
        """
        found, best = np.empty((len(centred), count), np.int32), np.empty((len(centred), count), np.float32)
        size = max(1, MATRIX // len(self))
        for start in range(0, len(centred), size):
            scores = self._scores(centred[start : start + size])
            if excluded is not None:
                scores[np.arange(len(scores)), excluded[start : start + size]] = -np.inf
            rows = np.sort(np.argpartition(-scores, count - 1, axis=1)[:, :count], axis=1)  # equal scores by row
            order = np.argsort(-np.take_along_axis(scores, rows, axis=1), axis=1, kind="stable")
            found[start : start + size] = np.take_along_axis(rows, order, axis=1)
            best[start : start + size] = np.take_along_axis(scores, found[start : start + size], axis=1)
        return found, best

    def best_of(self, centred: Vectors, candidates: npt.NDArray[np.integer], count: int) -> tuple[Nearest, Vectors]:
        """The best of some candidates for each vector; otherwise as `find_nearest`.

        Args:
            candidates: for each of the vectors distinct rows, at least `count`, (m, k).
        """
        found, best = np.empty((len(centred), count), np.int32), np.empty((len(centred), count), np.float32)
        size = max(1, TOGETHER // candidates.shape[1])
        for start in range(0, len(centred), size):
            rows = np.sort(candidates[start : start + size], axis=1)  # equal scores by row
            others = self.gather(rows.ravel()).reshape(*rows.shape, self.dim)
            scores = np.matmul(others, centred[start : start + size, :, np.newaxis])[:, :, 0]
            order = np.argsort(-scores, axis=1, kind="stable")[:, :count]
            found[start : start + size] = np.take_along_axis(rows, order, axis=1)
            best[start : start + size] = np.take_along_axis(scores, order, axis=1)
        return found, best

    def _scores(self, centred: Vectors) -> Vectors:
        """Cosine similarities with all rows, float32 (m, n)."""
        if self._lengths is None:
            lengths = [np.linalg.norm(block - self.centre, axis=1) for _, block in self._rows.blocks()]
            self._lengths = np.maximum(np.concatenate(lengths), np.float32(SHORTEST))
        # The same as comparing with centred rows of unit length, without making them.
        products = self._rows.products(centred)
        return np.asarray((products - (centred @ self.centre)[:, np.newaxis]) / self._lengths, np.float32)
