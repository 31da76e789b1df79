"""Duplicates in a gallery: exact copies, and pictures that look nearly the same."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from similarity.errors import SearchError
from similarity.progress import OnProgress, Reporter
from similarity.query.thresholds import SAME_TO_THE_EYE, THRESHOLD
from similarity.sources import Item
from similarity.sources.base import files_of
from similarity.vectors.arrays import Vectors

# Maximum embeddings that are compared with all others at a time, and maximum scores.
BLOCK, MATRIX = 512, 1 << 26


@dataclass(frozen=True, slots=True)
class Group:
    """Exact copies, or files that look nearly the same.

    Attributes:
        files: two or more.
        score: the lowest cosine similarity that links the group; 1 if all are exact copies.
    """

    files: list[Item]
    score: float

    @property
    def is_exact(self) -> bool:
        """Whether all files have the same content."""
        return len({file.sha256 for file in self.files}) == 1


def find_duplicates(
    items: Sequence[Item], vectors: Vectors, threshold: float = THRESHOLD, *, progress: OnProgress | None = None
) -> list[Group]:
    """Group the files of a gallery, largest groups first.

    Two pictures are in one group if their cosine similarity reaches the threshold, or if a chain of such pairs links
    them. Exact copies are always in one group.

    Args:
        vectors: float32 (n, dim), rows of unit length, one for each item.
        threshold: a cosine similarity above 0 and up to 1.

    Raises:
        SearchError: the threshold is not in that range.
    """
    if not 0 < threshold <= 1:
        raise SearchError(f"The threshold must be above 0 and at most 1, not {threshold}.")
    groups, scores = link(vectors, threshold, progress=progress)
    rows: dict[int, list[int]] = defaultdict(list)
    for row, group in enumerate(groups.tolist()):
        rows[group].append(row)
    duplicates = [
        Group(list(files_of(items[row] for row in members)), min(1.0, float(scores[group])))
        for group, members in rows.items()
        if len(members) > 1 or items[members[0]].copies
    ]
    return sorted(duplicates, key=lambda group: (-len(group.files), -group.score, group.files[0].path))


def without_near_identical(
    blocks: Iterable[Vectors], wanted: int, threshold: float = SAME_TO_THE_EYE
) -> npt.NDArray[np.int64]:
    """Return the rows of a ranking without those that are nearly identical to an earlier returned row.

    Args:
        blocks: float32 (any, dim), rows of unit length, best first; read until there are enough rows.
        wanted: number of rows to return.

    Returns:
        Row numbers, in order.
    """
    distinct: list[int] = []
    seen: list[Vectors] = []
    start = 0
    for block in blocks:
        is_new: npt.NDArray[np.bool_] = np.ones(len(block), bool)
        for others in seen:
            is_new &= (block @ others.T < threshold).all(axis=1)
        near = block @ block.T >= threshold
        for row in range(len(block)):
            if is_new[row]:
                is_new[row + 1 :] &= ~near[row, row + 1 :]
        distinct += (np.flatnonzero(is_new) + start).tolist()
        seen.append(block[is_new])
        start += len(block)
        if len(distinct) >= wanted:
            break
    return np.array(distinct[:wanted], np.int64)


def link(
    vectors: Vectors, threshold: float, *, progress: OnProgress | None = None
) -> tuple[npt.NDArray[np.int64], Vectors]:
    """Group linked rows, in time that grows with the square of their number.

    Returns:
        The number of each row's group, which is the group's first row; and, indexed by that number, the lowest cosine
        similarity of a linked pair in the group, at most 1.
    """
    report = Reporter(len(vectors), progress, task="Comparing")
    groups, lowest = np.arange(len(vectors)), np.ones(len(vectors), np.float32)
    size = max(1, min(BLOCK, MATRIX // max(1, len(vectors))))
    for start in range(0, len(vectors), size):
        scores = vectors[start : start + size] @ vectors[start:].T
        for row, near in enumerate(scores):
            others = np.flatnonzero(near[row + 1 :] >= threshold) + row + 1
            if len(others):
                _merge(groups, lowest, np.append(others, row) + start, near[others].min())
        report.advance(len(scores))
    return groups, lowest


def _merge(groups: npt.NDArray[np.int64], lowest: Vectors, rows: npt.NDArray[np.int64], score: np.float32) -> None:
    """Merge the groups of some rows that are linked with this lowest score."""
    merged = np.unique(groups[rows])
    if len(merged) > 1:
        groups[np.isin(groups, merged)] = merged[0]
    lowest[merged[0]] = min(score, lowest[merged].min())
