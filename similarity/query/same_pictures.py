"""Copies of one picture in a gallery, turned, mirrored, cut or saved again: candidates, the second look, and groups."""

import tempfile
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from similarity.progress import OnProgress, Reporter
from similarity.query.composites import Pair, Proven, pair_of, pairs_apart, parts_of
from similarity.query.copies import Copy
from similarity.query.feature_pairs import BATCH, Features, index_of, nearest_pairs
from similarity.query.near_duplicates import Group, largest_first
from similarity.query.proof import prove
from similarity.sources import Item
from similarity.sources.base import files_of

if TYPE_CHECKING:
    from similarity.query.searcher import Searcher

# Pictures that are looked at for each by their embeddings, which find parts; see `feature_pairs.py` for turned ones.
# Planted among 1,533 photographs of clothing, 0.99 of 660 altered ones were among both.
BY_EMBEDDING = 8
# The cosine similarity of embeddings below which none of them was a copy.
LEAST_EMBEDDING = 0.5


def find_same_pictures(gallery: "Searcher", progress: OnProgress | None = None) -> list[Group]:
    """Group the files of a gallery that show one picture, largest groups first.

    Every file of a group is proven to be a copy of the first one. Photographs of a burst are no copies, nor are those
    of a product in two colours; a copy with other brightness or colours throughout, or without any, is one. A collage
    is in no group with the pictures that it is made of, of which two at least are in the gallery.
    """
    with tempfile.TemporaryDirectory() as folder:
        features = Features(gallery, Path(folder), progress)
        pairs = _pairs_by_embedding(gallery) | features.pairs()
        proven = _prove(gallery, pairs, progress)
        # What a collage shows beside one picture is far from all of it, and must be known to tell it from a crop.
        proven |= _prove(gallery, features.pairs_beside(parts_of(proven)) - pairs, progress)
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
    index = index_of(gallery.embeddings)
    return {
        pair
        for start in range(0, len(gallery), BATCH)
        for pair in nearest_pairs(
            index,
            gallery.embeddings[start : start + BATCH],
            range(start, len(gallery)),
            count=BY_EMBEDDING,
            least=LEAST_EMBEDDING,
        )
    }


def _prove(gallery: "Searcher", pairs: Collection[Pair], progress: OnProgress | None) -> dict[Pair, Copy]:
    """Return what is found of those pairs that are copies."""
    reporter = Reporter(len({row for row, _ in pairs}), progress, task="Looking closely")
    proven: dict[Pair, Copy] = {}
    for row, group in groupby(sorted(pairs), key=itemgetter(0)):
        rows = [other for _, other in group]
        proven |= {(row, other): copy for other, copy in prove(gallery.directory, gallery.items, row, rows).items()}
        reporter.advance(1)
    return proven


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
