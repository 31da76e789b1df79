"""Copies of one picture in a gallery, turned, mirrored, cut or saved again: candidates, the second look, and groups."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from similarity.images.keypoints import mirror_keypoints
from similarity.progress import OnProgress, Reporter
from similarity.query.copies import Copy, QueryKeypoints, find_copies
from similarity.query.near_duplicates import Group, largest_first
from similarity.query.near_pairs import Candidates, near_pairs
from similarity.sources import Item
from similarity.sources.base import files_of
from similarity.storage.keypoint_files import read_or_find_keypoints, read_pixels

if TYPE_CHECKING:
    from similarity.query.searcher import Searcher

# Embeddings of a copy and its source are nearly always as near as this.
NEAR = 0.7

# What was found of pairs of rows, seen from the second: it is the query's picture.
Proven = Mapping[tuple[int, int], Copy]


def find_same_pictures(
    gallery: "Searcher", candidates: Candidates | None = None, progress: OnProgress | None = None
) -> list[Group]:
    """Group the files of a gallery that show one picture, largest groups first.

    Every file of a group is proven to be a copy of the first one.

    Args:
        candidates: what finds pictures with near embeddings in a large gallery; by default all are compared with all.
    """
    pairs = near_pairs(gallery.embeddings, NEAR, candidates=candidates, progress=progress)
    others: dict[int, list[int]] = defaultdict(list)
    for first, second in zip(pairs.first.tolist(), pairs.second.tolist(), strict=True):
        others[first].append(second)
    proven: dict[tuple[int, int], Copy] = {}
    reporter = Reporter(len(pairs), progress, task="Looking closely")
    for row, rows in others.items():
        proven |= {(row, other): copy for other, copy in _prove(gallery, row, rows).items()}
        reporter.advance(len(rows))
    groups = _group(proven, gallery.items)
    grouped = {row for rows in groups for row in rows}
    alone = [[row] for row, item in enumerate(gallery.items) if item.copies and row not in grouped]
    return largest_first(_to_group(gallery, rows, proven) for rows in groups + alone)


def inverse(copy: Copy) -> Copy:
    """Return what was found, seen from the other picture."""
    rotation = copy.rotation if copy.mirrored else -copy.rotation
    return replace(copy, rotation=rotation, query_box=copy.result_box, result_box=copy.query_box)


def _prove(gallery: "Searcher", row: int, rows: Sequence[int]) -> dict[int, Copy]:
    """Return those of some rows that are proven to show the same picture as a row, which is the query."""
    read_keypoints, read = partial(read_or_find_keypoints, gallery.directory), partial(read_pixels, gallery.directory)
    item = gallery.items[row]
    keypoints = read_keypoints(item)
    query = QueryKeypoints(keypoints, mirror_keypoints(keypoints), read(item))
    items = [gallery.items[other] for other in rows]
    found = find_copies(query, items, keypoints_of=read_keypoints, pixels_of=read)
    return {other: copy for other, copy in zip(rows, found, strict=True) if copy is not None and copy.is_proven}


def _group(proven: Proven, items: Sequence[Item]) -> list[list[int]]:
    """Group rows around those with the most copies, which come first."""
    copies: dict[int, set[int]] = defaultdict(set)
    for one, other in proven:
        copies[one].add(other)
        copies[other].add(one)
    facts = {row: items[row] for row in copies}
    order = sorted(facts, key=lambda row: (-len(copies[row]), *_largest_first(facts[row])))
    free, groups = set(order), []
    for first in order:
        if first in free and (members := copies[first] & free):
            groups.append([first, *sorted(members, key=lambda row: _largest_first(facts[row]))])
            free -= {first, *members}
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
