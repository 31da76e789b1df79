"""Vectors in a column of a Parquet file, whose other columns are about their pictures."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from similarity.errors import SourceError
from similarity.exports.vectors.kinds import KEY
from similarity.shards.vector_files.lists import parquet_rows
from similarity.shards.vector_files.vector_file import MOST_NUMBERS, Floats, VectorFile, rows_at_once

NAMES = ("embedding", "vector", "embeddings", "vectors")
# Numbers for each byte of a file at most: vectors cannot be compressed much, but a number that is repeated can.
MOST_PER_BYTE = 64
REMEDY = "write vectors as lists of floats, all of one length"


def open_parquet(path: Path) -> VectorFile:
    """Open a Parquet file; raises SourceError if it has no column of vectors, or they are none."""
    with _open(path) as file:
        name, count = _column(path, file.schema_arrow), file.metadata.num_rows
        if not 0 < count <= path.stat().st_size:
            raise SourceError(f"{path} has no rows, or claims more than fit into it: write it again.")
        if _count_values(file.metadata, name) > MOST_PER_BYTE * path.stat().st_size:
            raise SourceError(f"{path} claims more numbers than fit into it: write it again.")
        first = next(file.iter_batches(1, columns=[name])).column(0)
        dim = len(first.flatten())
        if not 0 < dim <= MOST_NUMBERS:
            raise SourceError(f"{path} has no vector in its first row: {REMEDY}.")
        origin = _origin(file.schema_arrow.metadata or {})
    return VectorFile(
        str(path), path.parent, dim, count, lambda: _blocks(path, name, dim), lambda: parquet_rows(path), origin
    )


def _column(path: Path, schema: pa.Schema) -> str:
    """Return the name of the column of vectors."""
    lists = [field.name for field in schema if _is_list(field.type)]
    named = [name for name in schema.names if name.strip().lower() in NAMES]
    if not (named or len(lists) == 1):
        raise SourceError(f"{path} needs a column of vectors that is named {NAMES[0]}: {REMEDY}.")
    name: str = (named or lists)[0]
    kind = schema.field(name).type
    if not (_is_list(kind) and pa.types.is_floating(kind.value_type)):
        raise SourceError(f"{path} has {kind} in its column {name}: {REMEDY}.")
    return name


def _count_values(footer: pq.FileMetaData, name: str) -> int:
    """Return how many numbers the footer claims that a column of lists has."""
    groups = [footer.row_group(number) for number in range(footer.num_row_groups)]
    columns = [group.column(place) for group in groups for place in range(footer.num_columns)]
    return sum(column.num_values for column in columns if column.path_in_schema.startswith(f"{name}."))


def _is_list(kind: pa.DataType) -> bool:
    return any(is_kind(kind) for is_kind in (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list))


def _origin(footer: dict[bytes, bytes]) -> dict[str, Any]:
    """Return what the footer says of the vectors; empty if it is not one of ours."""
    try:
        origin = json.loads(footer.get(KEY, b"{}"))
    except (ValueError, RecursionError):
        return {}
    return origin if isinstance(origin, dict) else {}


def _blocks(path: Path, name: str, dim: int) -> Iterator[Floats]:
    start = 1
    with _open(path) as file:
        for batch in file.iter_batches(rows_at_once(dim), columns=[name]):
            column = batch.column(0)
            _check_lengths(path, column, dim, start)
            values = column.flatten()
            if values.null_count:
                place = int(np.flatnonzero(values.is_null().to_numpy(zero_copy_only=False))[0])
                raise SourceError(f"{path}, row {start + place // dim:,} has a vector with values that are missing.")
            yield values.to_numpy(zero_copy_only=False).reshape(-1, dim)
            start += len(batch)


def _check_lengths(path: Path, column: pa.Array, dim: int, start: int) -> None:
    """Raise SourceError if a vector is missing, or has another length than the first one."""
    lengths = pc.fill_null(pc.list_value_length(column), -1).to_numpy(zero_copy_only=False)
    wrong = np.flatnonzero(lengths != dim)
    if len(wrong):
        row, length = start + int(wrong[0]), int(lengths[wrong[0]])
        has = "no vector" if length < 0 else f"a vector of {length:,} numbers"
        raise SourceError(f"{path}, row {row:,} has {has}, and the first row one of {dim:,}: {REMEDY}.")


@contextmanager
def _open(path: Path) -> Iterator[pq.ParquetFile]:
    """Open a file; errors of reading it within become SourceError."""
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            yield file
    except (OSError, ValueError, LookupError, TypeError, MemoryError, StopIteration, pa.ArrowException) as error:
        raise SourceError(f"{path} is damaged or cut short, or not a Parquet file: write it again.") from error
