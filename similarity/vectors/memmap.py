"""The embeddings of a generation as they lie on the disk: a NumPy file, float32 or float16, of which rows are read.

The file is mapped into memory, which takes 0.03 ms for 100 rows where reading them one by one takes 0.3, and does not
hand Python's lock to and fro between threads. What is mapped counts as memory of the process, though the system can
take it back at any time: the system maps up to 2 MB around a row, and a thousand searches among a million embeddings
left 3.2 GB behind. So what is mapped of a large file is let go of again; what is needed next is still in the system's
cache of the disk, and 50 rows take 0.3 ms then, whereas of a small file that stays mapped they take 0.04.
"""

import copy
import mmap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from similarity.errors import SearchError
from similarity.files import open_own
from similarity.vectors.arrays import Vectors
from similarity.vectors.npy_files import read_header

# How many rows are taken at a time when all are read: 8 to 32 MB.
BLOCK = 4096
# A file of so many bytes may stay mapped; how many rows of a larger one are read before it is let go of.
KEPT, LET_GO_AFTER = 1 << 29, 512

Stored = Literal["float32", "float16"]
Key = int | slice | Sequence[int] | npt.NDArray[np.integer]
Followers = tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]


@dataclass(frozen=True, slots=True)
class Split:
    """The effect of refining on one embedding e, written as scale e - offset + context, exactly.

    Attributes:
        scale: above 0.
        offset: what all pictures of the gallery have in common, in that scale, float32 (dim,).
        context: what comes from other pictures that are like it, float32 (dim,); of this, nothing is its own.
    """

    scale: float
    offset: Vectors
    context: Vectors


class MappedRows:
    """The rows of a file, mapped into memory: float32 or float16 (n, dim). Safe to share between threads.

    Attributes:
        path: the file.
        dtype: of the file; rows are given as float32 unless another type is named.
        all: the whole array in the type of the file, mapped and not read.
    """

    def __init__(self, path: Path) -> None:
        """Open a file; raises OSError, or ValueError if it is not what `write_vectors` writes."""
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
        """Float32 (dim,) for a row, (m, dim) for a slice or several rows, which may count from the end."""
        if isinstance(key, int | np.integer):
            row: Vectors = self.gather([int(key)])[0]
            return row
        if isinstance(key, slice) and key.step in (None, 1):
            read: Vectors = np.array(self.all[key], np.float32)
            self._let_go(len(read))
            return read
        return self.gather(range(*key.indices(len(self))) if isinstance(key, slice) else key)

    def gather(self, rows: Sequence[int] | npt.NDArray[np.integer], dtype: Any = np.float32) -> npt.NDArray[Any]:
        """Copy some rows, a few at a time, so that not much is mapped at once."""
        gathered = np.empty((len(rows), self.dim), dtype)
        for start in range(0, len(rows), LET_GO_AFTER):
            part = np.asarray(rows[start : start + LET_GO_AFTER])
            gathered[start : start + len(part)] = self.all[part]
            self._let_go(len(part))
        return gathered

    def blocks(self, size: int = BLOCK) -> Iterator[tuple[int, Vectors]]:
        """All rows in order: the number of a first row, and float32 (up to size, dim) from there on."""
        for start in range(0, len(self), size):
            yield start, self.gather(np.arange(start, min(start + size, len(self))))

    def _let_go(self, count: int) -> None:
        """Unmap what was read, once so many rows have been read since the last time that it may be much."""
        self._read += count
        if self._read >= LET_GO_AFTER and len(self._map) > KEPT:
            self._read = 0
            self._map.madvise(mmap.MADV_DONTNEED)


class Comparison(Protocol):
    """The way from the rows of a file to the vectors that are compared; see the methods of `StoredVectors`."""

    @property
    def centre(self) -> Vectors | None:
        """The part that is taken off of each row, float32 (dim,); None if nothing is."""

    def __getitem__(self, key: Key) -> Vectors:
        """Rows as they are compared, float32."""

    def read(self, rows: npt.NDArray[np.integer]) -> npt.NDArray[Any]:
        """Rows as they are compared, in the type in which they are."""

    def refine(self, embeddings: Vectors, own: npt.NDArray[np.integer] | None) -> Vectors:
        """Other embeddings as they are compared with the rows."""

    def is_same(self, other: "Comparison") -> bool:
        """Whether equal rows are compared as equal vectors by both."""

    def split(self, embedding: Vectors) -> Split:
        """The parts of one refined embedding."""

    def followers(self, rows: npt.NDArray[np.integer]) -> Followers:
        """Other rows that depend on some."""

    def without(self, rows: npt.NDArray[np.integer], missing: npt.NDArray[np.integer]) -> Vectors:
        """Rows as they would be compared without another one each."""


class Unrefined:
    """Comparing the rows of a file as they are."""

    centre = None

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
        nothing = np.zeros_like(embedding)
        return Split(1.0, nothing, nothing)

    def followers(self, rows: npt.NDArray[np.integer]) -> Followers:  # noqa: ARG002 - they are not refined
        """See `Comparison`."""
        return np.empty(0, np.int32), np.empty(0, np.int32)

    def without(self, rows: npt.NDArray[np.integer], missing: npt.NDArray[np.integer]) -> Vectors:  # noqa: ARG002
        """See `Comparison`."""
        return self._rows[rows]


class StoredVectors:
    """An array of float32 (n, dim), rows of unit length, read as it is indexed. Safe to share between threads.

    Attributes:
        rows: of the file, as they were embedded.
        path, shape, dtype: of the file; what is read by index is float32 in any case.
    """

    def __init__(self, path: Path) -> None:
        """Open a file; raises OSError, or ValueError if it is not what `write_vectors` writes."""
        self.rows = MappedRows(path)
        self.path, self.shape, self.dtype = path, self.rows.shape, self.rows.dtype
        self._comparison: Comparison = Unrefined(self.rows)

    def compared_by(self, comparison: Comparison) -> "StoredVectors":
        """Give the vectors of the same file, compared in another way."""
        others = copy.copy(self)
        others._comparison = comparison
        return others

    def __len__(self) -> int:
        """Count the embeddings."""
        return len(self.rows)

    @property
    def dim(self) -> int:
        """Length of an embedding."""
        return self.rows.dim

    @property
    def centre(self) -> Vectors | None:
        """The part that all have in common and that is taken off, float32 (dim,); None if nothing is."""
        return self._comparison.centre

    def __getitem__(self, key: Key) -> Vectors:
        """Float32 (dim,) for a row, (m, dim) for a slice or several rows, which may count from the end."""
        return self._comparison[key]

    def __iter__(self) -> Iterator[Vectors]:
        """One embedding after the other."""
        return (row for _, block in self.blocks() for row in block)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        """All of them in memory, for NumPy."""
        return np.asarray(self[:], dtype)

    def read(self, rows: npt.NDArray[np.integer]) -> npt.NDArray[Any]:
        """Some rows in the type in which they are compared, (m, dim)."""
        return self._comparison.read(rows)

    def refine(self, embeddings: Vectors, own: npt.NDArray[np.integer] | None = None) -> Vectors:
        """Other embeddings as those of the file are compared, float32 (m, dim), rows of unit length.

        Args:
            embeddings: of the same model, likewise.
            own: for each of them the row of the same picture, of which nothing is to be known.
        """
        return self._comparison.refine(embeddings, own)

    def are_compared_as(self, others: "StoredVectors") -> bool:
        """Whether equal embeddings, here and in another file, are compared as equal vectors."""
        return others.dtype == self.dtype and self._comparison.is_same(others._comparison)

    def split(self, embedding: Vectors) -> Split:
        """The parts of what `refine` makes of one embedding, float32 (dim,), of unit length."""
        return self._comparison.split(embedding)

    def followers(self, rows: npt.NDArray[np.integer]) -> Followers:
        """Which other rows depend on some, as they are compared: places in `rows`, and those rows, both int32 (m,)."""
        return self._comparison.followers(rows)

    def without(self, rows: npt.NDArray[np.integer], missing: npt.NDArray[np.integer]) -> Vectors:
        """Rows as they would be compared if another one for each of them were not there, float32 (m, dim)."""
        return self._comparison.without(rows, missing)

    def embeddings(self, size: int = BLOCK) -> Iterator[tuple[int, Vectors]]:
        """All of them in order, as they were embedded: the number of a first row, and float32 (up to size, dim)."""
        return self.rows.blocks(size)

    def blocks(self, size: int = BLOCK) -> Iterator[tuple[int, Vectors]]:
        """All of them in order: the number of a first row, and float32 (up to size, dim) from there on."""
        for start in range(0, len(self), size):
            yield start, self[start : start + size]


def write_vectors(path: Path, shape: tuple[int, int], blocks: Iterable[Vectors], stored: Stored = "float32") -> None:
    """Write embeddings block by block, so that they are never in memory as a whole.

    Raises:
        SearchError: one is not made of finite numbers.
    """
    dtype = np.dtype(stored).newbyteorder("<")
    with path.open("wb") as file:
        header = {"descr": dtype.str, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        for block in blocks:
            if not np.isfinite(block).all():
                raise SearchError("An embedding holds values that are not finite numbers.")
            file.write(np.ascontiguousarray(block, dtype).data)
