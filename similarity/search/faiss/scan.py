"""The fast exact index: 8-bit codes of all vectors, scanned on all cores, and the best rescored in float32.

A vector x is stored as 8-bit numbers c, with a scale s for each dimension, so that x is about s c. The query q is also
rounded to 8-bit numbers p, so that s q is about t p. The approximate score t p.c is a product of integers, which
processors compute fastest, and by the inequality of Cauchy and Schwarz

    |q.x - t p.c|  <=  |q| |x - s c|  +  |s q - t p| |c|

where the largest |x - s c| and |c| are measured when the index is built. So no result is missed: a vector whose
approximate score is below the k-th best exact score by more than this margin is not among the best k, and all other
vectors are compared exactly. The results are those of `IndexFlatIP`.

The codes are in parts that fit into a processor's cache: concurrent queries are compared with one part after the other,
and each part is read from memory once for all of them. For many queries it is decoded instead, and multiplied with all
of them as one matrix.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from similarity.progress import OnProgress, Reporter
from similarity.search.accuracy import Accuracy
from similarity.search.contract import Rows, Selection, candidate_count, empty_result, validate_queries
from similarity.search.faiss.batching import Batcher
from similarity.search.faiss.codes import HIGHEST, ROUNDING, SQ8, Bounds, Part, Parts, codes_of, signed, sq8
from similarity.search.faiss.files import read_faiss, write_faiss
from similarity.search.faiss.flat import selector
from similarity.search.faiss_library import cores, faiss, in_one_thread, scanning
from similarity.search.recipes import SCAN
from similarity.search.rescoring import Readable, in_order, rescore
from similarity.vectors.arrays import Vectors
from similarity.vectors.memmap import StoredVectors

# Candidates beyond k that are rescored first.
SHORTLIST = 32
# From this many queries on, matrices are multiplied: 1.2 times as fast as scanning for 32 queries among 50,000 x 1280,
# 1.6 times for 1,024. This many are compared at a time, since each keeps its candidates of each part.
MULTIPLIED, AT_ONCE = 32, 1024
# Stands for a selector of all vectors.
ALL = object()


# A part with the selector of its candidates.
Chosen = tuple[Part, Any]


@dataclass(slots=True)
class Scanned:
    """The candidates of a scan for one query.

    Attributes:
        codes: the rounded query, float32 (1, dim), the p above.
        step: the t above.
        margin: maximum difference between approximate and exact scores.
        results: the best of each part, best first: scores without the factor t, and rows.
    """

    codes: Vectors
    step: float
    margin: float
    results: list[tuple[Chosen, Vectors, Rows]]

    def join(self) -> tuple[Vectors, Rows]:
        """Return approximate scores and rows of all parts."""
        if not self.results:
            return np.empty(0, np.float32), np.empty(0, np.int64)
        scores, rows = (np.concatenate([result[place] for result in self.results]) for place in (1, 2))
        exists = scores > -np.inf
        return np.asarray(scores[exists] * self.step, np.float32), rows[exists]

    def rescan(self, enough: float) -> bool:
        """Rescan parts that may have more vectors with at least this score; returns whether there were any."""
        short = [
            place
            for place, ((part, _), scores, _) in enumerate(self.results)
            if len(scores) < part.index.ntotal and scores[-1] * self.step >= enough
        ]
        for place in short:
            part, chosen = self.results[place][0]
            _, scores, rows = _scan_parts([(part, chosen)], self.codes, part.index.ntotal)[0]
            self.results[place] = ((part, chosen), scores[0], rows[0])
        return bool(short)


class ScanIndex:
    """Exact index that takes a quarter of the memory of `FlatIndex`, and uses all cores for each query."""

    def __init__(self, parts: list[Part], scales: Vectors, bounds: Bounds, vectors: StoredVectors) -> None:
        """Wrap codes that `build` or `load` made.

        Args:
            parts: the codes of all vectors, in order.
            scales: the s above, float32 (dim,).
            vectors: the embeddings, float32.
        """
        self._parts, self._scales, self._bounds, self._vectors = parts, scales, bounds, vectors
        self._together: Batcher[Scanned] = Batcher()

    @classmethod
    def build(cls, vectors: StoredVectors, progress: OnProgress | None = None) -> "ScanIndex":
        """Build the index of all embeddings of a file, in two passes over it."""
        report = Reporter(2 * len(vectors), progress, task="Building the index")
        largest = np.zeros(vectors.dim, np.float32)
        for _, block in vectors.blocks():
            np.maximum(largest, np.abs(block).max(axis=0), out=largest)
            report.advance(len(block))
        scales: Vectors = (np.maximum(largest, 1e-12) / HIGHEST).astype(np.float32)
        parts, coder, bounds = Parts(vectors.dim), signed(vectors.dim), Bounds()
        for _, block in vectors.blocks():
            rounded: Vectors = np.rint(block / scales)
            parts.fill(coder.sa_encode(rounded))
            bounds = bounds.including(block, rounded, scales)
            report.advance(len(block))
        return cls(parts.parts, scales, bounds, vectors)

    @classmethod
    def load(cls, path: Path, facts: Mapping[str, Any], vectors: StoredVectors) -> "ScanIndex":
        """Read a saved index; raises ValueError or LookupError if it does not match facts and embeddings."""
        codes = read_faiss(path, SCAN, (len(vectors), vectors.dim), faiss.IO_FLAG_MMAP_IFC)
        if type(codes) is not faiss.IndexScalarQuantizer or codes.sq.qtype != SQ8:
            raise ValueError("not the 8-bit index of these embeddings")
        parts, scales = Parts(codes.d), faiss.vector_to_array(codes.sq.trained)[codes.d :] / np.float32(255)
        if codes.ntotal:
            parts.fill(codes_of(codes))
        return cls(parts.parts, scales, Bounds.from_facts(facts), vectors)

    @property
    def facts(self) -> dict[str, Any]:
        """See `VectorIndex`."""
        return asdict(self._bounds)

    @property
    def drift(self) -> str:
        """See `VectorIndex`: empty, since a change always rebuilds the index."""
        return ""

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._vectors.dim

    def __len__(self) -> int:
        """Number of vectors."""
        return len(self._vectors)

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
        count = min(k, candidate_count(among, len(self)))
        if not (count and len(queries)):
            return empty_result(queries, count)
        selectors = None if among is None else among.prepared(self, self._selectors)
        parts = [
            self._search(queries[start : start + AT_ONCE], count, selectors)
            for start in range(0, len(queries), AT_ONCE)
        ]
        scores, rows = zip(*chain.from_iterable(parts), strict=True)
        return np.array(scores, np.float32), np.array(rows, np.int64)

    def _search(self, queries: Vectors, count: int, selectors: Sequence[Any] | None) -> list[tuple[Vectors, Rows]]:
        """Return the scores and rows of each query, (count,), best first; see `_scan` for selectors."""
        if len(queries) == 1 and selectors is None:
            scanned = [self._together(queries, count, self._scan)]
        else:
            scanned = self._scan(queries, count, selectors)
        with in_one_thread():
            return [
                finish(self._vectors, query, count, [(one, 0)]) for query, one in zip(queries, scanned, strict=True)
            ]

    def scan_here(self, queries: Vectors, k: int) -> list[Scanned]:
        """Compare queries with all codes in the calling thread, in which FAISS must not start others; see `scanning`.

        Args:
            queries: checked, see `validate_queries`.
        """
        rounded, margins = self._round(queries)
        return _scanned(rounded, margins, _scan_parts([(part, ALL) for part in self._parts], rounded[0], k + SHORTLIST))

    @property
    def vectors(self) -> StoredVectors:
        """The embeddings."""
        return self._vectors

    def save(self, path: Path) -> None:
        """Write it to a file; raises OSError."""
        codes = sq8(self._scales)
        for part in self._parts:
            codes.add_sa_codes(codes_of(part.index))
        write_faiss(codes, path)

    def _scan(self, queries: Vectors, k: int, selectors: Sequence[Any] | None = None) -> list[Scanned]:
        """Compare queries with the codes, on all cores.

        Args:
            selectors: selectors of the candidates in each part; None for a part without any.
        """
        rounded, margins = self._round(queries)
        if selectors is None and len(queries) >= MULTIPLIED:
            return _scanned(rounded, margins, _multiply_parts(self._parts, rounded[0], k + SHORTLIST))
        wanted = zip(self._parts, selectors or [ALL] * len(self._parts), strict=True)
        parts = [pair for pair in wanted if pair[1] is not None]
        shares = [parts[core :: cores()] for core in range(cores())]
        tasks = [scanning().submit(_scan_parts, share, rounded[0], k + SHORTLIST) for share in shares]
        results = [result for task in tasks for result in task.result()]
        return _scanned(rounded, margins, results)

    def _round(self, queries: Vectors) -> tuple[tuple[Vectors, Vectors], Vectors]:
        """Round queries to integers; returns the p and t above, (m, dim) and (m,), and the margins, (m,)."""
        scaled = queries * self._scales
        steps = np.maximum(np.abs(scaled).max(axis=1), 1e-30) / HIGHEST
        codes = np.rint(scaled / steps[:, np.newaxis])
        lost = np.linalg.norm(scaled - codes * steps[:, np.newaxis], axis=1) * self._bounds.length
        # The rounding error of float32 grows with the dimension.
        margins = np.linalg.norm(queries, axis=1) * (self._bounds.error + ROUNDING * self.dim) + lost
        return (codes, steps), margins.astype(np.float32)

    def _selectors(self, rows: Rows) -> list[Any]:
        mask = np.zeros(len(self), bool)
        mask[rows] = True
        masks = [mask[part.first : part.end] for part in self._parts]
        return [selector(mask) if mask.any() else None for mask in masks]


def finish(vectors: Readable, query: Vectors, k: int, scans: Sequence[tuple[Scanned, int]]) -> tuple[Vectors, Rows]:
    """Return the exact result for a query from the candidates of its scans: scores and rows, (k,), best first.

    Args:
        vectors: of all that were scanned, numbered one after the other.
        scans: of each index, with the number of its first vector.
    """
    best, rows, margins = _join(scans)
    # The k-th best exact score so far bounds the scores of all other vectors in the result.
    order = np.argsort(-best, kind="stable")
    rescored = rows[order[: k + SHORTLIST]]
    scores, best_rows = rescore(vectors, query, rescored, k)
    enough = float(scores[-1]) if len(scores) == k else -np.inf
    rescanned = [scanned.rescan(enough - scanned.margin) for scanned, _ in scans]
    if any(rescanned):
        best, rows, margins = _join(scans)
    others = np.setdiff1d(rows[best >= enough - margins], rescored)
    more_scores, more = rescore(vectors, query, others, k)
    return in_order(np.concatenate([scores, more_scores]), np.concatenate([best_rows, more]), k)


def _join(scans: Sequence[tuple[Scanned, int]]) -> tuple[Vectors, Rows, Vectors]:
    """Return approximate scores, rows and margins of all candidates."""
    found = [scanned.join() for scanned, _ in scans]
    rows = np.concatenate([rows + first for (_, rows), (_, first) in zip(found, scans, strict=True)])
    margins = np.repeat([scanned.margin for scanned, _ in scans], [len(scores) for scores, _ in found])
    return np.concatenate([scores for scores, _ in found]), rows, margins


def _scanned(
    rounded: tuple[Vectors, Vectors], margins: Vectors, results: Sequence[tuple[Chosen, Vectors, Rows]]
) -> list[Scanned]:
    """Return what a scan has found for each query."""
    return [
        Scanned(codes[np.newaxis], step, margin, [(part, scores[place], rows[place]) for part, scores, rows in results])
        for place, (codes, step, margin) in enumerate(zip(*rounded, margins, strict=True))
    ]


def _scan_parts(parts: Sequence[Chosen], codes: Vectors, length: int) -> list[tuple[Chosen, Vectors, Rows]]:
    """Return the best of each part by their codes, best first: scores and rows, both (queries, up to length).

    If there are fewer, the rest has scores of minus infinity.
    """
    results = []
    for part, chosen in parts:
        params = None if chosen is ALL else faiss.SearchParameters(sel=chosen)
        scores, rows = part.index.search(codes, min(length, part.index.ntotal), params=params)
        scores[rows < 0] = -np.inf
        results.append(((part, chosen), scores, rows + part.first))
    return results


def _multiply_parts(parts: Sequence[Part], codes: Vectors, length: int) -> list[tuple[Chosen, Vectors, Rows]]:
    """Return what `_scan_parts` does for whole parts, computed on all cores."""
    results: list[tuple[Chosen, Vectors, Rows]] = []
    for part in parts:
        count = int(part.index.ntotal)
        decoded = part.index.reconstruct_n(0, count)
        scores, rows = faiss.knn(codes, decoded, min(length, count), metric=faiss.METRIC_INNER_PRODUCT)
        results.append(((part, ALL), scores, rows + part.first))
    return results
