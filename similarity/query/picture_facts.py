"""The columns that every picture has of its own: its size, and what its file says of itself.

They can be compared and sorted by, but are no labels: nothing is evaluated by them, and no filter lists their values.
A column of the same name in the metadata takes their place.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from similarity.images.exif import EXIF, PLACE
from similarity.query.columns import Column
from similarity.sources import Item
from similarity.storage import item_columns
from similarity.storage.items import Items

SIZES = ("width", "height")
OWN = (*SIZES, *EXIF)
UNSAID = "its files do not say it, or it was made by an older version, which did not ask; then index it again"
UNASKED = "the places where pictures were taken are kept only if it is indexed with --gps"


class PictureFacts:
    """The own columns of a gallery's items, each read when it is asked for."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = items

    def column(self, name: str) -> Column | None:
        """A column; None if no picture has a value in it."""
        if isinstance(self._items, Items) and self._items.columns is not None:
            stored = self._items.columns.get(item_columns.SIZES if name in SIZES else item_columns.EXIF, {}).get(name)
            return Column.stored(stored) if stored and name in OWN else None
        if name in SIZES:
            return self._sizes[name] if len(self._sizes[name].values) else None
        return self._exif.get(name)

    def why_not(self, name: str) -> str:
        """Why no picture has a value in one of these columns."""
        return UNASKED if name in PLACE else UNSAID

    @cached_property
    def _sizes(self) -> dict[str, Column]:
        if isinstance(self._items, Items):
            return dict(zip(SIZES, map(_numbers, self._items.sizes()), strict=True))
        return {name: _numbers([getattr(item, name) for item in self._items]) for name in SIZES}

    @cached_property
    def _exif(self) -> dict[str, Column]:
        said = self._items.exif() if isinstance(self._items, Items) else [item.exif for item in self._items]
        columns = {}
        for name in EXIF:
            rows = [row for row, facts in enumerate(said) if facts.get(name)]
            if rows:
                values, codes = np.unique(np.array([said[row][name] for row in rows], object), return_inverse=True)
                columns[name] = Column.numbered(values.tolist(), np.array(rows, np.int64), codes)
        return columns


def _numbers(sizes: Sequence[int]) -> Column:
    """Sizes in pixels as a column; 0 is unknown."""
    numbers: npt.NDArray[np.int64] = np.array(sizes, np.int64)
    rows = np.flatnonzero(numbers)
    values, codes = np.unique(numbers[rows], return_inverse=True)
    return Column.numbered(list(map(str, values.tolist())), rows, codes)
