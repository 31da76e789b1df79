"""Pairs of pictures that may be copies, by their local features, which turned and mirrored ones have in common."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from similarity.images.keypoints import Keypoints, mirror_keypoints
from similarity.images.picture import Box
from similarity.progress import OnProgress, Reporter
from similarity.query.composites import Pair, pair_of
from similarity.query.near_pairs import MOST_COMPARED
from similarity.query.visual_words import describe, learn_words
from similarity.search import VectorIndex, build_index, choose_recipe
from similarity.search.recipes import INVERTED
from similarity.storage.keypoint_files import read_or_find_keypoints
from similarity.vectors.arrays import Vectors
from similarity.vectors.memmap import StoredVectors, write_vectors

if TYPE_CHECKING:
    from similarity.query.searcher import Searcher

# Pictures that are looked at for each, and the cosine similarity below which none was a copy.
BY_FEATURES, LEAST_FEATURES = 5, 0.1
# Pictures whose nearest are looked up at a time, and that words are learned from.
BATCH, LEARNED_FROM = 1024, 500
READING = "Reading local features"


class Features:
    """One vector for the local features of each picture of a gallery, and one for them mirrored."""

    def __init__(self, gallery: "Searcher", folder: Path, progress: OnProgress | None) -> None:
        """Describe the pictures; of 100,000 the vectors take 800 MB in the folder."""
        self._gallery, self._progress = gallery, progress
        rows = np.linspace(0, len(gallery) - 1, min(len(gallery), LEARNED_FROM)).astype(int).tolist()
        self._words = learn_words(read_or_find_keypoints(gallery.directory, item) for item in gallery.items.at(rows))
        self._plain = self._write(folder / "plain.npy", READING, lambda keypoints: keypoints)
        self._mirrored = self._write(folder / "mirrored.npy", f"{READING}, mirrored", mirror_keypoints)
        self._index = index_of(self._plain)

    def pairs(self) -> set[Pair]:
        """Return the pairs of each row with those whose local features are nearest, as they are or mirrored."""
        return {
            pair
            for vectors in (self._plain, self._mirrored)
            for start in range(0, len(vectors), BATCH)
            for pair in self._nearest(vectors[start : start + BATCH], range(start, len(vectors)))
        }

    def pairs_beside(self, parts: Sequence[tuple[int, Box]]) -> set[Pair]:
        """Return the pairs of rows with those that are nearest to what they show beside a part."""
        pairs: set[Pair] = set()
        for start in range(0, len(parts), BATCH):
            batch = parts[start : start + BATCH]
            rests = [_outside(self._keypoints(row), box) for row, box in batch]
            pairs.update(self._nearest(np.stack([self._describe(rest) for rest in rests]), [row for row, _ in batch]))
        return pairs

    def _nearest(self, queries: Vectors, rows: Sequence[int]) -> Iterator[Pair]:
        return nearest_pairs(self._index, queries, rows, count=BY_FEATURES, least=LEAST_FEATURES)

    def _write(self, path: Path, task: str, side: Callable[[Keypoints], Keypoints]) -> StoredVectors:
        report = Reporter(len(self._gallery), self._progress, task=task)
        write_vectors(path, (len(self._gallery), self._words.size), self._described(side, report))
        return StoredVectors(path)

    def _described(self, side: Callable[[Keypoints], Keypoints], report: Reporter) -> Iterator[Vectors]:
        """Yield the vector of each picture, float32 (1, dim)."""
        for row in range(len(self._gallery)):
            yield self._describe(side(self._keypoints(row)))[np.newaxis]
            report.advance(1)

    def _describe(self, keypoints: Keypoints) -> Vectors:
        described = describe(keypoints, self._words)
        if not described.any():  # a plain picture; an index takes no zeros
            described[0] = 1
        return described

    def _keypoints(self, row: int) -> Keypoints:
        return read_or_find_keypoints(self._gallery.directory, self._gallery.items[row])


def index_of(vectors: StoredVectors) -> VectorIndex:
    """Return an index of vectors in memory: exact, or inverted lists where there are many."""
    is_exact = len(vectors) <= MOST_COMPARED
    return build_index("flat" if is_exact else choose_recipe(INVERTED, *vectors.shape).name, vectors)


def nearest_pairs(
    index: VectorIndex, queries: Vectors, rows: Sequence[int], *, count: int, least: float
) -> Iterator[Pair]:
    """Yield the pairs of rows with the nearest others.

    Args:
        queries: a vector for each of the rows, float32 (n, dim); there may be more rows.
        count: how many others at most.
        least: the lowest cosine similarity.
    """
    scores, found = index.search(queries, count + 1, accuracy="high")  # with the row itself
    near = (scores >= least) & (found >= 0)
    for place, other in zip(np.nonzero(near)[0].tolist(), found[near].tolist(), strict=True):
        if rows[place] != other:
            yield pair_of(rows[place], other)


def _outside(keypoints: Keypoints, box: Box) -> Keypoints:
    """Return the points outside of a part of their picture."""
    x, y = (keypoints.positions / (keypoints.width, keypoints.height)).T
    kept = (x < box.left) | (x > box.right) | (y < box.top) | (y > box.bottom)
    names = ("positions", "scales", "angles", "codes")
    return replace(keypoints, **{name: getattr(keypoints, name)[kept] for name in names})
