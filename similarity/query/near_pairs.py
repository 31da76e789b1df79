"""Pairs of pictures that look nearly the same: by comparing all with all, or from the candidates of an index."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from similarity.progress import OnProgress, Reporter
from similarity.search import Rows, VectorIndex, build_index, choose_recipe
from similarity.search.recipes import INVERTED
from similarity.vectors.arrays import FindCandidates, Vectors
from similarity.vectors.memmap import StoredVectors

# Maximum embeddings that are compared with all others at a time, and maximum scores.
BLOCK, MATRIX = 512, 1 << 26
# Pictures that an index is asked for at a time, and pairs whose score is computed at a time.
BATCH = 2048
# Nearest pictures that an index is asked for at first, and for a picture that is near to all of these. No picture has
# more pairs than the latter, so that thousands of nearly equal pictures take little memory.
FEW, MOST = 8, 64
# Pictures up to which all are compared with all. On two cores, 100,000 x 256 took 38 s so, and with inverted lists 24 s
# for the same pairs; 20,000 x 256 took 1.5 s and 4.3 s.
MOST_COMPARED = 50_000
# Matrix products round otherwise than the final scores.
ROUNDING = 1e-5

AnyVectors = Vectors | StoredVectors


@dataclass(frozen=True, slots=True)
class Candidates:
    """What finds the pictures that may be near to others in a large gallery.

    Attributes:
        vectors: the vectors that an index compares, a row for each picture.
        find: asks the index for rows near to some of them.
    """

    vectors: StoredVectors
    find: FindCandidates

    @classmethod
    def of_index(cls, index: VectorIndex, vectors: StoredVectors) -> "Candidates":
        """Ask an index of these vectors, as accurately as it can."""
        return cls(vectors, lambda queries, count: index.search(queries, count, accuracy="high")[1])

    @classmethod
    def of_lists(cls, embeddings: StoredVectors, progress: OnProgress | None = None) -> "Candidates":
        """Make inverted lists of embeddings in memory: an exact index, asked for each of many, would take longer."""
        index = build_index(choose_recipe(INVERTED, *embeddings.shape).name, embeddings, progress)
        return cls.of_index(index, embeddings)


def choose_candidates(
    embeddings: StoredVectors, vectors: StoredVectors, index: VectorIndex | None, progress: OnProgress | None = None
) -> Candidates | None:
    """Choose what finds near pictures in a gallery; None where all are compared with all.

    Args:
        vectors: those that its index compares.
        index: its index, unless that is exact.
    """
    if len(embeddings) <= MOST_COMPARED:
        return None
    return Candidates.of_lists(embeddings, progress) if index is None else Candidates.of_index(index, vectors)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of near rows, each once.

    Attributes:
        first, second: int64 (m,), the lower row and the higher one.
        scores: their cosine similarity, float32 (m,), the same for equal vectors whatever their rows.
    """

    first: Rows
    second: Rows
    scores: Vectors

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.first)


def near_pairs(
    vectors: AnyVectors, threshold: float, *, candidates: Candidates | None = None, progress: OnProgress | None = None
) -> Pairs:
    """Find the pairs whose cosine similarity reaches a threshold, for each picture those with its nearest MOST.

    Without candidates all are compared with all, in time that grows with the square of their number.

    Args:
        vectors: float32 (n, dim), rows of unit length.
        candidates: what finds pictures that are compared; an approximate index may miss some.
    """
    report = Reporter(len(vectors), progress, task="Comparing")
    if candidates:
        blocks = _pairs_of_index(vectors, threshold, candidates, report)
    else:
        blocks = _pairs_of_all(vectors[:], threshold, report)
    found = [pairs for pairs in blocks if len(pairs)]
    if not found:
        return Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
    first, second = (np.concatenate(rows) for rows in zip(*((one.first, one.second) for one in found), strict=True))
    _, places = np.unique(first * len(vectors) + second, return_index=True)
    return Pairs(first[places], second[places], np.concatenate([one.scores for one in found])[places])


def _pairs_of_all(vectors: Vectors, threshold: float, report: Reporter) -> Iterator[Pairs]:
    """Yield the pairs of each block of rows with all later rows."""
    size = max(1, min(BLOCK, MATRIX // max(1, len(vectors))))
    for start in range(0, len(vectors), size):
        scores = vectors[start : start + size] @ vectors[start:].T
        others = [_nearest(near, row + 1, threshold - ROUNDING) for row, near in enumerate(scores)]
        first = np.repeat(np.arange(len(scores)), list(map(len, others)))
        yield _near(vectors, first + start, np.concatenate(others) + start, threshold)
        report.advance(len(scores))


def _nearest(scores: Vectors, start: int, threshold: float) -> Rows:
    """Return the places from `start` on of the best scores that reach the threshold, up to MOST."""
    places = np.flatnonzero(scores[start:] >= threshold) + start
    return places if len(places) <= MOST else places[np.argsort(-scores[places], kind="stable")[:MOST]]


def _pairs_of_index(vectors: AnyVectors, threshold: float, candidates: Candidates, report: Reporter) -> Iterator[Pairs]:
    """Yield the pairs of each batch of rows with their candidates."""
    for start in range(0, len(vectors), BATCH):
        rows = np.arange(start, min(start + BATCH, len(vectors)))
        pairs = _pairs_of_rows(vectors, threshold, candidates, rows, FEW)
        yield pairs
        counts = np.bincount(np.concatenate([pairs.first, pairs.second]), minlength=len(vectors))[rows]
        if len(more := rows[counts >= FEW]):
            yield _pairs_of_rows(vectors, threshold, candidates, more, MOST)
        report.advance(len(rows))


def _pairs_of_rows(vectors: AnyVectors, threshold: float, candidates: Candidates, rows: Rows, count: int) -> Pairs:
    """Return the pairs of some rows with `count` candidates each; a pair of two of these rows may be there twice."""
    found = candidates.find(candidates.vectors[rows], count + 1)  # with the row itself
    first, second = np.repeat(rows, found.shape[1]), found.astype(np.int64).ravel()
    others = (second >= 0) & (second != first)
    first, second = first[others], second[others]
    return _near(vectors, np.minimum(first, second), np.maximum(first, second), threshold)


def _near(vectors: AnyVectors, first: Rows, second: Rows, threshold: float) -> Pairs:
    """Return those of some pairs that reach the threshold."""
    scores = np.empty(len(first), np.float32)
    for start in range(0, len(first), BATCH):
        part = slice(start, start + BATCH)
        scores[part] = np.einsum("ij,ij->i", vectors[first[part]], vectors[second[part]])
    near = scores >= threshold
    return Pairs(first[near], second[near], scores[near])
