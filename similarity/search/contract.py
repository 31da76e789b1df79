"""The `VectorIndex` contract that every index keeps, with its inputs and results."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from similarity.errors import SearchError
from similarity.images.picture import Box
from similarity.search.accuracy import Accuracy, Values
from similarity.sources import Item
from similarity.threads import need_threads
from similarity.vectors.arrays import Vectors

Rows = npt.NDArray[np.int64]
# The metric of all scores.
METRIC = "inner_product"

Prepared = TypeVar("Prepared")


@dataclass(frozen=True, slots=True)
class Hit:
    """One result of a search.

    Attributes:
        rank: 1 for the most similar.
        score: cosine similarity, in -1..1.
        item: the picture.
        part: the part of the picture that is most similar, if parts were searched and the whole picture is less so.
    """

    rank: int
    score: float
    item: Item
    part: Box | None = None


class Selection:
    """The rows that a search may return. Reuse it to search the same rows again: an index prepares for it only once.

    Attributes:
        rows: int64 (m,), sorted and distinct.
        where: the conditions that select these rows, for an index that has labels and metadata, too; None if the rows
            were not selected by conditions.
        excluded: rows that meet the conditions and are excluded, int64 (.,).
    """

    def __init__(
        self,
        rows: Rows,
        where: Values | None = None,
        excluded: Collection[int] = (),
        *,
        but: Collection[int] = (),
    ) -> None:
        """Select rows; `but` is an older name of `excluded`."""
        own = np.array(rows, np.int64)
        # Mostly they are so already, which is seen in a tenth of the time that it takes to sort them again.
        self.rows = own if own.ndim == 1 and (own[1:] > own[:-1]).all() else np.unique(own)
        self.where, self.excluded = where, np.array([*excluded, *but], np.int64)
        self._prepared: dict[int, Any] = {}

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.rows)

    @property
    def but(self) -> Rows:
        """Older name of `excluded`."""
        return self.excluded

    def prepared(self, index: object, prepare: Callable[[Rows], Prepared]) -> Prepared:
        """The value that `prepare` returned for an index; computed on the first call, then kept."""
        key = id(index)
        if key not in self._prepared:
            self._prepared[key] = (prepare(self.rows), index)  # a reference, so that no other index gets its id
        result: Prepared = self._prepared[key][0]
        return result


class VectorIndex(Protocol):
    """Vectors of unit length, addressed by row. Safe to share between threads."""

    @property
    def dim(self) -> int:
        """Length of a vector."""

    @property
    def facts(self) -> dict[str, Any]:
        """Facts that loading needs beside the file, as JSON."""

    @property
    def drift(self) -> str:
        """Why a rebuild would be better after the changes since the last one; empty if it would not."""

    def __len__(self) -> int:
        """Number of vectors."""

    def search(
        self, queries: Vectors, k: int, *, among: Selection | None = None, accuracy: Accuracy = "balanced"
    ) -> tuple[Vectors, Rows]:
        """Find the k vectors with the largest inner products for each query.

        Args:
            queries: float32 (m, dim), rows of unit length.
            k: at least 1; if there are fewer vectors, all are returned.
            among: the rows to choose from; by default all.
            accuracy: accuracy of an approximate index.

        Returns:
            Scores float32 and rows int64, both (m, min(k, number of rows)), best first.

        Raises:
            SearchError: k is below 1, the dimension differs, or a query is not finite or has no direction.
        """

    def save(self, path: Path) -> None:
        """Write it to a file; raises OSError."""


def validate_queries(queries: Vectors, k: int, dim: int) -> Vectors:
    """Check queries and return them as contiguous float32.

    Raises:
        SearchError: as `VectorIndex.search` says. ForkError: this process was forked from one that had searched.
    """
    need_threads()
    if queries.ndim != 2 or queries.shape[1] != dim:
        raise SearchError(f"These vectors have the shape {queries.shape}; this index takes (n, {dim}).")
    with np.errstate(over="ignore"):
        queries = np.ascontiguousarray(queries, np.float32)
    if not np.isfinite(queries).all():
        raise SearchError("A vector contains values that are not finite numbers.")
    if not queries.any(axis=1).all():
        raise SearchError("A vector of zeros has no direction, so nothing is similar to it.")
    if k < 1:
        raise SearchError(f"The number of results must be at least 1, not {k}.")
    return queries


def candidate_count(among: Selection | None, count: int) -> int:
    """Number of rows that a search may return, of `count` in the index; raises SearchError if it lacks any of them."""
    if among is None:
        return count
    if len(among) and not 0 <= among.rows[0] <= among.rows[-1] < count:
        raise SearchError(f"Some rows are not in this index, which has {count:,}.")
    return len(among)


def empty_result(queries: Vectors, count: int) -> tuple[Vectors, Rows]:
    """The result without candidates, or without queries."""
    return np.empty((len(queries), count), np.float32), np.empty((len(queries), count), np.int64)
