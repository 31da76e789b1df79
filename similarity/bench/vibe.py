"""Data sets of VIBE, a benchmark of vector indexes (github.com/vector-index-bench/vibe), in HDF5."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from similarity.errors import SearchError
from similarity.search import Rows
from similarity.vectors.arrays import Vectors, normalise

PARTS = ("train", "test", "neighbors")
# Kinds of distance that are cosine similarity; with vectors of unit length others rank in the same order.
COSINE = ("cosine", "angular", "normalized")
BLOCK = 4096


@dataclass(frozen=True, slots=True)
class DataSet:
    """An open data set.

    Attributes:
        shape: vectors, and numbers of each.
        queries: float32 (m, dim), rows of unit length.
        truth: the nearest rows of each query, best first, int64 (m, known).
    """

    shape: tuple[int, int]
    queries: Vectors
    truth: Rows
    _train: Any

    def blocks(self) -> Iterator[Vectors]:
        """Yield the vectors that are searched, float32, rows of unit length."""
        for start in range(0, self.shape[0], BLOCK):
            yield _unit(self._train[start : start + BLOCK])


@contextmanager
def open_data_set(path: Path) -> Iterator[DataSet]:
    """Open a data set.

    Raises:
        SearchError: h5py is not installed, or this is not a file with vectors that are compared by cosine similarity.
    """
    try:
        import h5py
    except ImportError as error:
        raise SearchError("Data sets in HDF5 need one more package: pip install h5py.") from error
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise SearchError(f"{path} cannot be read as an HDF5 file.") from error
    with file:
        yield _read(path, file)


def _read(path: Path, file: Any) -> DataSet:
    found = [file.get(part) for part in PARTS]
    if not all(len(getattr(part, "shape", ())) == 2 and len(part) for part in found):
        raise SearchError(f"{path} lacks the arrays {', '.join(PARTS)} of a data set of VIBE.")
    train, test, neighbours = found
    kinds = "f" == train.dtype.kind == test.dtype.kind and neighbours.dtype.kind in "iu"
    if not kinds or train.shape[1] != test.shape[1] or len(test) != len(neighbours):
        raise SearchError(f"The arrays of {path} do not belong together, or are not numbers that can be searched.")
    distance = file.attrs.get("distance", COSINE[0])
    name = distance.decode() if isinstance(distance, bytes) else str(distance)
    if name not in COSINE:
        raise SearchError(f"{path} compares by {name}, and indexes here by cosine similarity: take another data set.")
    truth = np.asarray(neighbours[:], np.int64)
    if not 0 <= truth.min() <= truth.max() < len(train):
        raise SearchError(f"The neighbours in {path} are not rows of its vectors.")
    return DataSet(train.shape, _unit(test[:]), truth, train)


def _unit(vectors: Any) -> Vectors:
    return normalise(np.asarray(vectors, np.float32))
