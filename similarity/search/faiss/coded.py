"""Vectors as 8-bit codes, scanned on all cores; their scores are approximate, and it is known by how much at most.

A vector x is stored as 8-bit numbers c, with a scale s for each dimension, so that x is about s c. The query q is also
rounded to 8-bit numbers p, so that s q is about t p. The approximate score t p.c is a product of integers, which
processors compute fastest, and by the inequality of Cauchy and Schwarz

    |q.x - t p.c|  <=  |q| |x - s c|  +  |s q - t p| |c|

where the largest |x - s c| and |c| are measured when the codes are made.

The codes are in parts that fit into a processor's cache: concurrent queries are compared with one part after the other,
and each part is read from memory once for all of them. For many queries it is decoded instead, and multiplied with all
of them as one matrix.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from similarity.search.contract import Rows
from similarity.search.faiss.codes import HIGHEST, ROUNDING, Bounds, Part, Parts, codes_of, signed, sq8
from similarity.search.faiss.flat import selector
from similarity.search.faiss_library import cores, faiss, scanning
from similarity.vectors.arrays import Vectors

# From this many queries on, matrices are multiplied: 1.2 times as fast as scanning for 32 queries among 50,000 x 1280,
# 1.6 times for 1,024.
MULTIPLIED = 32
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
        longest: the most candidates of a part; None for any number.
        otherwise: scans whole codes instead, if a part has more candidates than that.
    """

    codes: Vectors
    step: float
    margin: float
    results: list[tuple[Chosen, Vectors, Rows]]
    longest: int | None = None
    otherwise: "Callable[[], Scanned] | None" = None

    def join(self) -> tuple[Vectors, Rows]:
        """Return approximate scores and rows of all parts."""
        if not self.results:
            return np.empty(0, np.float32), np.empty(0, np.int64)
        scores, rows = (np.concatenate([result[place] for result in self.results]) for place in (1, 2))
        exists = scores > -np.inf
        return np.asarray(scores[exists] * self.step, np.float32), rows[exists]

    def short(self, enough: float) -> list[int]:
        """Return the places of parts that may have more vectors with at least this score."""
        return [
            place
            for place, ((part, _), scores, _) in enumerate(self.results)
            if len(scores) < part.index.ntotal and scores[-1] * self.step >= enough
        ]

    def rescan(self, enough: float) -> bool:
        """Rescan parts that may have more vectors with at least this score; returns whether there were any."""
        short = self.short(enough)
        for place in short:
            part, chosen = self.results[place][0]
            length = min(part.index.ntotal, self.longest or part.index.ntotal)
            _, scores, rows = _scan_parts([(part, chosen)], self.codes, length)[0]
            self.results[place] = ((part, chosen), scores[0], rows[0])
        return bool(short)


class Coded:
    """8-bit codes of vectors. Safe to share between threads.

    Attributes:
        parts: the codes of all vectors, in order.
        scales: the s above, float32 (dim,).
        bounds: the largest |x - s c| and |c| above.
    """

    def __init__(self, parts: list[Part], scales: Vectors, bounds: Bounds) -> None:
        self.parts, self.scales, self.bounds = parts, scales, bounds

    @classmethod
    def of_index(cls, index: Any, bounds: Bounds) -> "Coded":
        """Take codes from an index of FAISS as `to_index` returns it; its codes are copied."""
        parts, scales = Parts(index.d), faiss.vector_to_array(index.sq.trained)[index.d :] / np.float32(255)
        if index.ntotal:
            parts.fill(codes_of(index))
        return cls(parts.parts, scales, bounds)

    def to_index(self) -> Any:
        """Return the codes as an index that FAISS itself can search."""
        index = sq8(self.scales)
        for part in self.parts:
            index.add_sa_codes(codes_of(part.index))
        return index

    def scan(self, queries: Vectors, length: int, selectors: Sequence[Any] | None = None) -> list[Scanned]:
        """Compare queries with the codes, on all cores.

        Args:
            queries: float32 (m, dim).
            length: number of candidates of each part.
            selectors: selectors of the candidates in each part; None for a part without any.
        """
        rounded, margins = self._round(queries)
        if selectors is None and len(queries) >= MULTIPLIED:
            return _scanned(rounded, margins, _multiply_parts(self.parts, rounded[0], length))
        wanted = zip(self.parts, selectors or [ALL] * len(self.parts), strict=True)
        parts = [pair for pair in wanted if pair[1] is not None]
        shares = [parts[core :: cores()] for core in range(cores())]
        tasks = [scanning().submit(_scan_parts, share, rounded[0], length) for share in shares if share]
        results = [result for task in tasks for result in task.result()]
        return _scanned(rounded, margins, results)

    def scan_here(self, queries: Vectors, length: int) -> list[Scanned]:
        """Do the same in the calling thread, in which FAISS must not start others; see `scanning`."""
        rounded, margins = self._round(queries)
        return _scanned(rounded, margins, _scan_parts([(part, ALL) for part in self.parts], rounded[0], length))

    def selectors(self, rows: Rows) -> list[Any]:
        """Return the selectors of some rows in each part; None for a part without any."""
        mask = np.zeros(self.parts[-1].end, bool)
        mask[rows] = True
        masks = [mask[part.first : part.end] for part in self.parts]
        return [selector(mask) if mask.any() else None for mask in masks]

    def _round(self, queries: Vectors) -> tuple[tuple[Vectors, Vectors], Vectors]:
        """Round queries to integers; returns the p and t above, (m, dim) and (m,), and the margins, (m,)."""
        scaled = queries * self.scales
        steps = np.maximum(np.abs(scaled).max(axis=1), 1e-30) / HIGHEST
        codes = np.rint(scaled / steps[:, np.newaxis])
        lost = np.linalg.norm(scaled - codes * steps[:, np.newaxis], axis=1) * self.bounds.length
        # The rounding error of float32 grows with the dimension.
        margins = np.linalg.norm(queries, axis=1) * (self.bounds.error + ROUNDING * len(self.scales)) + lost
        return (codes, steps), margins.astype(np.float32)


@dataclass(slots=True)
class Coder:
    """Makes codes in two passes over all blocks of vectors: `measure` each, and then `add` each.

    Attributes:
        dim: length of a vector.
    """

    dim: int
    _largest: Vectors | float = 0.0
    _bounds: Bounds = field(default_factory=Bounds)
    _parts: Parts = field(init=False)

    def __post_init__(self) -> None:
        self._parts = Parts(self.dim)

    @property
    def scales(self) -> Vectors:
        """The scales of all vectors that were measured, float32 (dim,)."""
        return np.asarray(np.maximum(self._largest, np.full(self.dim, 1e-12)) / HIGHEST, np.float32)

    def measure(self, block: Vectors) -> None:
        """Learn how far a block's numbers reach."""
        self._largest = np.maximum(self._largest, np.abs(block).max(axis=0))

    def add(self, block: Vectors) -> None:
        """Append the codes of a block."""
        rounded: Vectors = np.rint(block / self.scales)
        self._parts.fill(signed(self.dim).sa_encode(rounded))
        self._bounds = self._bounds.including(block, rounded, self.scales)

    def finish(self) -> Coded:
        """Return the codes of all blocks."""
        return Coded(self._parts.parts, self.scales, self._bounds)


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
