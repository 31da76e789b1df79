"""Copies of one picture in a gallery, turned, mirrored, cut or saved again: candidates, the second look, and groups."""

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from similarity.images.keypoints import Keypoints, mirror_keypoints
from similarity.progress import OnProgress, Reporter
from similarity.query.composites import Pair, Proven, pair_of, pairs_apart
from similarity.query.copies import Copy
from similarity.query.near_duplicates import Group, largest_first
from similarity.query.near_pairs import MOST_COMPARED
from similarity.query.proof import prove
from similarity.query.visual_words import describe, learn_words
from similarity.search import VectorIndex, build_index, choose_recipe
from similarity.search.recipes import INVERTED
from similarity.sources import Item
from similarity.sources.base import files_of
from similarity.storage.keypoint_files import read_or_find_keypoints
from similarity.vectors.arrays import Vectors
from similarity.vectors.memmap import StoredVectors, write_vectors

if TYPE_CHECKING:
    from similarity.query.searcher import Searcher

# Pictures that are looked at for each: those with the nearest embeddings, which find parts, and those with the nearest
# local features, as they are and mirrored, which find turned ones. Planted among 1,533 photographs of clothing, 0.99 of
# 660 altered ones were among these.
BY_EMBEDDING, BY_FEATURES = 8, 5
# Cosine similarities below which none of them was a copy.
LEAST_EMBEDDING, LEAST_FEATURES = 0.5, 0.1
# Pictures whose nearest are looked up at a time, and that words are learned from.
BATCH, LEARNED_FROM = 1024, 500


def find_same_pictures(gallery: "Searcher", progress: OnProgress | None = None) -> list[Group]:
    """Group the files of a gallery that show one picture, largest groups first.

    Every file of a group is proven to be a copy of the first one. Photographs of a burst are no copies, nor are those
    of a product in two colours; a copy with other brightness or colours throughout, or without any, is one. A collage
    is in no group with the pictures that it is made of, of which two at least are in the gallery.
    """
    pairs = sorted(_pairs_by_embedding(gallery) | _pairs_by_features(gallery, progress))
    reporter = Reporter(len(pairs), progress, task="Looking closely")
    proven: dict[Pair, Copy] = {}
    for row, group in groupby(pairs, key=itemgetter(0)):
        rows = [other for _, other in group]
        proven |= {(row, other): copy for other, copy in prove(gallery.directory, gallery.items, row, rows).items()}
        reporter.advance(len(rows))
    groups = _group(proven, gallery.items)
    grouped = {row for rows in groups for row in rows}
    alone = [[row] for row, item in enumerate(gallery.items) if item.copies and row not in grouped]
    return largest_first(_to_group(gallery, rows, proven) for rows in groups + alone)


def inverse(copy: Copy) -> Copy:
    """Return what was found, seen from the other picture."""
    rotation = copy.rotation if copy.mirrored else -copy.rotation
    return replace(copy, rotation=rotation, query_box=copy.result_box, result_box=copy.query_box)


def _pairs_by_embedding(gallery: "Searcher") -> set[Pair]:
    """Return the pairs of each row with those whose embeddings are nearest."""
    index = _index(gallery.embeddings)
    return {
        pair
        for start in range(0, len(gallery), BATCH)
        for pair in _nearest(index, gallery.embeddings[start : start + BATCH], start, BY_EMBEDDING, LEAST_EMBEDDING)
    }


def _pairs_by_features(gallery: "Searcher", progress: OnProgress | None) -> set[Pair]:
    """Return the pairs of each row with those whose local features are nearest, as they are or mirrored."""
    rows = np.linspace(0, len(gallery) - 1, min(len(gallery), LEARNED_FROM)).astype(int).tolist()
    words = learn_words(read_or_find_keypoints(gallery.directory, item) for item in gallery.items.at(rows))
    shape = (len(gallery), words.size)
    reporter = Reporter(2 * len(gallery), progress, task="Reading local features")
    found: set[Pair] = set()
    with tempfile.TemporaryDirectory() as folder:  # of 100,000 pictures they have 800 MB
        sides = [Path(folder, name) for name in ("plain.npy", "mirrored.npy")]
        for path, side in zip(sides, (lambda keypoints: keypoints, mirror_keypoints), strict=True):
            write_vectors(path, shape, _described(gallery, words, side, reporter))
        plain, mirrored = map(StoredVectors, sides)
        index = _index(plain)
        for vectors in (plain, mirrored):
            for start in range(0, len(vectors), BATCH):
                batch = vectors[start : start + BATCH]
                found.update(_nearest(index, batch, start, BY_FEATURES, LEAST_FEATURES))
    return found


def _described(
    gallery: "Searcher", words: Vectors, side: Callable[[Keypoints], Keypoints], reporter: Reporter
) -> Iterator[Vectors]:
    """Yield the vector of the local features of each picture, float32 (1, dim)."""
    for item in gallery.items:
        described = describe(side(read_or_find_keypoints(gallery.directory, item)), words)
        if not described.any():  # a plain picture; an index takes no zeros
            described[0] = 1
        yield described[np.newaxis]
        reporter.advance(1)


def _index(vectors: StoredVectors) -> VectorIndex:
    """Return an index of vectors in memory: exact, or inverted lists where there are many."""
    is_exact = len(vectors) <= MOST_COMPARED
    return build_index("flat" if is_exact else choose_recipe(INVERTED, *vectors.shape).name, vectors)


def _nearest(index: VectorIndex, queries: Vectors, start: int, count: int, least: float) -> Iterator[Pair]:
    """Yield the pairs of rows from `start` on with the nearest others."""
    scores, rows = index.search(queries, count + 1, accuracy="high")  # with the row itself
    near = (scores >= least) & (rows >= 0)
    for first, second in zip((np.nonzero(near)[0] + start).tolist(), rows[near].tolist(), strict=True):
        if first != second:
            yield pair_of(first, second)


def _group(proven: Proven, items: Sequence[Item]) -> list[list[int]]:
    """Group rows around those with the most copies, which come first."""
    copies, apart = defaultdict[int, set[int]](set), pairs_apart(proven)
    for one, other in proven.keys() - apart:
        copies[one].add(other)
        copies[other].add(one)
    facts = {row: items[row] for row in copies}
    order = sorted(facts, key=lambda row: (-len(copies[row]), *_largest_first(facts[row])))
    free, groups = set(order), []
    for first in order:
        group = [first] if first in free else []
        for row in sorted(copies[first] & free if group else (), key=lambda row: _largest_first(facts[row])):
            if not any(pair_of(row, member) in apart for member in group):
                group.append(row)
        if len(group) > 1:
            groups.append(group)
            free -= set(group)
    return groups


def _largest_first(item: Item) -> tuple[int, int, str]:
    return (-item.width * item.height, -item.size, item.path)


def _to_group(gallery: "Searcher", rows: Sequence[int], proven: Proven) -> Group:
    """Return the files of some rows as a group, with what was done to each, seen from the first."""
    first = rows[0]
    files: list[Item] = []
    copies: list[Copy | None] = []
    for row in rows:
        own = list(files_of([gallery.items[row]]))
        copy = proven.get((row, first))
        if copy is None and (first, row) in proven:
            copy = inverse(proven[first, row])
        files += own
        copies += [copy] * len(own)
    vectors = gallery.embeddings[np.asarray(rows)]
    return Group(files, min(1.0, float((vectors @ vectors[0]).min())) if len(rows) > 1 else 1.0, copies)
