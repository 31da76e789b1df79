"""Groups by complete links: every member is near to every other, so that a chain of near pairs is not one group."""

from dataclasses import dataclass

import numpy as np

from similarity.query.near_pairs import AnyVectors, Pairs
from similarity.search import Rows

# Decimals to which equal scores are equal: the last digits of float32 are chance.
EQUAL = 5


@dataclass(frozen=True, slots=True)
class Linked:
    """Rows that are all near to each other.

    Attributes:
        rows: two or more, in rising order.
        score: the lowest cosine similarity of two of them.
    """

    rows: list[int]
    score: float


def link_completely(vectors: AnyVectors, pairs: Pairs, threshold: float, order: Rows | None = None) -> list[Linked]:
    """Group rows, nearest pairs first: the groups of a pair are joined if all their members are near to each other.

    Args:
        vectors: float32 (n, dim), rows of unit length.
        pairs: the near pairs; only groups that one of them links are joined.
        order: a number for each row, int64 (n,), which decides between pairs with equal scores; by default the row.

    Returns:
        Groups of two or more, by their first row.
    """
    ranks = np.arange(len(vectors)) if order is None else order
    ends = np.sort([ranks[pairs.first], ranks[pairs.second]], axis=0)
    groups = _Groups(vectors, threshold)
    nearest_first = np.lexsort((ends[1], ends[0], -np.round(pairs.scores, EQUAL)))
    for place in nearest_first.tolist():
        groups.join(int(pairs.first[place]), int(pairs.second[place]), float(pairs.scores[place]))
    return groups.all()


class _Groups:
    """Groups that grow, by the number of one of their rows: the smaller of two is added to the larger."""

    def __init__(self, vectors: AnyVectors, threshold: float) -> None:
        self._vectors, self._threshold = vectors, threshold
        self._number: dict[int, int] = {}  # by row
        self._rows: dict[int, list[int]] = {}  # by number, as the next
        self._lowest: dict[int, float] = {}
        self._apart: set[tuple[int, int, int, int]] = set()

    def join(self, first: int, second: int, score: float) -> None:
        """Join the groups of two near rows, if all others in them are near as well."""
        one, other = self._number.get(first, first), self._number.get(second, second)
        if one == other:
            return
        sizes = {number: len(self._rows.get(number, [number])) for number in (one, other)}
        larger, smaller = sorted((one, other), key=lambda number: (-sizes[number], number))
        key = (larger, smaller, sizes[larger], sizes[smaller])
        if key in self._apart:  # and neither has grown since
            return
        ours, theirs = self._rows.get(larger, [larger]), self._rows.get(smaller, [smaller])
        if len(ours) + len(theirs) > 2:
            score = self._lowest_between(ours, theirs)
        if score < self._threshold:
            self._apart.add(key)
            return
        self._lowest[larger] = min(score, self._lowest.get(larger, 1.0), self._lowest.pop(smaller, 1.0))
        self._rows[larger] = ours
        ours += theirs
        self._rows.pop(smaller, None)
        self._number |= dict.fromkeys([larger, *theirs], larger)

    def all(self) -> list[Linked]:
        """All groups of two or more, by their first row."""
        groups = [Linked(sorted(rows), self._lowest[number]) for number, rows in self._rows.items()]
        return sorted(groups, key=lambda group: group.rows[0])

    def _lowest_between(self, ours: list[int], theirs: list[int]) -> float:
        """Return the lowest score of a row of one group with a row of another.

        A matrix product would round otherwise than the scores of pairs, and otherwise in each order of the rows.
        """
        return float(np.einsum("id,jd->ij", self._vectors[ours], self._vectors[theirs]).min())
