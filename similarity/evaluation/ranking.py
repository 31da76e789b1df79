"""Ranking of all pictures for every query, a block of queries at a time; only a summary of each ranking is kept.

The scores are exact products, not those of an approximate index, and equal scores are ordered by row. A score and its
row are packed into one number of 64 bits, lower for better hits, so that a ranking is a sort of distinct numbers, the
same with any algorithm.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from similarity.evaluation import metrics
from similarity.evaluation.metrics import Values
from similarity.evaluation.passes import Blocks, Pictures, fits_in_memory, passes_over
from similarity.progress import OnProgress, Reporter
from similarity.vectors.arrays import Vectors

# Maximum queries that are compared with all pictures at a time, and maximum scores: 32 MB when packed.
BLOCK, MATRIX = 512, 1 << 22
# A gallery that does not fit in memory is read again for every block of queries, which are then so many times as large.
LARGER = 8
# Hits of each query in the results, and the largest k of recall.
HITS, REACH = 10, 100

Codes = npt.NDArray[np.int32]
Packed = npt.NDArray[np.uint64]
LAST_ROW = np.uint64(0xFFFFFFFF)
# Returns the vectors of queries by their numbers, float32 (m, dim).
ReadQueries = Callable[[npt.NDArray[np.int64]], Vectors]
# Replaced vectors of pictures for some queries: numbers of queries and rows, (k,), and float32 (k, dim).
Amended = tuple[npt.NDArray[np.int64], npt.NDArray[np.integer], Vectors]
Amend = Callable[[npt.NDArray[np.int64]], Amended]


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """Queries with their right answers.

    Attributes:
        pictures: the label of each row of the gallery as a number, int32 (n,); -1 for none, which is never right.
        queries: the label of each query, likewise, int32 (q,).
        own: the row of the query itself, which is not a hit, int64 (q,); -1 where it is not in the gallery.
        relevant: number of right pictures in the gallery, int32 (q,), at least 1.
    """

    pictures: Codes
    queries: Codes
    own: npt.NDArray[np.int64]
    relevant: Codes


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """The results of each query, in arrays of length q.

    Attributes:
        first_right: rank of the first right hit, int32.
        average_precision: at R, float64; see `metrics` for this and the next four.
        r_precision, precision_5, precision_10, ndcg_10: float64.
        rows: rows of the first ten hits, int32 (q, 10); -1 where there are fewer pictures.
        scores: scores of the first ten hits, float32 (q, 10).
        right: whether the first ten hits are right, bool (q, 10).
    """

    first_right: Codes
    average_precision: Values
    r_precision: Values
    precision_5: Values
    precision_10: Values
    ndcg_10: Values
    rows: Codes
    scores: Vectors
    right: metrics.Right

    def __len__(self) -> int:
        """Number of queries."""
        return len(self.first_right)


def rank_all(
    gallery: Pictures,
    read_queries: ReadQueries,
    task: Task,
    *,
    amend: Amend | None = None,
    matrix: int = MATRIX,
    progress: OnProgress | None = None,
) -> Outcomes:
    """Compare all queries with all pictures.

    Args:
        gallery: rows of unit length.
        read_queries: returns the vectors of queries, of unit length.
        amend: returns replaced vectors of pictures for some queries.
        matrix: maximum scores at a time; at least one query is compared.
        progress: called with the progress.
    """
    report = Reporter(len(task.queries), progress, task="Evaluating")
    starts = block_starts(len(task.queries), len(gallery), gallery.dim, matrix)
    blocks = []
    with passes_over(gallery, len(starts)) as read:
        for start in starts:
            part = slice(start, min(start + starts.step, len(task.queries)))
            numbers = np.arange(part.start, part.stop)
            vectors = read_queries(numbers)
            packed = _compare(vectors, len(gallery), read(), task.own[part])
            if amend:
                _amend(packed, vectors, start, *amend(numbers))
            blocks.append(_judge(packed, task, part))
            report.advance(part.stop - part.start)
    names = [column.name for column in fields(Outcomes)]
    return Outcomes(*(np.concatenate([getattr(block, name) for block in blocks]) for name in names))


def block_starts(queries: int, count: int, dim: int, matrix: int = MATRIX) -> range:
    """Return the first query of each block that is compared with `count` vectors of `dim` numbers at a time."""
    most = matrix if fits_in_memory(count, dim) else matrix * LARGER
    return range(0, queries, max(1, min(BLOCK, most // count)))


def _compare(queries: Vectors, count: int, blocks: Blocks, own: npt.NDArray[np.int64]) -> Packed:
    """Return the scores of queries with all pictures, packed with their rows, unsorted: uint64 (m, count)."""
    packed = np.empty((len(queries), count), np.uint64)
    for start, block in blocks:
        scores = queries @ block.T
        themselves = np.flatnonzero((own >= start) & (own < start + len(block)))
        scores[themselves, own[themselves] - start] = -np.inf
        packed[:, start : start + len(block)] = pack(scores, start)
    return packed


def _amend(
    packed: Packed,
    queries: Vectors,
    start: int,
    numbers: npt.NDArray[np.int64],
    rows: npt.NDArray[np.integer],
    vectors: Vectors,
) -> None:
    """Replace the scores of some queries, counted from `start`, with some pictures."""
    places = numbers - start
    scores = np.einsum("ij,ij->i", queries[places], vectors)[:, np.newaxis]
    packed[places, rows] = (pack(scores)[:, 0] & ~LAST_ROW) | rows.astype(np.uint64)


def pack(scores: Vectors, start: int = 0) -> Packed:
    """Pack scores and rows into numbers, lower for better scores, and for lower rows among equal scores.

    Floats are ordered like their bits, with the order of negative ones reversed.
    """
    bits = (scores + np.float32(0)).view(np.int32)  # there is a minus zero, too
    turn = bits >> 31  # all ones for negative scores, else none
    np.invert(turn, out=turn)
    turn &= np.int32(0x7FFFFFFF)
    bits ^= turn
    packed: Packed = bits.view(np.uint32).astype(np.uint64)
    packed <<= np.uint64(32)
    packed |= np.arange(start, start + scores.shape[1], dtype=np.uint64)
    return packed


def unpack(packed: Packed) -> tuple[Vectors, Codes]:
    """Return the scores, float32, and the rows, int32."""
    falling = (packed >> np.uint64(32)).astype(np.uint32)
    bits = np.where(falling >> 31, falling, ~falling & np.uint32(0x7FFFFFFF))
    return bits.view(np.float32), _rows(packed)


def _rows(packed: Packed) -> Codes:
    return np.asarray(packed & LAST_ROW, np.int32)


def _judge(packed: Packed, task: Task, part: slice) -> Outcomes:
    """Return the outcomes of a block of queries."""
    labels, relevant = task.queries[part], task.relevant[part]
    depth = min(packed.shape[1], max(REACH, int(relevant.max())))
    packed.partition(depth - 1, axis=1)
    best = np.sort(packed[:, :depth], axis=1)
    scores, rows = unpack(best[:, :HITS])
    right = _right_hits(best, task, part)
    first = metrics.first_right(right)
    if len(late := np.flatnonzero(first == metrics.NEVER)):
        first[late] = _first_in_ranking(packed[late], labels[late], task.pictures)
    there = np.isfinite(scores)
    return Outcomes(
        first_right=first,
        average_precision=metrics.average_precision_at_r(right, relevant),
        r_precision=metrics.r_precision(right, relevant),
        precision_5=metrics.precision_at(right, 5),
        precision_10=metrics.precision_at(right, 10),
        ndcg_10=metrics.ndcg_at(right, relevant, 10),
        rows=_pad(np.where(there, rows, -1), -1).astype(np.int32),
        # Embeddings in half precision are not quite of unit length.
        scores=_pad(np.where(there, scores.clip(-1, 1), np.nan), np.nan).astype(np.float32),
        right=_pad(right[:, :HITS], 0).astype(bool),
    )


def _right_hits(packed: Packed, task: Task, part: slice) -> metrics.Right:
    """Return which hits have the labels of their queries, and are not the queries themselves."""
    rows = _rows(packed)
    right = task.pictures[rows] == task.queries[part, np.newaxis]
    right &= rows != task.own[part, np.newaxis]
    return np.asarray(right, bool)


def _first_in_ranking(packed: Packed, labels: Codes, pictures: Codes) -> npt.NDArray[np.int32]:
    """Return the rank of the first right hit in the whole ranking: the number of hits up to the best right one.

    The query itself has the right label, but the worst score, so it is never the best right hit.
    """
    is_right = pictures[_rows(packed)] == labels[:, np.newaxis]
    best = np.where(is_right, packed, np.iinfo(np.uint64).max).min(axis=1)
    return np.asarray((packed <= best[:, np.newaxis]).sum(axis=1), np.int32)


def _pad(values: npt.NDArray[np.generic], with_: float) -> npt.NDArray[np.generic]:
    """Pad columns to HITS."""
    return np.pad(values, ((0, 0), (0, HITS - values.shape[1])), constant_values=with_)
