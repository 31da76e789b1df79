"""Rankings without repeats: without copies of a better result, or with one picture of each product."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from similarity.query.thresholds import SAME_TO_THE_EYE
from similarity.search import Rows
from similarity.storage.items import Items
from similarity.vectors.arrays import Vectors
from similarity.vectors.memmap import StoredVectors

# The column that says which pictures show one product; without it, look-alikes are taken for one.
PRODUCT = "product"
# The cosine similarity from which embeddings are of the same pixels, so that no second look is needed, nor a thumbnail.
EQUAL = 0.9995
# Pairs whose proof is kept: 100 bytes each.
MOST_KEPT = 1 << 20

# Returns those of some rows that are copies of a row.
CopiesOf = Callable[[int, Sequence[int]], Collection[int]]


class ProvenCopies:
    """Which pictures of a generation are copies of one picture; each pair is looked at once. Safe to share."""

    def __init__(self, directory: Path, items: Items, embeddings: StoredVectors) -> None:
        """Tell copies of these pictures, whose thumbnails are in a directory."""
        self._directory, self._items, self._embeddings = directory, items, embeddings
        self._known: dict[tuple[int, int], bool] = {}

    def of(self, row: int, rows: Sequence[int]) -> list[int]:
        """Return those of some rows that are proven to be copies of a row."""
        is_equal = self._embeddings[np.asarray(rows, np.int64)] @ self._embeddings[row] >= EQUAL
        known = {
            other: True if equal else self._known.get((min(row, other), max(row, other)))
            for other, equal in zip(rows, is_equal.tolist(), strict=True)
        }
        if unknown := [other for other, is_copy in known.items() if is_copy is None]:
            # OpenCV is loaded only where it is needed.
            from similarity.query.proof import prove

            proven = prove(self._directory, self._items, row, unknown)
            if len(self._known) > MOST_KEPT:
                self._known = {}
            known |= {other: other in proven for other in unknown}
            self._known |= {(min(row, other), max(row, other)): other in proven for other in unknown}
        return [other for other in rows if known[other]]


def without_copies(blocks: Iterable[Vectors], rows: Rows, wanted: int, copies_of: CopiesOf) -> Rows:
    """Return the places in a ranking that are no copies of an earlier returned one.

    Args:
        blocks: as in `without_near_identical`.
        rows: the rows of the ranking.
        wanted: number of places to return.
        copies_of: called with the few earlier rows whose embeddings are near.
    """

    def is_new(place: int, near: list[int]) -> bool:
        return not copies_of(int(rows[place]), rows[near].tolist())

    return _keep(_with_near(blocks, SAME_TO_THE_EYE), wanted, is_new)


def without_near_identical(blocks: Iterable[Vectors], wanted: int, threshold: float = SAME_TO_THE_EYE) -> Rows:
    """Return the places in a ranking without those that are nearly identical to an earlier returned one.

    Args:
        blocks: float32 (any, dim), rows of unit length, best first; read until there are enough rows.
        wanted: number of places to return.

    Returns:
        Their numbers, in order.
    """
    return _keep(_with_near(blocks, threshold), wanted, lambda *_: False)


def first_of_each(numbers: Rows, wanted: int) -> Rows:
    """Return the places of the first of each number, in order, up to those wanted."""
    places: Rows = np.sort(np.unique(numbers, return_index=True)[1])[:wanted]
    return places


def _keep(places: Iterable[tuple[int, Rows]], wanted: int, is_new: Callable[[int, list[int]], bool]) -> Rows:
    """Return the first places that are near to none that is kept, or that are new nevertheless."""
    kept: dict[int, None] = {}
    for place, near in places:
        repeated = [other for other in near.tolist() if other in kept]
        if not repeated or is_new(place, repeated):
            kept[place] = None
            if len(kept) == wanted:
                break
    return np.array(list(kept), np.int64)


def _with_near(blocks: Iterable[Vectors], threshold: float) -> Iterator[tuple[int, Rows]]:
    """Yield each place with the earlier places whose vectors are near to its own."""
    seen: list[Vectors] = []
    start = 0
    for block in blocks:
        seen.append(block)
        near = np.concatenate([block @ others.T >= threshold for others in seen], axis=1)
        for row in range(len(block)):
            yield start + row, np.flatnonzero(near[row, : start + row])
        start += len(block)
