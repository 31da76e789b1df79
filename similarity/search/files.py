"""FAISS indexes in files, without what FAISS leaves out: errors of the disk, and limits on what a file may ask for."""

from pathlib import Path
from typing import Any

from similarity.search.library import faiss

# What a file may make FAISS take, in bytes and in rounds of a loop: far more than any gallery needs.
faiss.set_deserialization_vector_byte_limit(1 << 38)
faiss.set_deserialization_loop_limit(1 << 24)


def write_faiss(index: Any, path: Path) -> None:
    """Write an index; raises OSError, which FAISS's own writing to files does not always."""
    with path.open("wb") as file:
        faiss.write_index(index, faiss.PyCallbackIOWriter(file.write))


def read_faiss(path: Path, flags: int = 0) -> Any:
    """Read what `write_faiss` wrote; raises ValueError if it is not.

    FAISS trusts its files, so whoever calls this has checked its hash.
    """
    try:
        return faiss.read_index(str(path), flags)
    except RuntimeError as error:
        raise ValueError("not an index that FAISS can read") from error
