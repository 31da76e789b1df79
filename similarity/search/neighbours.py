"""Neighbours of all pictures of a large gallery: found with inverted lists, and updated after a change.

Comparing each of a million pictures with all takes hours. So the lists of `faiss/inverted.py` are made of the centred
embeddings for as long as it takes, and asked for the nearest of each picture; their scores are exact, and `tuning.py`
measures how many lists to visit. After a change that leaves most pictures, only new ones, and those that lost a
neighbour, are compared with all.
"""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from similarity.progress import OnProgress, Progress, Reporter
from similarity.search.contract import Rows, VectorIndex
from similarity.search.faiss.inverted import InvertedIndex
from similarity.search.faiss_library import cores, faiss
from similarity.search.recipes import INVERTED, choose_recipe
from similarity.threads import need_threads
from similarity.vectors.arrays import FindCandidates, Nearest, Vectors
from similarity.vectors.centred import CentredRows
from similarity.vectors.effort import MEASURED_CORES, Effort
from similarity.vectors.memmap import StoredVectors
from similarity.vectors.refined import KEPT

# Pictures whose neighbours are found at a time, and kept for a run that is interrupted.
BATCH = 4096
# Pictures that a thread searches for at a time.
SHARE = 256
# Seconds for a billion multiplications when pictures are compared with all, on MEASURED_CORES.
BILLION_S = 0.04
# From this share of changed pictures on, all neighbours are found anew, around a new centre; and also once the mean of
# the embeddings, after many small changes, is farther from the centre than this share of what centring leaves of them.
MOST_CHANGED, MOST_DRIFT = 0.2, 0.1

logger = logging.getLogger(__name__)

Keep = Callable[[Nearest], object]


def find_neighbours(
    centred: StoredVectors,
    *,
    found: Nearest | None = None,
    keep: Keep | None = None,
    progress: OnProgress | None = None,
) -> Nearest:
    """Find the nearest KEPT of each row, of which it is one itself: int32 (n, KEPT), nearest first.

    Args:
        centred: the embeddings, compared by a `Refined` without neighbours.
        found: those of the first rows, from a run that was interrupted.
        keep: called with those of the next rows, each time that some were found.
    """
    need_threads()
    results = [] if found is None else [found]
    done, task = sum(map(len, results)), f"Finding the neighbours of {len(centred):,} pictures"
    if done == len(centred):
        return np.concatenate(results)
    announced = f"{task}: {Effort.of(*centred.shape)}"
    logger.info("%s", announced)

    def announce(step: Progress) -> None:
        """Go on saying what it takes while the lists are made."""
        if progress:
            progress(replace(step, task=announced))

    announce(Progress(announced))
    index = InvertedIndex.build(choose_recipe(INVERTED, *centred.shape).name, centred, announce)
    report = Reporter(len(centred), progress, task=task)
    report.advance(done)
    for part in _search_all(index, centred, done):
        if keep:
            keep(part)
        results.append(part)
        report.advance(len(part))
    return np.concatenate(results)


def update_neighbours(
    centred: StoredVectors, before: Nearest, origins: Rows, progress: OnProgress | None = None
) -> Nearest | None:
    """Find the neighbours after a change, from those before it; None if finding all of them anew takes less time.

    Args:
        centred: all embeddings after the change, around the same centre as before.
        before: the neighbours before it, int32 (n, KEPT).
        origins: for each row the one before, or -1.
    """
    need_threads()
    lists = _carry_over(before, origins)
    asked = np.flatnonzero(lists[:, 0] < 0)
    comparing_s = len(asked) * len(centred) * centred.dim / 1e9 * BILLION_S
    if comparing_s > Effort.of(len(centred), centred.dim, MEASURED_CORES).seconds:
        return None
    if len(asked):
        report = Reporter(2 * len(centred), progress, task="Updating the neighbours")
        kept, new = np.flatnonzero(lists[:, 0] >= 0), np.flatnonzero(origins < 0)
        lists[asked] = nearest_of_all(centred, centred[asked], report)
        _insert(lists, centred, kept, new)
        _put_back(lists, np.arange(len(centred)))
        report.advance(len(centred))
    return lists


def nearest_of_all(centred: StoredVectors, queries: Vectors, report: Reporter | None = None) -> Nearest:
    """Return the nearest KEPT of all rows to some vectors, exactly: int32 (m, KEPT), nearest first.

    A row itself may be missing from those of its own vector if more than KEPT rows are equal.

    Args:
        queries: vectors centred as the rows are, float32 (m, dim).
    """
    nearest = np.full((len(queries), KEPT), -1, np.int32)
    best = np.full((len(queries), KEPT), -np.inf, np.float32)
    for start, block in centred.blocks():
        found, places = faiss.knn(queries, block, min(KEPT, len(block)), metric=faiss.METRIC_INNER_PRODUCT)
        scores, rows = np.concatenate([best, found], axis=1), np.concatenate([nearest, places + start], axis=1)
        order = np.argsort(-scores, axis=1, kind="stable")[:, :KEPT]
        best = np.take_along_axis(scores, order, axis=1)
        nearest = np.take_along_axis(rows, order, axis=1).astype(np.int32)
        if report:
            report.advance(len(block))
    return nearest


def is_mostly_kept(origins: Rows, before: int) -> bool:
    """Whether a change of a gallery of `before` pictures leaves so many that the centre can stay."""
    kept = int((origins >= 0).sum())
    return len(origins) - kept + before - kept <= MOST_CHANGED * len(origins)


def is_near(centre: Vectors, mean: Vectors) -> bool:
    """Whether a centre that was kept through changes is near enough to the mean of embeddings of unit length to stay.

    What is left of them after centring has the length root(1 - |mean|²), which is what an error of the centre is felt
    by: where embeddings have little in common, and the mean is short, its direction matters little.
    """
    left = np.sqrt(max(0.0, 1 - float(mean @ mean)))
    return bool(np.linalg.norm(mean - centre) <= MOST_DRIFT * left)


def without_moved(origins: Rows, before: Nearest, after: Nearest, towards: int) -> Rows:
    """Return origins with -1 for rows that are moved towards other pictures than before the change.

    Args:
        before, after: the neighbours before and after the change, around the same centre.
        towards: how many of them a row is moved towards.
    """
    same = _carry_over(before[:, :towards], origins)
    unmoved: Rows = np.where((same == after[:, :towards]).all(axis=1), origins, -1)
    return unmoved


def candidates_of(index: VectorIndex) -> FindCandidates:
    """Return a function that asks an index for rows near to vectors."""
    return lambda queries, count: index.search(queries, count)[1]


def _search_all(index: InvertedIndex, centred: StoredVectors, start: int) -> Iterator[Nearest]:
    """Yield the neighbours of all rows from one on, in order, in batches; threads share each batch."""

    def search(rows: Rows) -> Nearest:
        nearest: Nearest = index.search(centred[rows], KEPT)[1].astype(np.int32)
        _put_back(nearest, rows)
        return nearest

    with ThreadPoolExecutor(cores()) as pool:
        for first in range(start, len(centred), BATCH):
            rows = np.arange(first, min(first + BATCH, len(centred)))
            shares = np.array_split(rows, -(-len(rows) // SHARE))
            yield np.concatenate(list(pool.map(search, shares)))


def _put_back(lists: Nearest, rows: Rows) -> None:
    """Put rows first that are missing from their own neighbours: their codes are far from them, or others equal."""
    lost = (lists != rows[:, np.newaxis]).all(axis=1)
    lists[lost] = np.column_stack([rows[lost], lists[lost, :-1]])


def _carry_over(before: Nearest, origins: Rows) -> Nearest:
    """Return the neighbours of each row in new numbers; -1 throughout for new rows, and for those that lost one."""
    rows = np.full(len(before), -1, np.int32)
    stays = np.flatnonzero(origins >= 0)
    rows[origins[stays]] = stays
    lists = np.full((len(origins), before.shape[1]), -1, np.int32)
    lists[stays] = rows[before[origins[stays]]]
    lists[(lists < 0).any(axis=1)] = -1
    return lists


def _insert(lists: Nearest, centred: StoredVectors, rows: Rows, new: Rows) -> None:
    """Put new rows into the lists of others that they are nearer to than the last there."""
    if centred.centre is None or not len(new):
        return
    vectors, all_rows = centred[new], CentredRows(centred.rows, centred.centre)
    for start in range(0, len(rows), BATCH):
        part = rows[start : start + BATCH]
        own = centred[part]
        scores, places = faiss.knn(own, vectors, min(KEPT, len(new)), metric=faiss.METRIC_INNER_PRODUCT)
        better = scores[:, 0] > np.einsum("ij,ij->i", own, centred[lists[part, -1]])
        if better.any():
            candidates = np.concatenate([lists[part[better]], new[places[better]]], axis=1)
            lists[part[better]] = all_rows.best_of(own[better], candidates, KEPT)[0]
