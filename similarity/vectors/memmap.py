"""The embeddings of a generation as they lie on the disk: a NumPy file, float32 or float16, of which rows are read.

The file is mapped into memory, which takes 0.03 ms for 100 rows where reading them one by one takes 0.3, and does not
hand Python's lock to and fro between threads. What is mapped counts as memory of the process, though the system can
take it back at any time: the system maps up to 2 MB around a row, and a thousand searches among a million embeddings
left 3.2 GB behind. So what is mapped of a large file is let go of again; what is needed next is still in the system's
cache of the disk, and 50 rows take 0.3 ms then, whereas of a small file that stays mapped they take 0.04.
"""

import mmap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

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


@dataclass(frozen=True, slots=True)
class Split:
    """What refining does to one embedding e, written as scale e - offset + context, exactly.

    Attributes:
        scale: above 0.
        offset: what all pictures of the gallery have in common, in that scale, float32 (dim,).
        context: what comes from other pictures that are like it, float32 (dim,); of this, nothing is its own.
    """

    scale: float
    offset: Vectors
    context: Vectors


class StoredVectors:
    """An array of float32 (n, dim), rows of unit length, read as it is asked for. Safe to share between threads.

    Attributes:
        path: the file.
        dtype: what the file holds; what is read by index is float32 in any case.
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
        self._all = np.frombuffer(self._map, self.dtype, offset=offset).reshape(self.shape)
        self._read = 0

    def __len__(self) -> int:
        """How many embeddings there are."""
        return int(self.shape[0])

    @property
    def dim(self) -> int:
        """Length of an embedding."""
        return int(self.shape[1])

    def __getitem__(self, key: int | slice | Sequence[int] | npt.NDArray[np.integer]) -> Vectors:
        """Float32 (dim,) for a row, (m, dim) for a slice or several rows, which may count from the end."""
        if isinstance(key, int | np.integer):
            row: Vectors = self._gather([int(key)], np.float32)[0]
            return row
        if isinstance(key, slice) and key.step in (None, 1):
            found: Vectors = np.array(self._all[key], np.float32)
            self._let_go(len(found))
            return found
        return self._gather(range(*key.indices(len(self))) if isinstance(key, slice) else key, np.float32)

    def __iter__(self) -> Iterator[Vectors]:
        """One embedding after the other."""
        return (row for _, block in self.blocks() for row in block)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        """All of them in memory, for NumPy."""
        return np.asarray(self[:], dtype)

    def read(self, rows: npt.NDArray[np.integer]) -> npt.NDArray[Any]:
        """Some rows as they are stored, (m, dim)."""
        return self._gather(rows, self.dtype)

    def refine(self, embeddings: Vectors, own: npt.NDArray[np.integer] | None = None) -> Vectors:  # noqa: ARG002
        """Other embeddings as those of the file are compared, float32 (m, dim), rows of unit length.

        Args:
            embeddings: of the same model, likewise.
            own: for each of them the row of the same picture, of which nothing is to be known.
        """
        return embeddings

    def are_compared_as(self, others: "StoredVectors") -> bool:
        """Whether equal embeddings, here and in another file, are compared as equal vectors."""
        return type(others) is StoredVectors and others.dtype == self.dtype

    def split(self, embedding: Vectors) -> Split:
        """What `refine` does to one embedding, float32 (dim,), of unit length."""
        nothing = np.zeros_like(embedding)
        return Split(1.0, nothing, nothing)

    def followers(
        self,
        rows: npt.NDArray[np.integer],  # noqa: ARG002 - they are not refined
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """Which other rows depend on some, as they are compared: places in `rows`, and those rows, both int32 (m,)."""
        return np.empty(0, np.int32), np.empty(0, np.int32)

    def without(self, rows: npt.NDArray[np.integer], missing: npt.NDArray[np.integer]) -> Vectors:  # noqa: ARG002
        """Rows as they would be compared if another one for each of them were not there, float32 (m, dim)."""
        return self[rows]

    def embeddings(self, size: int = BLOCK) -> Iterator[tuple[int, Vectors]]:
        """All of them in order, as they were embedded: the number of a first row, and float32 (up to size, dim)."""
        for start in range(0, len(self), size):
            rows = np.arange(start, min(start + size, len(self)))
            yield start, self._gather(rows, np.float32)

    def blocks(self, size: int = BLOCK) -> Iterator[tuple[int, Vectors]]:
        """All of them in order: the number of a first row, and float32 (up to size, dim) from there on."""
        for start in range(0, len(self), size):
            yield start, self[start : start + size]

    def _gather(self, rows: Sequence[int] | npt.NDArray[np.integer], dtype: Any) -> npt.NDArray[Any]:
        """Some rows, a few at a time, so that not much is mapped at once."""
        found = np.empty((len(rows), self.dim), dtype)
        for start in range(0, len(rows), LET_GO_AFTER):
            part = np.asarray(rows[start : start + LET_GO_AFTER])
            found[start : start + len(part)] = self._all[part]
            self._let_go(len(part))
        return found

    def _let_go(self, count: int) -> None:
        """Let go of what is mapped once so many rows more have been read that it may be much."""
        self._read += count
        if self._read >= LET_GO_AFTER and len(self._map) > KEPT:
            self._read = 0
            self._map.madvise(mmap.MADV_DONTNEED)


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
