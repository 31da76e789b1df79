"""The vectors of several indexes, numbered one after the other, for rescoring."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from similarity.search.rescoring import Readable


class HasVectors(Protocol):
    """An index that rescores with stored vectors."""

    @property
    def vectors(self) -> Readable:
        """The vectors."""


class StackedReading:
    """The vectors of indexes, numbered one after the other.

    Attributes:
        firsts: the number of the first of each index, int64 (indexes,).
    """

    def __init__(self, indexes: Sequence[HasVectors]) -> None:
        self._parts = [index.vectors for index in indexes]
        self.firsts = np.cumsum([0, *(len(part) for part in self._parts[:-1])])

    def __len__(self) -> int:
        """Number of vectors."""
        return int(self.firsts[-1]) + len(self._parts[-1])

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._parts[0].dim

    @property
    def path(self) -> Path:
        """The folder of the first of them."""
        return self._parts[0].path.parent

    def read(self, rows: npt.NDArray[np.integer]) -> npt.NDArray[Any]:
        """Return compared vectors of some rows, sorted, in their own type."""
        ends = np.searchsorted(rows, [*self.firsts[1:], len(self)])
        parts = zip(self._parts, self.firsts, [0, *ends[:-1]], ends, strict=True)
        return np.concatenate([part.read(rows[start:end] - first) for part, first, start, end in parts if start < end])
