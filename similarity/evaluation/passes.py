"""Passes over the vectors of a gallery, one for each block of queries.

A gallery that fits in memory is read once. Of a larger one, vectors that are moved towards neighbours take four times
as long to read as others, since the neighbours of each are gathered: they are written once into a temporary file, which
has no name, so that it is gone at the end however that comes.
"""

import logging
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from tempfile import TemporaryFile
from typing import IO, Protocol

import numpy as np

from similarity.paths import cache_folder
from similarity.vectors.arrays import Nearest, Vectors

# A gallery of up to this many bytes is read once.
MAX_IN_MEMORY = 1 << 29
# The temporary file is written if this many times as much is free on its disk, and read this many rows at a time.
SPARE, ROWS = 2, 4096

logger = logging.getLogger(__name__)

Blocks = Iterable[tuple[int, Vectors]]


class Pictures(Protocol):
    """The interface of `StoredVectors` that ranking needs: the vectors of a gallery's pictures."""

    @property
    def dim(self) -> int:
        """Length of a vector."""

    @property
    def nearest(self) -> Nearest | None:
        """The rows that each row is moved towards; None if none is moved."""

    def __len__(self) -> int:
        """Number of pictures."""

    def blocks(self) -> Blocks:
        """Yield all vectors in blocks: the number of the first row, and float32 (any, dim)."""


def fits_in_memory(count: int, dim: int) -> bool:
    """Whether a gallery of `count` vectors of `dim` numbers is read once, and kept."""
    return 4 * count * dim <= MAX_IN_MEMORY


@contextmanager
def passes_over(gallery: Pictures, passes: int) -> Iterator[Callable[[], Blocks]]:
    """Give a function that yields a gallery's blocks, one pass at a time, and can be called again.

    Args:
        passes: how often it will be called.
    """
    if fits_in_memory(len(gallery), gallery.dim):
        blocks = list(gallery.blocks())
        yield lambda: blocks
    elif gallery.nearest is None or passes < 2:
        yield gallery.blocks
    else:
        with ExitStack() as stack:
            file = _write(gallery, stack)
            yield partial(_read, file, len(gallery), gallery.dim) if file else gallery.blocks


def _write(gallery: Pictures, stack: ExitStack) -> IO[bytes] | None:
    """Write all vectors into a temporary file, float32 without a header; None if there is no place for it."""
    try:
        cache_folder().mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(cache_folder()).free < SPARE * 4 * len(gallery) * gallery.dim:
            return None
        file = stack.enter_context(TemporaryFile(dir=cache_folder()))  # noqa: SIM115 - the stack closes it
        for _, block in gallery.blocks():
            file.write(np.ascontiguousarray(block, np.float32).data)
        file.flush()
    except OSError as error:
        stack.close()
        logger.info("Vectors are refined anew for every block of queries, because: %s", error)
        return None
    return file


def _read(file: IO[bytes], count: int, dim: int) -> Iterator[tuple[int, Vectors]]:
    file.seek(0)
    for start in range(0, count, ROWS):
        rows = min(ROWS, count - start)
        yield start, np.fromfile(file, np.float32, rows * dim).reshape(rows, dim)
