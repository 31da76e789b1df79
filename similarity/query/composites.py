"""Pictures made of several, such as a collage: what they show in parts of their own is not the same picture."""

from collections import defaultdict
from collections.abc import Mapping
from itertools import combinations

from similarity.images.boxes import area, common_area
from similarity.images.picture import Box
from similarity.query.copies import Copy

# Pairs of rows, the lower one first.
Pair = tuple[int, int]
# What was found of pairs, with the first as the query.
Proven = Mapping[Pair, Copy]

# Of the smaller of two parts, the share in common below which they are apart: bounds of parts are a few pixels off.
APART = 0.1
# The share of a picture below which it may have room for another one beside, and from which one is shown whole.
PART, WHOLE = 0.8, 0.8


def pairs_apart(proven: Proven) -> set[Pair]:
    """Return the pairs that must not be in one group, since a third picture, or one of them, is made of several.

    A picture is, if two others that are no copies of each other lie apart in it. Neither is its copy then, but a part
    of it; so are the two crops of one photograph that have nothing in common, which nothing tells from a collage.

    Args:
        proven: of each pair of copies what was found.
    """
    parts: dict[int, dict[int, Box]] = defaultdict(dict)
    for (one, other), copy in proven.items():
        parts[one][other], parts[other][one] = copy.query_box, copy.result_box
    apart: set[Pair] = set()
    for whole, boxes in parts.items():
        for one, other in combinations(sorted(boxes), 2):
            if (one, other) not in proven and _are_apart(boxes[one], boxes[other]):
                apart |= {(one, other), pair_of(whole, one), pair_of(whole, other)}
    return apart


def parts_of(proven: Proven) -> list[tuple[int, Box]]:
    """Return the rows that have another picture, whole, in a part of them, each with that part."""
    sides = [
        side
        for (one, other), copy in proven.items()
        for side in ((one, copy.query_box, copy.result_box), (other, copy.result_box, copy.query_box))
    ]
    return [(row, own) for row, own, shown in sides if area(own) < PART and area(shown) > WHOLE]


def pair_of(one: int, other: int) -> Pair:
    """Return two rows as a pair."""
    return min(one, other), max(one, other)


def _are_apart(one: Box, other: Box) -> bool:
    return common_area(one, other) < APART * min(area(one), area(other))
