"""The proof that pictures of a gallery are copies of one picture, stricter than the second look of a search."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from similarity.images.keypoints import Codes, mirror_keypoints
from similarity.query.close_agreement import agree_closely
from similarity.query.copies import COMMON, Copy, describe, find_fits
from similarity.sources import Item
from similarity.storage.items import Items
from similarity.storage.keypoint_files import read_colours, read_or_find_keypoints


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
        copy = describe(best, plain, mirrored, keypoints) if best else None
        if not best or not copy or not copy.is_proven or copy.common < COMMON:
            continue
        laid = colours.mirrored if best.is_mirrored else colours.plain
        if agree_closely(laid, read_colours(directory, item), best.matrix):
            copies[other] = copy
    return copies


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
