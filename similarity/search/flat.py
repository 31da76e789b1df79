"""The reference: FAISS `IndexFlatIP`, which compares a query with every vector."""

from pathlib import Path
from typing import Any

import numpy as np

from similarity.progress import OnProgress, Reporter
from similarity.search.batching import Batcher
from similarity.search.contract import Accuracy, Rows, Selection, check, choice, nothing
from similarity.search.files import read_faiss, write_faiss
from similarity.search.library import faiss
from similarity.stored import StoredVectors
from similarity.vectors import Vectors

# From so many queries on FAISS multiplies matrices instead of going through all vectors for each of them.
faiss.cvar.distance_compute_blas_threshold = 4


class FlatIndex:
    """Exact; on vectors of unit length an inner product is a cosine similarity."""

    def __init__(self, index: Any) -> None:
        self._index = index
        self._together: Batcher[tuple[Vectors, Rows]] = Batcher()

    @classmethod
    def build(cls, vectors: StoredVectors, progress: OnProgress | None = None) -> "FlatIndex":
        """Take in all embeddings of a file."""
        index, report = faiss.IndexFlatIP(vectors.dim), Reporter(len(vectors), progress, task="Building the index")
        for _, block in vectors.blocks():
            index.add(block)
            report.advance(len(block))
        return cls(index)

    @classmethod
    def load(cls, path: Path) -> "FlatIndex":
        """Read what `save` wrote; raises ValueError if it is not."""
        index = read_faiss(path)
        if not isinstance(index, faiss.IndexFlat) or index.metric_type != faiss.METRIC_INNER_PRODUCT:
            raise ValueError("not a flat index of inner products")
        return cls(index)

    @property
    def facts(self) -> dict[str, Any]:
        """See `VectorIndex`."""
        return {}

    @property
    def drift(self) -> str:
        """See `VectorIndex`: it is always made anew."""
        return ""

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self._index.d)

    def __len__(self) -> int:
        """How many vectors there are."""
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
        queries = check(queries, k, self.dim)
        count = min(k, choice(among, len(self)))
        if count == 0:
            return nothing(queries)
        if among is None:
            found = (
                [self._together(queries, count, self._search_all)]
                if len(queries) == 1
                else self._search_all(queries, count)
            )
            scores, rows = zip(*found, strict=True)
            return np.array(scores)[:, :count], np.array(rows)[:, :count]
        # The selector is asked while the index is scanned, so that as many rows come back as there are.
        chosen = among.prepared(self, self._selector)
        scores, rows = self._index.search(queries, count, params=faiss.SearchParameters(sel=chosen))
        return scores, rows

    def save(self, path: Path) -> None:
        """Write it to a file; raises OSError."""
        write_faiss(self._index, path)

    def _search_all(self, queries: Vectors, k: int) -> list[tuple[Vectors, Rows]]:
        return list(zip(*self._index.search(queries, k), strict=True))

    def _selector(self, rows: Rows) -> Any:
        mask = np.zeros(len(self), bool)
        mask[rows] = True
        return selector(mask)


def selector(mask: Any) -> Any:
    """What FAISS asks for each vector, from a bool (n,)."""
    return faiss.IDSelectorBitmap(np.packbits(mask, bitorder="little"))
