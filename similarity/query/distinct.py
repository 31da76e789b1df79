"""Rankings without repeats: without copies of a better result, or with one picture of each product."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from similarity.query.near_pairs import BLOCK
from similarity.query.thresholds import SAME_TO_THE_EYE
from similarity.search import Rows
from similarity.storage.items import Items
from similarity.storage.thumbnails import has_thumbnail
from similarity.vectors.arrays import Vectors
from similarity.vectors.memmap import StoredVectors

# The column that says which pictures show one product; without it, look-alikes are taken for one.
PRODUCT = "product"
# The cosine similarity from which embeddings are of the same pixels, so that no second look is needed, nor a thumbnail.
EQUAL = 0.9995
# The cosine similarity from which local features may be of copies: of 675 products rendered on common backdrops, 186
# of 227,000 pairs reach it, and of 1,533 photographs of clothing 299 of 1,174,000; of planted copies all but crops do.
LEAST = 0.35
# Pairs whose proof is kept, of 100 bytes each; and pictures whose vectors are kept, of 8 kB each.
MOST_KEPT, MOST_DESCRIBED = 1 << 20, 1 << 13
# Pictures that words are learned from.
LEARNED_FROM = 150

Halves = npt.NDArray[np.float16]
# What a block of rows is asked with, what it is asked for, and the cosine similarity that is near.
Compared = tuple[Vectors, Vectors, float]


class ProvenCopies:
    """Which pictures of a generation are copies of one picture; each pair is looked at once. Safe to share."""

    def __init__(self, directory: Path, items: Items, embeddings: StoredVectors) -> None:
        """Tell copies of these pictures, whose thumbnails are in a directory."""
        self._directory, self._items, self._embeddings = directory, items, embeddings
        self._known: dict[tuple[int, int], bool] = {}
        self._described: dict[int, Halves] = {}

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

    def compared(self, rows: Rows) -> list[Compared]:
        """Return what tells which of some rows may be copies: embeddings, and local features, also mirrored."""
        known = self._describe(rows.tolist())
        embeddings, described = self._embeddings[rows], np.stack([known[row] for row in rows.tolist()])
        plain, mirrored = (described[:, side].astype(np.float32) for side in (0, 1))
        return [(embeddings, embeddings, EQUAL), (plain, plain, LEAST), (mirrored, plain, LEAST)]

    def _describe(self, rows: list[int]) -> dict[int, Halves]:
        """Return one vector for the local features of each picture, and one for them mirrored, float16 (2, dim)."""
        if len(self._described) >= MOST_DESCRIBED:
            self._described = {}
        known = self._described
        missing = [row for row in rows if row not in known]
        if missing:
            # OpenCV is loaded only where it is needed.
            from similarity.images.keypoints import mirror_keypoints
            from similarity.query.visual_words import describe
            from similarity.storage.keypoint_files import read_or_find_keypoints

            for row, item in zip(missing, self._items.at(missing), strict=True):
                described = np.zeros((2, self._words.size), np.float16)
                if has_thumbnail(self._directory, item.sha256):
                    keypoints = read_or_find_keypoints(self._directory, item)
                    for side, points in enumerate((keypoints, mirror_keypoints(keypoints))):
                        described[side] = describe(points, self._words)
                known[row] = described
        return known

    @cached_property
    def _words(self) -> Vectors:
        from similarity.query.visual_words import learn_words
        from similarity.storage.keypoint_files import read_or_find_keypoints

        rows = np.linspace(0, len(self._items) - 1, min(len(self._items), LEARNED_FROM)).astype(int).tolist()
        items = (item for item in self._items.at(rows) if has_thumbnail(self._directory, item.sha256))
        return learn_words(read_or_find_keypoints(self._directory, item) for item in items)


def without_copies(rows: Rows, wanted: int, copies: ProvenCopies) -> Rows:
    """Return the places in a ranking that are no copies of an earlier returned one.

    Args:
        rows: the rows of the ranking.
        wanted: number of places to return.
        copies: asked about the few earlier rows that may be copies.
    """

    def is_new(place: int, near: list[int]) -> bool:
        return not copies.of(int(rows[place]), rows[near].tolist())

    blocks = (copies.compared(rows[start : start + BLOCK]) for start in range(0, len(rows), BLOCK))
    return _keep(_with_near(blocks), wanted, is_new)


def without_near_identical(blocks: Iterable[Vectors], wanted: int, threshold: float = SAME_TO_THE_EYE) -> Rows:
    """Return the places in a ranking without those that are nearly identical to an earlier returned one.

    Args:
        blocks: float32 (any, dim), rows of unit length, best first; read until there are enough rows.
        wanted: number of places to return.

    Returns:
        Their numbers, in order.
    """
    return _keep(_with_near([(block, block, threshold)] for block in blocks), wanted, lambda *_: False)


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


def _with_near(blocks: Iterable[Sequence[Compared]]) -> Iterator[tuple[int, Rows]]:
    """Yield each place with the earlier places that are near to it in one of the ways in which they are compared."""
    seen: list[list[Vectors]] = []
    start = 0
    for block in blocks:
        seen.append([vectors for _, vectors, _ in block])
        is_near: npt.NDArray[np.bool_] = np.zeros((len(block[0][0]), start + len(block[0][0])), bool)
        for way, (queries, _, threshold) in enumerate(block):
            is_near |= np.concatenate([queries @ others[way].T for others in seen], axis=1) >= threshold
        for row, near in enumerate(is_near):
            yield start + row, np.flatnonzero(near[: start + row])
        start += len(is_near)
