"""Vectors to the most similar rows: the `VectorIndex` contract and its FAISS engine."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import faiss
import numpy as np
import numpy.typing as npt

from similarity.errors import SearchError
from similarity.sources import Item
from similarity.vectors import Vectors

Rows = npt.NDArray[np.int64]

METRICS = {faiss.METRIC_INNER_PRODUCT: "inner_product", faiss.METRIC_L2: "l2"}
# What a file may make FAISS take, in bytes and in rounds of a loop: far more than any gallery needs.
faiss.set_deserialization_vector_byte_limit(1 << 38)
faiss.set_deserialization_loop_limit(1 << 24)


@dataclass(frozen=True, slots=True)
class Hit:
    """One result of a search.

    Attributes:
        rank: 1 for the most similar.
        score: cosine similarity, in -1..1.
        item: the picture.
    """

    rank: int
    score: float
    item: Item


class VectorIndex(Protocol):
    """Vectors of unit length, addressed by row in the order in which they were added."""

    @property
    def dim(self) -> int:
        """Length of a vector."""

    @property
    def metric(self) -> str:
        """What a score is: inner_product."""

    def __len__(self) -> int:
        """How many vectors there are."""

    def add(self, vectors: Vectors) -> None:
        """Append float32 (n, dim)."""

    def search(self, queries: Vectors, k: int, *, among: Rows | None = None) -> tuple[Vectors, Rows]:
        """The rows with the largest inner products; see `FaissIndex.search`."""

    def save(self, path: Path) -> None:
        """Write it to a file."""


class FaissIndex:
    """FAISS `IndexFlatIP`: exact; on vectors of unit length an inner product is a cosine similarity."""

    def __init__(self, dim: int) -> None:
        self._index: Any = faiss.IndexFlatIP(dim)

    @classmethod
    def load(cls, path: Path) -> "FaissIndex":
        """Read what `save` wrote; raises ValueError if it is not.

        FAISS trusts its files, so whoever calls this has checked its hash.
        """
        loaded = cls.__new__(cls)
        try:
            loaded._index = faiss.read_index(str(path))
        except RuntimeError as error:
            raise ValueError("not an index that FAISS can read") from error
        return loaded

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self._index.d)

    @property
    def metric(self) -> str:
        """What a score is: inner_product."""
        return METRICS.get(self._index.metric_type, "unknown")

    def __len__(self) -> int:
        """How many vectors there are."""
        return int(self._index.ntotal)

    def add(self, vectors: Vectors) -> None:
        """Append float32 (n, dim), rows of unit length."""
        self._check(vectors)
        self._index.add(np.ascontiguousarray(vectors, np.float32))

    def search(self, queries: Vectors, k: int, *, among: Rows | None = None) -> tuple[Vectors, Rows]:
        """Find the k most similar vectors for each query.

        Args:
            queries: float32 (m, dim), rows of unit length.
            k: at least 1; where there are fewer vectors, all come back.
            among: the rows to choose from, each once; all unless given.

        Returns:
            Scores float32 and rows int64, both (m, min(k, number of rows)), best first.

        Raises:
            SearchError: k is below 1, the dimension is another, or a query is not finite.
        """
        self._check(queries)
        if k < 1:
            raise SearchError(f"The number of results must be at least 1, not {k}.")
        count = min(k, len(self) if among is None else len(among))
        if count == 0:
            return np.empty((len(queries), 0), np.float32), np.empty((len(queries), 0), np.int64)
        # The selector is asked while the index is scanned, so that as many rows come back as there are.
        chosen = None if among is None else faiss.SearchParameters(sel=faiss.IDSelectorBatch(among))  # type: ignore[call-arg]
        scores, rows = self._index.search(np.ascontiguousarray(queries, np.float32), count, params=chosen)
        return scores, rows

    def save(self, path: Path) -> None:
        """Write it to a file; raises OSError, which FAISS's own writing to files does not always."""
        with path.open("wb") as file:
            faiss.write_index(self._index, faiss.PyCallbackIOWriter(file.write))  # type: ignore[attr-defined]

    def _check(self, vectors: Vectors) -> None:
        if vectors.ndim != 2 or vectors.shape[1] != self.dim:
            raise SearchError(f"These vectors have the shape {vectors.shape}; this index takes (n, {self.dim}).")
        if not np.isfinite(vectors).all():
            raise SearchError("A vector holds values that are not finite numbers.")
