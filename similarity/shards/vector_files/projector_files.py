"""Vectors in a folder for TensorBoard's Embedding Projector."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from similarity.errors import SourceError
from similarity.exports.vectors.kinds import METADATA, VECTORS
from similarity.shards.vector_files.lists import tsv_rows
from similarity.shards.vector_files.vector_file import MOST_NUMBERS, Floats, VectorFile

# Bytes that are read at a time, or so many lines like the first; and the longest line of a vector.
BLOCK, LINES, LONGEST = 1 << 22, 4, 1 << 25


def is_projector(folder: Path) -> bool:
    """Whether a folder has tables for the Embedding Projector."""
    return (folder / VECTORS).is_file() and (folder / METADATA).is_file()


def open_projector(folder: Path) -> VectorFile:
    """Open a folder for the Embedding Projector; raises SourceError if its vectors are not numbers."""
    path = folder / VECTORS
    with path.open("rb") as file:
        first = file.readline(LONGEST)
    dim = len(first.split(b"\t"))
    if dim > MOST_NUMBERS or not first.strip() or not first.endswith(b"\n"):
        raise _error(path)
    count = sum(len(block) for block in _blocks(path, dim, len(first)))
    rows = folder / METADATA
    return VectorFile(str(folder), folder, dim, count, lambda: _blocks(path, dim, len(first)), lambda: tsv_rows(rows))


def _blocks(path: Path, dim: int, length: int) -> Iterator[Floats]:
    names = [str(number) for number in range(dim)]
    try:
        reader = pa_csv.open_csv(
            path,
            pa_csv.ReadOptions(column_names=names, block_size=max(BLOCK, LINES * length)),
            pa_csv.ParseOptions(delimiter="\t"),
            pa_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.float64())),
        )
        for batch in reader:
            yield np.stack([column.to_numpy(zero_copy_only=False) for column in batch.columns], axis=1)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise _error(path) from error


def _error(path: Path) -> SourceError:
    return SourceError(f"{path} is not a table of numbers, all of its lines as long as the first: write it again.")
