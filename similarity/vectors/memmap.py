"""The embeddings of a generation on disk, compared as they are or refined: a NumPy file, float32 or float16."""

import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from similarity.vectors.arrays import FindCandidates, Nearest, Vectors
from similarity.vectors.mapped import BLOCK, Key, MappedRows
from similarity.vectors.npy_files import write_array

Stored = Literal["float32", "float16"]
Followers = tuple[Nearest, Nearest]


@dataclass(frozen=True, slots=True)
class Split:
    """The effect of refining on one embedding e, written as scale e - offset + context, exactly.

    Attributes:
        scale: a factor above 0.
        offset: the common part of all pictures of the gallery, times `scale`, float32 (dim,).
        context: the part that comes from similar pictures, float32 (dim,).
    """

    scale: float
    offset: Vectors
    context: Vectors


class Comparison(Protocol):
    """Computes the vectors that searches compare from the rows of a file; see the methods of `StoredVectors`."""

    @property
    def centre(self) -> Vectors | None:
        """The centre that is subtracted from each row, float32 (dim,); None if none is."""

    @property
    def nearest(self) -> Nearest | None:
        """The rows that each row is moved towards; None if none is moved."""

    def __getitem__(self, key: Key) -> Vectors:
        """Return compared vectors of rows, float32."""

    def read(self, rows: npt.NDArray[np.integer]) -> npt.NDArray[Any]:
        """Return compared vectors of rows, in their own type."""

    def refine(self, embeddings: Vectors, own: npt.NDArray[np.integer] | None) -> Vectors:
        """Return other embeddings as vectors that can be compared with the rows."""

    def is_same(self, other: "Comparison") -> bool:
        """Whether both compute equal vectors from equal rows."""

    def split(self, embedding: Vectors) -> Split:
        """Split a refined embedding into its parts."""

    def followers(self, rows: npt.NDArray[np.integer]) -> Followers:
        """Return the rows whose vectors depend on some rows."""

    def without(self, rows: npt.NDArray[np.integer], missing: npt.NDArray[np.integer]) -> Vectors:
        """Return vectors of rows as if another row each did not exist."""

    def with_candidates(self, find: FindCandidates) -> "Comparison":
        """Return the same comparison, which asks `find` for rows near to a query instead of comparing it with all."""


class Unrefined:
    """Compares the rows of a file without refinement."""

    centre = None
    nearest = None

    def __init__(self, rows: MappedRows) -> None:
        self._rows = rows

    def __getitem__(self, key: Key) -> Vectors:
        """See `Comparison`."""
        return self._rows[key]

    def read(self, rows: npt.NDArray[np.integer]) -> npt.NDArray[Any]:
        """See `Comparison`."""
        return self._rows.gather(rows, self._rows.dtype)

    def refine(self, embeddings: Vectors, own: npt.NDArray[np.integer] | None) -> Vectors:  # noqa: ARG002
        """See `Comparison`."""
        return embeddings

    def is_same(self, other: Comparison) -> bool:
        """See `Comparison`."""
        return isinstance(other, Unrefined)

    def split(self, embedding: Vectors) -> Split:
        """See `Comparison`."""
        zeros = np.zeros_like(embedding)
        return Split(1.0, zeros, zeros)

    def followers(self, rows: npt.NDArray[np.integer]) -> Followers:  # noqa: ARG002 - they are not refined
        """See `Comparison`."""
        return np.empty(0, np.int32), np.empty(0, np.int32)

    def without(self, rows: npt.NDArray[np.integer], missing: npt.NDArray[np.integer]) -> Vectors:  # noqa: ARG002
        """See `Comparison`."""
        return self._rows[rows]

    def with_candidates(self, find: FindCandidates) -> "Unrefined":  # noqa: ARG002 - it compares queries with none
        """See `Comparison`."""
        return self


class StoredVectors:
    """An array of float32 (n, dim), rows of unit length, read when it is indexed. Safe to share between threads.

    Attributes:
        rows: the rows of the file: embeddings without refinement.
        path, shape, dtype: those of the file; rows that are read by index are always float32.
        paths: of all files that have its rows.
    """

    def __init__(self, path: Path) -> None:
        """Open a file; raises OSError, or ValueError if `write_vectors` did not write it."""
        self.rows = MappedRows(path)
        self.path, self.shape, self.dtype = path, self.rows.shape, self.rows.dtype
        self.paths = [path]
        self._comparison: Comparison = Unrefined(self.rows)

    def compared_by(self, comparison: Comparison) -> "StoredVectors":
        """Return the vectors of the same file with another comparison."""
        copied = copy.copy(self)
        copied._comparison = comparison
        return copied

    def with_candidates(self, find: FindCandidates) -> "StoredVectors":
        """Return the same vectors, which ask an index for rows near to a query when that is refined."""
        return self.compared_by(self._comparison.with_candidates(find))

    def __len__(self) -> int:
        """Count the embeddings."""
        return len(self.rows)

    @property
    def dim(self) -> int:
        """Length of an embedding."""
        return self.rows.dim

    @property
    def centre(self) -> Vectors | None:
        """The centre that is subtracted from all embeddings, float32 (dim,); None if none is."""
        return self._comparison.centre

    @property
    def nearest(self) -> Nearest | None:
        """The rows that each row is moved towards, nearest first, int32 (n, up to KEPT); None if none is moved."""
        return self._comparison.nearest

    def __getitem__(self, key: Key) -> Vectors:
        """Return float32 (dim,) for a row, (m, dim) for a slice or several rows; negative rows count from the end."""
        return self._comparison[key]

    def __iter__(self) -> Iterator[Vectors]:
        """Yield all vectors in order."""
        return (row for _, block in self.blocks() for row in block)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        """Read all vectors into memory, for NumPy."""
        return np.asarray(self[:], dtype)

    def read(self, rows: npt.NDArray[np.integer]) -> npt.NDArray[Any]:
        """Return compared vectors of some rows in their own type, (m, dim)."""
        return self._comparison.read(rows)

    def refine(self, embeddings: Vectors, own: npt.NDArray[np.integer] | None = None) -> Vectors:
        """Return other embeddings as vectors that can be compared, float32 (m, dim), rows of unit length.

        Args:
            embeddings: embeddings of the same model, float32 (m, dim), rows of unit length.
            own: for each of them the row of the same picture, which is treated as if it did not exist.
        """
        return self._comparison.refine(embeddings, own)

    def are_compared_as(self, others: "StoredVectors") -> bool:
        """Whether equal embeddings here and in another file give equal vectors."""
        return others.dtype == self.dtype and self._comparison.is_same(others._comparison)

    def split(self, embedding: Vectors) -> Split:
        """Split the result of `refine` for an embedding, float32 (dim,), of unit length, into its parts."""
        return self._comparison.split(embedding)

    def followers(self, rows: npt.NDArray[np.integer]) -> Followers:
        """Return the rows whose vectors depend on some rows: indices into `rows`, and those rows, both int32 (m,)."""
        return self._comparison.followers(rows)

    def without(self, rows: npt.NDArray[np.integer], missing: npt.NDArray[np.integer]) -> Vectors:
        """Return vectors of rows as if another row for each of them did not exist, float32 (m, dim)."""
        return self._comparison.without(rows, missing)

    def embeddings(self, size: int = BLOCK) -> Iterator[tuple[int, Vectors]]:
        """Yield all embeddings without refinement, in blocks: the first row's number, and float32 (up to size, dim)."""
        return self.rows.blocks(size)

    def blocks(self, size: int = BLOCK) -> Iterator[tuple[int, Vectors]]:
        """Yield all vectors in blocks: the number of the first row, and float32 (up to size, dim)."""
        for start in range(0, len(self), size):
            yield start, self[start : start + size]


def write_vectors(path: Path, shape: tuple[int, int], blocks: Iterable[Vectors], stored: Stored = "float32") -> None:
    """Write embeddings block by block, so that they never have to fit into memory.

    Raises:
        SearchError: a number is not finite.
    """
    with path.open("wb") as file:
        write_array(file, shape, blocks, stored)
