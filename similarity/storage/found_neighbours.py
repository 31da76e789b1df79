"""Neighbours that a run has found so far, with which the next run continues if it is interrupted.

    photos/unfinished/4f0c….neighbours     batches of neighbours, in the order of the rows

The name identifies the embeddings and the centre that was taken off, so that other embeddings never meet these. Each
batch has a checksum: reading ends at the first that is cut short or damaged. A run that ends removes all of them.
"""

import hashlib
import os
import struct
import zlib
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from similarity.files import CAREFULLY, drop_foreign, open_own
from similarity.paths import UNFINISHED
from similarity.storage.removal import remove_found_neighbours
from similarity.vectors.arrays import Nearest
from similarity.vectors.memmap import StoredVectors
from similarity.vectors.refined import KEPT

SUFFIX = ".neighbours"
# Before each batch: the number of its rows and the checksum of its bytes.
HEADER = struct.Struct("<II")
TYPE = np.dtype("<i4")


class FoundNeighbours:
    """The file of a run, to be used in a `with` block.

    Attributes:
        found: the neighbours of the first rows, from an interrupted run, int32 (m, KEPT).
    """

    def __init__(self, directory: Path, centred: StoredVectors) -> None:
        """Open the file in a gallery's folder, or create it; raises OSError.

        Args:
            centred: the embeddings whose neighbours are found, with their centre.
        """
        self._path = directory / UNFINISHED / f"{_key(centred)}{SUFFIX}"
        self._path.parent.mkdir(exist_ok=True)
        drop_foreign(self._path)
        self.found, length = _read(self._path, len(centred))
        self._file = os.fdopen(os.open(self._path, os.O_WRONLY | os.O_CREAT | CAREFULLY, 0o666), "wb")
        self._file.truncate(length)
        self._file.seek(length)

    def keep(self, part: Nearest) -> None:
        """Write the neighbours of the next rows, so that they survive if the process is killed."""
        data = np.ascontiguousarray(part, TYPE).tobytes()
        self._file.write(HEADER.pack(len(part), zlib.crc32(data)) + data)
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def forget_found_neighbours(directory: Path) -> None:
    """Delete what runs have found; it never fails, since remains do no harm, and are deleted the next time."""
    with suppress(OSError):
        remove_found_neighbours(directory)


def _key(centred: StoredVectors) -> str:
    """Return a name for the embeddings of its files and the centre that is taken off them."""
    digest = hashlib.sha256()
    for path in centred.paths:
        with open_own(path) as file:
            hashlib.file_digest(file, lambda: digest)
    digest.update(b"" if centred.centre is None else centred.centre.tobytes())
    digest.update(bytes([KEPT]))
    return digest.hexdigest()[:16]


def _read(path: Path, count: int) -> tuple[Nearest, int]:
    """Read the sound batches of a file, for up to `count` rows, and the bytes that they take."""
    batches, rows, length = [np.empty((0, KEPT), np.int32)], 0, 0
    with suppress(FileNotFoundError), open_own(path) as file:
        while (batch := _read_batch(file, count - rows)) is not None and _are_rows(batch, count):
            batches.append(batch)
            rows, length = rows + len(batch), file.tell()
    return np.concatenate(batches), length


def _read_batch(file: BufferedReader, most: int) -> Nearest | None:
    """Read a batch of up to `most` rows; None if there is none, or none that is sound."""
    header = file.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    rows, checksum = HEADER.unpack(header)
    if not 0 < rows <= most:
        return None
    data = file.read(rows * KEPT * TYPE.itemsize)
    if len(data) < rows * KEPT * TYPE.itemsize or zlib.crc32(data) != checksum:
        return None
    return np.frombuffer(data, TYPE).reshape(rows, KEPT).astype(np.int32)


def _are_rows(batch: Nearest, count: int) -> bool:
    return bool(((batch >= 0) & (batch < count)).all())
