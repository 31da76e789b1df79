"""The fast exact index: 8-bit codes of all vectors, scanned on all cores, and the best rescored in float32.

How far the score of a code can be from the exact one is known, see `coded.py`. So no result is missed: a vector whose
approximate score is below the k-th best exact score by more than this margin is not among the best k, and all other
vectors are compared exactly. The results are those of `IndexFlatIP`.

Of many vectors, a head is scanned first, an eighth to a quarter of the numbers, see `head.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from similarity.progress import OnProgress, Reporter
from similarity.search.accuracy import Accuracy
from similarity.search.contract import Rows, Selection, candidate_count, empty_result, validate_queries
from similarity.search.faiss.batching import Batcher
from similarity.search.faiss.coded import Coded, Coder, Scanned
from similarity.search.faiss.codes import SQ8, Bounds
from similarity.search.faiss.files import read_faiss, write_faiss
from similarity.search.faiss.head import are_near, from_transform, head_of, learn_directions, to_transform
from similarity.search.faiss_library import faiss, in_one_thread
from similarity.search.recipes import SCAN
from similarity.search.rescoring import Readable, in_order, rescore
from similarity.vectors.arrays import Vectors
from similarity.vectors.memmap import StoredVectors

# Candidates beyond k of each part that are kept, of whole vectors and of heads; the best as many as k and the first of
# these are rescored first. Of a part of heads with more candidates up to the last are kept.
SHORTLIST, OF_HEADS, MOST_OF_HEADS = 32, 128, 1024
# Queries that are compared at a time, since each keeps its candidates of each part.
AT_ONCE = 1024


class ScanIndex:
    """Exact index that takes a third of the memory of `FlatIndex`, and uses all cores for each query."""

    def __init__(
        self, whole: Coded, vectors: StoredVectors, head: Coded | None = None, directions: Vectors | None = None
    ) -> None:
        """Wrap codes that `build` or `load` made.

        Args:
            whole: the codes of all vectors.
            vectors: the embeddings, float32.
            head: the codes of their heads, if they are scanned first.
            directions: those of the heads, float32 (directions, dim).
        """
        self._whole, self._vectors, self._head, self._directions = whole, vectors, head, directions
        self._together: Batcher[Scanned] = Batcher()

    @classmethod
    def build(cls, vectors: StoredVectors, progress: OnProgress | None = None) -> "ScanIndex":
        """Build the index of all embeddings of a file, in two passes over it."""
        report = Reporter(2 * len(vectors), progress, task="Building the index")
        directions = learn_directions(vectors)
        whole, head = Coder(vectors.dim), Coder(1 if directions is None else len(directions) + 1)
        for whole_step, head_step in ((whole.measure, head.measure), (whole.add, head.add)):
            for _, block in vectors.blocks():
                whole_step(block)
                if directions is not None:
                    head_step(head_of(block, directions))
                report.advance(len(block))
        return cls(whole.finish(), vectors, None if directions is None else head.finish(), directions)

    @classmethod
    def load(cls, path: Path, facts: Mapping[str, Any], vectors: StoredVectors) -> "ScanIndex":
        """Read a saved index; raises ValueError, LookupError or TypeError if it does not match facts and embeddings."""
        saved = read_faiss(path, SCAN, (len(vectors), vectors.dim), faiss.IO_FLAG_MMAP_IFC)
        if not isinstance(saved, faiss.IndexRefine):  # without heads
            return cls(_codes_of(saved, facts), vectors)
        before = faiss.downcast_index(saved.base_index)
        directions = from_transform(faiss.downcast_VectorTransform(before.chain.at(0)))
        head = _codes_of(faiss.downcast_index(before.index), facts["head"])
        return cls(_codes_of(faiss.downcast_index(saved.refine_index), facts), vectors, head, directions)

    @property
    def facts(self) -> dict[str, Any]:
        """See `VectorIndex`."""
        head = {} if self._head is None else {"head": asdict(self._head.bounds)}
        return asdict(self._whole.bounds) | head

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
        selectors = None if among is None else among.prepared(self, self._whole.selectors)
        parts = [
            self._search(queries[start : start + AT_ONCE], count, selectors)
            for start in range(0, len(queries), AT_ONCE)
        ]
        scores, rows = zip(*chain.from_iterable(parts), strict=True)
        return np.array(scores, np.float32), np.array(rows, np.int64)

    def scan_here(self, queries: Vectors, k: int) -> list[Scanned]:
        """Compare queries with all codes in the calling thread, in which FAISS must not start others; see `scanning`.

        Args:
            queries: checked, see `validate_queries`.
        """
        return self._scan(queries, k, on_all_cores=False)

    @property
    def vectors(self) -> StoredVectors:
        """The embeddings."""
        return self._vectors

    def save(self, path: Path) -> None:
        """Write it to a file; raises OSError."""
        index = whole = self._whole.to_index()
        if self._head is not None and self._directions is not None:
            head, before = self._head.to_index(), to_transform(self._directions)
            base = faiss.IndexPreTransform(before, head)
            index = faiss.IndexRefine(base, whole)
        write_faiss(index, path)

    def _search(self, queries: Vectors, count: int, selectors: Sequence[Any] | None) -> list[tuple[Vectors, Rows]]:
        """Return the scores and rows of each query, (count,), best first; see `Coded.scan` for selectors."""
        if selectors is not None:
            scanned = self._whole.scan(queries, count + SHORTLIST, selectors)
        else:
            scanned = [self._together(queries, count, self._scan)] if len(queries) == 1 else self._scan(queries, count)
        with in_one_thread():
            return [
                finish(self._vectors, query, count, [(one, 0)]) for query, one in zip(queries, scanned, strict=True)
            ]

    def _scan(self, queries: Vectors, k: int, *, on_all_cores: bool = True) -> list[Scanned]:
        """Compare queries with the heads, or with whole codes where the heads would rule too little out."""
        scan_whole = self._whole.scan if on_all_cores else self._whole.scan_here
        if self._head is None or self._directions is None:
            return scan_whole(queries, k + SHORTLIST)
        heads = head_of(queries, self._directions)
        is_near, found = are_near(heads), np.empty(len(queries), object)
        if is_near.any():
            scan_heads = self._head.scan if on_all_cores else self._head.scan_here
            found[is_near] = scan_heads(heads[is_near], k + OF_HEADS)
        if not is_near.all():
            found[~is_near] = scan_whole(queries[~is_near], k + SHORTLIST)
        for place in np.flatnonzero(is_near):
            found[place].longest = k + MOST_OF_HEADS
            found[place].otherwise = partial(self._scan_whole, queries[place : place + 1], k)
        return list(found)

    def _scan_whole(self, query: Vectors, k: int) -> Scanned:
        """Compare a query, float32 (1, dim), with whole codes."""
        return self._whole.scan(query, k + SHORTLIST)[0]


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
        if any(scanned.short(enough - scanned.margin) for scanned, _ in scans):
            return finish(vectors, query, k, [(one.otherwise() if one.otherwise else one, at) for one, at in scans])
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


def _codes_of(index: Any, facts: Mapping[str, Any]) -> Coded:
    """Return the codes of a part of a saved index; raises ValueError or LookupError if they do not match facts."""
    if type(index) is not faiss.IndexScalarQuantizer or index.sq.qtype != SQ8:
        raise ValueError("not the 8-bit index of these embeddings")
    return Coded.of_index(index, Bounds.from_facts(facts))
