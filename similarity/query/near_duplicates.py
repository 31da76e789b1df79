"""Duplicates in a gallery: exact copies, and pictures that look nearly the same."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from similarity.errors import SearchError
from similarity.progress import OnProgress
from similarity.query.complete_links import Linked, link_completely
from similarity.query.near_pairs import AnyVectors, Candidates, near_pairs
from similarity.query.thresholds import THRESHOLD
from similarity.sources import Item
from similarity.sources.base import files_of

if TYPE_CHECKING:
    from similarity.query.copies import Copy


@dataclass(frozen=True, slots=True)
class Group:
    """Exact copies, copies of one picture, or files that look nearly the same.

    Attributes:
        files: two or more; of copies of one picture, the first shows all that the others show.
        score: the lowest cosine similarity of two of them, or of one with the first; 1 if all are exact copies.
        copies: for each file what was done to it, seen from the first; None for the first itself, for exact copies,
            and where only embeddings were compared.
    """

    files: list[Item]
    score: float
    copies: "Sequence[Copy | None]" = ()

    def __post_init__(self) -> None:
        """Have an entry for each file."""
        if not self.copies:
            object.__setattr__(self, "copies", [None] * len(self.files))

    @property
    def is_exact(self) -> bool:
        """Whether all files have the same content."""
        return len({file.sha256 for file in self.files}) == 1

    @property
    def kind(self) -> str:
        """`exact` copies, copies of the `same` picture, or `near` ones by their embeddings."""
        if self.is_exact:
            return "exact"
        return "same" if any(self.copies) else "near"


def find_duplicates(
    items: Sequence[Item],
    vectors: AnyVectors,
    threshold: float = THRESHOLD,
    *,
    candidates: Candidates | None = None,
    progress: OnProgress | None = None,
) -> list[Group]:
    """Group the files of a gallery, largest groups first.

    Every two pictures of a group have a cosine similarity that reaches the threshold; nearest pairs are grouped first,
    and a picture is in one group only. Exact copies are always in one group. The order of the items does not matter.

    Args:
        vectors: float32 (n, dim), rows of unit length, one for each item.
        threshold: a cosine similarity above 0 and up to 1.
        candidates: what finds the pictures to compare in a large gallery; by default all are compared with all.

    Raises:
        SearchError: the threshold is not in that range.
    """
    check_threshold(threshold)
    pairs = near_pairs(vectors, threshold, candidates=candidates, progress=progress)
    paired = {*pairs.first.tolist(), *pairs.second.tolist()}
    found = {row: item for row, item in enumerate(items) if item.copies or row in paired}
    order = np.zeros(len(vectors), np.int64)
    order[sorted(found, key=lambda row: (found[row].path, found[row].id))] = np.arange(len(found))
    linked = link_completely(vectors, pairs, threshold, order)
    grouped = {row for group in linked for row in group.rows}
    alone = [Linked([row], 1.0) for row, item in found.items() if item.copies and row not in grouped]
    duplicates = [
        Group(list(files_of(found[row] for row in group.rows)), min(1.0, group.score)) for group in linked + alone
    ]
    return largest_first(duplicates)


def largest_first(groups: Iterable[Group]) -> list[Group]:
    """Sort groups: the largest first, and of those the nearest."""
    return sorted(groups, key=lambda group: (-len(group.files), -group.score, group.files[0].path))


def check_threshold(threshold: float) -> None:
    """Raise SearchError if a threshold is not above 0 and at most 1."""
    if not 0 < threshold <= 1:
        raise SearchError(f"The threshold must be above 0 and at most 1, not {threshold}.")
