"""The rows of a NumPy file of embeddings, mapped into memory.

The file is mapped into memory: reading 100 rows takes 0.03 ms, instead of 0.3 ms one by one, without passing Python's
lock between threads. Mapped pages count as memory of the process, although the system can reclaim them at any time: it
maps up to 2 MB around a row, and a thousand searches among a million embeddings left 3.2 GB mapped. So pages of a large
file are released again. They stay in the system's disk cache, from which 50 rows take 0.2 ms; from a small file, which
stays mapped, they take 0.04 ms. Rows of a large file that are not in the disk cache are announced, since the system
would read much around each, one after the other: 50 took 100 ms, and 1.4 ms so.
"""

import mmap
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from similarity.files import open_own
from similarity.vectors.arrays import Vectors
from similarity.vectors.half import widen
from similarity.vectors.npy_files import read_header

# Rows that are read at a time when all are read: 8 to 32 MB.
BLOCK = 4096
# Rows that are copied at a time, so that few pages are mapped at once.
GATHERED = 512
# A file of up to MAX_MAPPED bytes stays mapped; of a larger one, pages are released after this many rows were read,
# about 128 MB. With 512 rows, a search among a million embeddings took a tenth longer.
MAX_MAPPED, RELEASE_AFTER = 1 << 29, 2048

Key = int | slice | Sequence[int] | npt.NDArray[np.integer]


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
            self._offset = file.tell()
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.all = np.frombuffer(self._map, self.dtype, offset=self._offset).reshape(self.shape)
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
            self._announce(part)
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

    def _announce(self, rows: npt.NDArray[np.integer]) -> None:
        """Have the system read rows of a large file all at once, not one by one as they are copied."""
        if len(self._map) <= MAX_MAPPED or not hasattr(mmap, "MADV_WILLNEED"):
            return
        rows = np.asarray(rows, np.int64) % len(self)  # negative rows count from the end
        begins = np.flatnonzero(np.diff(rows, prepend=-2) != 1)  # of runs of neighbours
        counts = np.diff(begins, append=len(rows))
        width = self.dtype.itemsize * self.dim
        for start, count in zip((self._offset + rows[begins] * width).tolist(), counts.tolist(), strict=True):
            page = start - start % mmap.PAGESIZE
            with suppress(OSError):  # some file systems refuse what only saves time
                self._map.madvise(mmap.MADV_WILLNEED, page, start - page + count * width)

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
