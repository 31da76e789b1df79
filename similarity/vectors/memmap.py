"""The embeddings of a generation on disk: a NumPy file, float32 or float16, from which rows are read.

The file is mapped into memory: reading 100 rows takes 0.03 ms, instead of 0.3 ms one by one, without passing Python's
lock between threads. Mapped pages count as memory of the process, although the system can reclaim them at any time: it
maps up to 2 MB around a row, and a thousand searches among a million embeddings left 3.2 GB mapped. So pages of a large
file are released again. They stay in the system's disk cache, from which 50 rows take 0.2 ms; from a small file, which
stays mapped, they take 0.04 ms.
"""

import copy
import mmap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from similarity.files import open_own
from similarity.vectors.arrays import FindCandidates, Nearest, Vectors
from similarity.vectors.half import widen
from similarity.vectors.npy_files import read_header, write_array

# Rows that are read at a time when all are read: 8 to 32 MB.
BLOCK = 4096
# Rows that are copied at a time, so that few pages are mapped at once.
GATHERED = 512
# A file of up to MAX_MAPPED bytes stays mapped; of a larger one, pages are released after this many rows were read,
# about 128 MB. With 512 rows, a search among a million embeddings took a tenth longer.
MAX_MAPPED, RELEASE_AFTER = 1 << 29, 2048

Stored = Literal["float32", "float16"]
Key = int | slice | Sequence[int] | npt.NDArray[np.integer]
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


class MappedRows:
    """The rows of a file, mapped into memory: float32 or float16 (n, dim). Safe to share between threads.

    Attributes:
        path: the file.
        dtype: type of the file; rows are returned as float32 unless another type is given.
        all: the whole array in the type of the file, mapped into memory.
    """

    def __init__(self, path: Path) -> None:
        """Open a file; raises OSError, or ValueError if `write_vectors` did not write it."""
        self.path = path
        with open_own(path) as file:
            self.shape, self.dtype = read_header(file)
            if len(self.shape) != 2 or self.dtype not in (np.float32, np.float16):
                raise ValueError("not an array of embeddings")
            offset = file.tell()
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.all = np.frombuffer(self._map, self.dtype, offset=offset).reshape(self.shape)
        self._read = 0

    def __len__(self) -> int:
        """Count the rows."""
        return int(self.shape[0])

    @property
    def dim(self) -> int:
        """Length of a row."""
        return int(self.shape[1])

    def __getitem__(self, key: Key) -> Vectors:
        """Return float32 (dim,) for a row, (m, dim) for a slice or several rows; negative rows count from the end."""
        if isinstance(key, int | np.integer):
            row: Vectors = self.gather([int(key)])[0]
            return row
        if isinstance(key, slice) and key.step in (None, 1):
            read = np.empty(self.all[key].shape, np.float32)
            _copy(self.all[key], read)
            self._release(len(read))
            return read
        return self.gather(range(*key.indices(len(self))) if isinstance(key, slice) else key)

    def gather(self, rows: Sequence[int] | npt.NDArray[np.integer], dtype: Any = np.float32) -> npt.NDArray[Any]:
        """Copy some rows, a few at a time, so that few pages are mapped at once."""
        gathered = np.empty((len(rows), self.dim), dtype)
        for start in range(0, len(rows), GATHERED):
            part = np.asarray(rows[start : start + GATHERED])
            _copy(self.all[part], gathered[start : start + len(part)])
            self._release(len(part))
        return gathered

    def blocks(self, size: int = BLOCK) -> Iterator[tuple[int, Vectors]]:
        """Yield all rows in blocks: the number of the first row, and float32 (up to size, dim)."""
        for start in range(0, len(self), size):
            yield start, self.gather(np.arange(start, min(start + size, len(self))))

    def products(self, vectors: Vectors) -> Vectors:
        """Return the inner products of some vectors, float32 (m, dim), with all rows, float32 (m, n)."""
        scores: Vectors = vectors @ self.all.T
        return scores

    def _release(self, count: int) -> None:
        """Release mapped pages after RELEASE_AFTER rows."""
        self._read += count
        if self._read >= RELEASE_AFTER and len(self._map) > MAX_MAPPED:
            self._read = 0
            if hasattr(mmap, "MADV_DONTNEED"):  # which Windows has not
                self._map.madvise(mmap.MADV_DONTNEED)


def _copy(rows: npt.NDArray[Any], into: npt.NDArray[Any]) -> None:
    if rows.dtype == np.float16 and into.dtype == np.float32:
        widen(rows, into)
    else:
        into[:] = rows


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
