"""FAISS indexes in files, without what FAISS leaves out: errors of the disk, and whether a file is one of ours."""

import os
import threading
from pathlib import Path
from typing import Any

from similarity.files import open_own
from similarity.search.faiss.layout import check_layout
from similarity.search.faiss_library import faiss

# What FAISS may compute beside what is in a file: so many bytes, and so many for each byte of the file. A table of
# distances that takes more is done without; searches are slower then, and their answers the same.
TABLE, PER_BYTE = 1 << 26, 8
# FAISS's own limits, which are of the process: in bytes, set for each file, and in rounds of a loop.
faiss.set_deserialization_loop_limit(1 << 24)
_limit = threading.Lock()


def write_faiss(index: Any, path: Path) -> None:
    """Write an index; raises OSError, which FAISS's own writing to files does not always."""
    with path.open("wb") as file:
        faiss.write_index(index, faiss.PyCallbackIOWriter(file.write))


def read_faiss(path: Path, kind: str, shape: tuple[int, int], flags: int = 0) -> Any:
    """Read what `write_faiss` wrote, in memory of the size of the file; nothing else is opened.

    Args:
        kind: flat, flat-sq8, or anything else for lists.
        shape: vectors, and numbers of each.

    Raises:
        ValueError: it is something else. OSError: it cannot be read.
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
