"""FAISS indexes in files, with the checks that FAISS lacks: disk errors, and the layout of a file."""

import os
import threading
from pathlib import Path
from typing import Any, BinaryIO

from similarity.files import open_own
from similarity.search.faiss.layout import check_layout
from similarity.search.faiss_library import faiss

# Memory that FAISS may use for a precomputed table of distances: bytes, and bytes per byte of the file. A larger table
# is left out; searches are slower then, with the same results.
TABLE, PER_BYTE = 1 << 26, 8
# FAISS's own limits, which are of the process: in bytes, set for each file, and in rounds of a loop.
faiss.set_deserialization_loop_limit(1 << 24)
_limit = threading.Lock()


def write_faiss(index: Any, path: Path) -> None:
    """Write an index; raises OSError, which FAISS's own writer does not always do."""
    with path.open("wb") as file:
        write_index(index, file)


def write_index(index: Any, file: BinaryIO) -> None:
    """Write an index to an open file; raises OSError."""
    faiss.write_index(index, faiss.PyCallbackIOWriter(file.write))


def read_faiss(path: Path, kind: str, shape: tuple[int, int], flags: int = 0) -> Any:
    """Read a file of `write_faiss`, in about as much memory as its size; no other file is opened.

    Args:
        kind: flat, flat-sq8, or anything else for lists.
        shape: vectors, and numbers of each.

    Raises:
        ValueError: it is another kind of file. OSError: it cannot be read.
    """
    try:
        with open_own(path) as file:
            size = os.fstat(file.fileno()).st_size
            table = check_layout(file, size, shape, kind)
        if table > TABLE + PER_BYTE * size:
            flags |= faiss.IO_FLAG_SKIP_PRECOMPUTE_TABLE
        with _limit:
            faiss.set_deserialization_vector_byte_limit(size + table)  # it counts the table in any case
            return faiss.read_index(str(path), flags)
    except (RuntimeError, ValueError) as error:
        raise ValueError(f"{path.name} is not an index that FAISS can read: {error}") from error
