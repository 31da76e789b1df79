"""The inverted lists of several indexes that were trained as one, such as those of a set of galleries.

A list of the whole is that of all of them. So the nearest lists are found once, as many codes are compared as in one
index, and their distances are comparable.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from similarity.search.contract import Rows
from similarity.search.faiss.inverted import InvertedIndex
from similarity.search.faiss.stacked_reading import StackedReading
from similarity.search.faiss.training import Lists
from similarity.search.tuning import Tuning
from similarity.vectors.arrays import Vectors
from similarity.vectors.stacked import Places


class JoinedLists(Lists):
    """Lists of several indexes, as those of one; `index` and `ivf` are those of the first.

    They search all rows; a selection of rows is for each index to search.
    """

    def __init__(self, parts: Sequence[Lists], rows: Sequence[Rows]) -> None:
        """Join lists; raises ValueError if they were not trained as one.

        Args:
            rows: for each of them the rows of the whole that its rows are.
        """
        super().__init__(parts[0].index)
        if not all(part.is_trained_as(parts[0]) for part in parts[1:]):
            raise ValueError("lists that were trained apart")
        self._parts, self._rows = parts, rows

    def search(self, small: Vectors, wanted: int, probes: int) -> tuple[Vectors, Rows]:
        """See `Lists.search`."""
        near, keys = self.ivf.quantizer.search(small, probes)
        found = [part.visit(small, wanted, keys, near) for part in self._parts]
        distances = np.concatenate([of for of, _ in found], axis=1)
        rows = [np.where(of >= 0, numbers[of], -1) for (_, of), numbers in zip(found, self._rows, strict=True)]
        order = np.argsort(distances, axis=1, kind="stable")[:, :wanted]  # a row of -1 is at the largest distance
        return (
            np.take_along_axis(distances, order, axis=1),
            np.take_along_axis(np.concatenate(rows, axis=1), order, axis=1),
        )


class JoinedReading(StackedReading):
    """The vectors of several indexes, numbered as the whole numbers them."""

    def __init__(self, indexes: Sequence[InvertedIndex], places: Places) -> None:
        """Wrap the vectors of indexes, whose rows have these places."""
        super().__init__(indexes)
        self._places = places

    def read(self, rows: npt.NDArray[np.integer]) -> npt.NDArray[Any]:
        """See `Readable.read`."""
        numbers = self.firsts[self._places.part[rows]] + self._places.row[rows]
        order = np.argsort(numbers)
        return super().read(numbers[order])[np.argsort(order)]


def join_inverted(indexes: Sequence[InvertedIndex], places: Places, tuning: Tuning) -> InvertedIndex:
    """Return one index of all vectors, which searches all of them; raises ValueError if they were trained apart.

    Args:
        places: of all rows.
    """
    return InvertedIndex(
        JoinedLists([index.lists for index in indexes], places.of), JoinedReading(indexes, places), tuning
    )
