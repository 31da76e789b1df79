"""The proof that pictures of a gallery are copies of one picture, stricter than the second look of a search."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from similarity.images.keypoints import Codes, Keypoints, mirror_keypoints
from similarity.query.close_agreement import agree_closely
from similarity.query.copies import COMMON, PROVEN, Copy, Fit, describe, find_fits, probability_of
from similarity.sources import Item
from similarity.storage.items import Items
from similarity.storage.keypoint_files import read_colours, read_or_find_keypoints

# Pixels that points may be apart to be in the same place, and the cosine of their descriptors.
IN_PLACE, ALIKE = 3.0, 0.85


def prove(directory: Path, items: Items, row: int, rows: Sequence[int]) -> dict[int, Copy]:
    """Prove that pictures are copies of one.

    What a photograph of a burst, or a product in another colour, shows lies elsewhere or has other colours: it is none.

    Args:
        directory: of the gallery.
        items: its pictures.
        row: the picture.
        rows: those that may be copies of it.

    Returns:
        For those that are proven to be, what was done to the picture, seen from each.
    """
    query, *others = items.at([row, *rows])
    plain = read_or_find_keypoints(directory, query)
    mirrored, colours, copies = mirror_keypoints(plain), _Colours(directory, query), {}
    fits = find_fits(plain, mirrored, others, lambda item: read_or_find_keypoints(directory, item))
    for other, (item, keypoints, best) in zip(rows, fits, strict=True):
        if best is None or probability_of(best.inliers) < PROVEN:
            best = fit_in_place(plain, keypoints)
        copy = describe(best, plain, mirrored, keypoints) if best else None
        if not best or not copy or not copy.is_proven or copy.common < COMMON:
            continue
        laid = colours.mirrored if best.is_mirrored else colours.plain
        if agree_closely(laid, read_colours(directory, item), best.matrix):
            copies[other] = copy
    return copies


def fit_in_place(query: Keypoints, found: Keypoints) -> Fit | None:
    """Fit no more than the size, by points that both have in the same place; None if these are fewer than half.

    A pattern, such as dots or a drawing of equal shapes, has many points that look alike, which cannot be matched
    otherwise.
    """
    scale = found.width / query.width
    if abs(scale * query.height - found.height) > IN_PLACE or not len(query) or not len(found):
        return None
    (x, y), (other_x, other_y) = (scale * query.positions).T, found.positions.T
    is_near = (np.abs(x[:, np.newaxis] - other_x) < IN_PLACE) & (np.abs(y[:, np.newaxis] - other_y) < IN_PLACE)
    own, other = np.nonzero(is_near)
    cosines = np.einsum("ij,ij->i", query.descriptors[own], found.descriptors[other])
    count = len(np.unique(own[cosines > ALIKE]))
    if 2 * count < max(len(query), len(found)):
        return None
    return Fit(np.array([[scale, 0, 0], [0, scale, 0]], np.float64), count)


class _Colours:
    """The pixels of a picture, read when they are first needed."""

    def __init__(self, directory: Path, item: Item) -> None:
        self._directory, self._item = directory, item

    @cached_property
    def plain(self) -> Codes:
        return read_colours(self._directory, self._item)

    @cached_property
    def mirrored(self) -> Codes:
        return np.ascontiguousarray(self.plain[:, ::-1])
