"""The reference index: FAISS `IndexFlatIP`, which compares a query with every vector."""

import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from cachetools import LRUCache

from similarity.errors import SearchError
from similarity.files import open_own
from similarity.progress import OnProgress, Reporter
from similarity.search.accuracy import Accuracy
from similarity.search.contract import Rows, Selection, candidate_count, empty_result, validate_queries
from similarity.search.faiss.batching import Batcher
from similarity.search.faiss.files import read_faiss, write_faiss, write_index
from similarity.search.faiss.layout import flat_shape
from similarity.search.faiss_library import faiss, in_one_thread
from similarity.search.recipes import FLAT
from similarity.search.rescoring import in_order
from similarity.vectors.arrays import Vectors
from similarity.vectors.memmap import StoredVectors

# From this many numbers in all queries together on, FAISS multiplies matrices instead of scanning all vectors for each
# query: for three queries of 2048. One query is scanned in less than half of the time.
faiss.cvar.distance_compute_blas_threshold = 1 << 12
# Extra results that show whether equal scores continue beyond the last one.
TIES = 4
# Numbers that are compared with in less time than further threads take to start and to wait for each other: 10 ms where
# other programs need the cores, too. One thread compares 1,192 x 1280 in 0.5 ms.
SMALL = 1 << 23
# The latest queries whose results are kept. A search asks twice, for its hits and for those that say how sure these
# are: the first time as many are found as for both.
LATEST, AHEAD = 16, 40


class FlatIndex:
    """Exact index; for vectors of unit length an inner product is a cosine similarity."""

    def __init__(self, index: Any) -> None:
        self._index = index
        self._together: Batcher[tuple[Vectors, Rows]] = Batcher()
        self._latest: LRUCache[bytes, tuple[Vectors, Rows]] = LRUCache(LATEST)
        self._lock = threading.Lock()

    @classmethod
    def build(cls, vectors: StoredVectors, progress: OnProgress | None = None) -> "FlatIndex":
        """Build the index of all embeddings of a file."""
        index, report = faiss.IndexFlatIP(vectors.dim), Reporter(len(vectors), progress, task="Building the index")
        for _, block in vectors.blocks():
            index.add(block)
            report.advance(len(block))
        return cls(index)

    @classmethod
    def load(cls, path: Path, shape: tuple[int, int]) -> "FlatIndex":
        """Read a saved index of this shape, (vectors, dim); raises OSError, or ValueError if it is of another kind."""
        index = read_faiss(path, FLAT, shape)
        if type(index) is not faiss.IndexFlatIP:
            raise ValueError("not a flat index of inner products")
        return cls(index)

    @classmethod
    def load_any(cls, path: Path) -> "FlatIndex":
        """Read a flat index that another program wrote, of any shape; raises as `load`."""
        with open_own(path) as file:
            shape = flat_shape(file, os.fstat(file.fileno()).st_size)
        return cls.load(path, shape)

    def blocks(self, size: int) -> Iterator[Vectors]:
        """Yield its vectors in blocks of float32 (up to size, dim)."""
        for start in range(0, len(self), size):
            yield self._index.reconstruct_n(start, min(size, len(self) - start))

    @property
    def facts(self) -> dict[str, Any]:
        """See `VectorIndex`."""
        return {}

    @property
    def drift(self) -> str:
        """See `VectorIndex`: empty, since a change always rebuilds the index."""
        return ""

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self._index.d)

    def __len__(self) -> int:
        """Number of vectors."""
        return int(self._index.ntotal)

    def search(
        self,
        queries: Vectors,
        k: int,
        *,
        among: Selection | None = None,
        accuracy: Accuracy = "balanced",  # noqa: ARG002 - it is exact
    ) -> tuple[Vectors, Rows]:
        """See `VectorIndex.search`."""
        queries = validate_queries(queries, k, self.dim)
        available = candidate_count(among, len(self))
        depth = count = min(k, available)
        if not (count and len(queries)):
            return empty_result(queries, count)
        while True:
            depth = min(available, depth + TIES)
            scores, rows = self._search(queries, depth, among)
            # If equal scores continue beyond the last one, get more results, to return those with the lowest rows.
            if depth == available or (scores[:, count - 1] > scores[:, -1]).all():
                break
            depth *= 4
        if rows.min() < 0:  # vectors of NaN are never returned
            raise SearchError("The index contains values that are not finite numbers: make it again with `rebuild`.")
        best_scores, best_rows = zip(*map(in_order, scores, rows, [count] * len(queries)), strict=True)
        return np.array(best_scores), np.array(best_rows)

    def save(self, path: Path) -> None:
        """Write it to a file; raises OSError."""
        write_faiss(self._index, path)

    def _search(self, queries: Vectors, depth: int, among: Selection | None) -> tuple[Vectors, Rows]:
        if among is not None:
            # FAISS filters while it scans, so that no selected row is lost.
            params = faiss.SearchParameters(sel=among.prepared(self, self._selector))
            scores, rows = self._index.search(queries, depth, params=params)
            return scores, rows
        alone = len(queries) == 1
        results = [self._search_alone(queries, depth)] if alone else self._search_all(queries, depth)
        scores, rows = zip(*results, strict=True)
        return np.array(scores)[:, :depth], np.array(rows)[:, :depth]

    def _search_alone(self, query: Vectors, depth: int) -> tuple[Vectors, Rows]:
        """Search with one query, (1, dim); there may be more results than `depth`."""
        key = query.tobytes()
        with self._lock:
            known = self._latest.get(key)
        if known is None or len(known[0]) < depth:
            known = self._together(query, min(max(depth, AHEAD), len(self)), self._search_all)
            with self._lock:
                self._latest[key] = known
        return known

    def _search_all(self, queries: Vectors, k: int) -> list[tuple[Vectors, Rows]]:
        alone = in_one_thread() if len(queries) == 1 and len(self) * self.dim <= SMALL else nullcontext()
        with alone:
            return list(zip(*self._index.search(queries, k), strict=True))

    def _selector(self, rows: Rows) -> Any:
        mask = np.zeros(len(self), bool)
        mask[rows] = True
        return selector(mask)


def stack_flat(indexes: Sequence[FlatIndex]) -> FlatIndex:
    """Return one index of the vectors of several, in this order, which FAISS searches in one call; nothing is copied.

    Results cannot be selected: FAISS would take a selector of the whole for one of each part.
    """
    shards = faiss.IndexShards(indexes[0].dim, False, True)  # in the calling thread, numbered one after the other
    for index in indexes:
        shards.add_shard(index._index)
    return FlatIndex(shards)


def write_flat(file: BinaryIO, dim: int, blocks: Iterable[Vectors]) -> None:
    """Write an index of vectors to an open file, which any program with FAISS reads; it is made in memory first."""
    index = faiss.IndexFlatIP(dim)
    for block in blocks:
        index.add(np.ascontiguousarray(block, np.float32))
    write_index(index, file)


def selector(mask: Any) -> Any:
    """Return FAISS's selector of the vectors for which a bool (n,) is true."""
    return faiss.IDSelectorBitmap(np.packbits(mask, bitorder="little"))
