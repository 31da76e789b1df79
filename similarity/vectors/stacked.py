"""Rows of several files as those of one, such as the embeddings of a set of galleries."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from similarity.vectors.arrays import Vectors
from similarity.vectors.mapped import Key, MappedRows
from similarity.vectors.memmap import StoredVectors, Unrefined

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Places:
    """Where the rows of a whole lie in its parts.

    Attributes:
        of: for each part the rows of the whole that it has, in its own order.
        part: for each row of the whole the number of its part, int64 (n,).
        row: for each row of the whole the row in that part, int64 (n,).
    """

    of: tuple[Rows, ...]
    part: Rows
    row: Rows

    @classmethod
    def among(cls, parts: Rows, count: int) -> "Places":
        """Return those of rows of which each is in one of `count` parts, in the order of the whole."""
        of = tuple(np.flatnonzero(parts == number) for number in range(count))
        row = np.empty(len(parts), np.int64)
        for rows in of:
            row[rows] = np.arange(len(rows))
        return cls(of, parts, row)


class StackedRows(MappedRows):
    """The rows of several files, in any order. Safe to share between threads; see `MappedRows`, which has `all` alone.

    Attributes:
        parts: the files.
        places: where each row lies in them.
    """

    def __init__(self, parts: Sequence[MappedRows], places: Places, path: Path) -> None:
        """Stack the rows of files; raises ValueError if they do not belong together.

        Args:
            parts: of one length of rows and one type, at least one.
            places: of all of their rows.
            path: of the folder that they are in, for messages.
        """
        self.path, self.parts, self.places = path, tuple(parts), places
        self.shape, self.dtype = (len(places.part), parts[0].dim), parts[0].dtype
        fits = all(len(part) == len(rows) for part, rows in zip(parts, places.of, strict=True))
        if not fits or len({(part.dim, part.dtype) for part in parts}) > 1:
            raise ValueError("embeddings that do not belong together")

    def __getitem__(self, key: Key) -> Vectors:
        """See `MappedRows`."""
        if isinstance(key, int | np.integer):
            row: Vectors = self.gather([int(key)])[0]
            return row
        return self.gather(np.arange(*key.indices(len(self))) if isinstance(key, slice) else key)

    def gather(self, rows: Sequence[int] | npt.NDArray[np.integer], dtype: Any = np.float32) -> npt.NDArray[Any]:
        """See `MappedRows`."""
        wanted = np.asarray(rows, np.int64)
        gathered, numbers, inner = np.empty((len(wanted), self.dim), dtype), *self._located(wanted)
        for number in np.unique(numbers):
            chosen = numbers == number
            gathered[chosen] = self.parts[number].gather(inner[chosen], dtype)
        return gathered

    def _located(self, rows: Rows) -> tuple[Rows, Rows]:
        """Return part and row of each row, of which negative ones count from the end."""
        return self.places.part[rows], self.places.row[rows]

    def products(self, vectors: Vectors) -> Vectors:
        """See `MappedRows`."""
        scores = np.empty((len(vectors), len(self)), np.float32)
        for part, rows in zip(self.parts, self.places.of, strict=True):
            scores[:, rows] = part.products(vectors)
        return scores


class StackedVectors(StoredVectors):
    """Embeddings in several files as those of one; see `StoredVectors`."""

    def __init__(self, rows: StackedRows) -> None:
        """Wrap rows; `path` is the folder of their files."""
        self.rows: MappedRows = rows
        self.path, self.shape, self.dtype = rows.path, rows.shape, rows.dtype
        self.paths = [part.path for part in rows.parts]
        self._comparison = Unrefined(rows)
