"""Reading Parquet files that may have been made to do harm: one of a megabyte can expand to all memory.

A repeated long text takes hardly any room in a file, and its footer can be forged. So the footer is checked first, each
distinct text is read once, and texts are expanded only when their total length is known.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from similarity.files import open_own

END = b"PAR1"
# Limits of a footer: its bytes, plus bytes per row group; and entries of each list in it, if that has fewer groups.
FOOTER, PER_GROUP, PARTS = 1 << 16, 1 << 17, 32
# Minimum bytes of a line, and of a line with a SHA-256 that no other line has.
MIN_LINE, MIN_UNIQUE_LINE = 4, 32
# Limits of the expanded texts of a file: bytes, plus bytes for each byte of the file. Our texts take five times the
# file's size, and with this compression hardly any can take more than twenty times.
TEXT, TEXT_PER_BYTE = 1 << 26, 64
COMPRESSED = ("SNAPPY", "UNCOMPRESSED")


def read_table(
    path: Path,
    schema: pa.Schema,
    per_group: int,
    columns: list[str] | None = None,
    *,
    older: pa.Schema | None = None,
) -> pa.Table:
    """Read some or all columns of a file, in about as much memory as its contents need.

    Args:
        schema: all columns of the file, numbers and texts.
        per_group: minimum lines of each row group but the last.
        columns: names of the columns to read; by default all.
        older: the columns of a file that an older version wrote, if there were fewer.

    Raises:
        ValueError: the file is invalid, has other columns, or would take too much memory. OSError: it cannot be read.
    """
    if read := list(read_groups(path, schema, per_group, columns, older=older)):
        return pa.concat_tables(read)
    return pa.schema([schema.field(name) for name in columns or schema.names]).empty_table()


def read_groups(
    path: Path,
    schema: pa.Schema,
    per_group: int,
    columns: list[str] | None = None,
    *,
    older: pa.Schema | None = None,
) -> Iterator[pa.Table]:
    """Yield the row groups of a file one after another, in the memory of one; see `read_table`."""
    with _as_value_errors(path):
        size, groups = _check_footer(path, per_group)
        limits = {"thrift_string_size_limit": size, "thrift_container_size_limit": max(PARTS, groups)}
        if older is not None:
            with pq.ParquetFile(path, **limits) as file:
                schema = older if file.schema_arrow.names == older.names else schema
        texts = [column.name for column in schema if pa.types.is_string(column.type)]
        with pq.ParquetFile(path, read_dictionary=texts, **limits) as file:
            _check_columns(file, schema)
            _check_groups(file.metadata, size)
            left = TEXT + TEXT_PER_BYTE * size
            for number in range(file.num_row_groups):
                group = file.read_row_group(number, columns=columns or schema.names)
                left -= sum(map(_length_of_texts, group.columns))
                if left < 0:
                    raise ValueError(f"{path.name} would take too much memory")
                table = group.cast(pa.schema([schema.field(name) for name in group.column_names]))
                table.validate(full=True)
                yield table


@contextmanager
def _as_value_errors(path: Path) -> Iterator[None]:
    """Raise ValueError for what Arrow raises on a damaged file, and OSError only if it cannot be read."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        if getattr(error, "errno", None):
            raise
        raise ValueError(f"{path.name} is not a valid table") from error


def _check_footer(path: Path, per_group: int) -> tuple[int, int]:
    """Check the footer; returns the size of the file, and the row groups that it can have at most."""
    with open_own(path) as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(max(0, size - 8))
        end = file.read(8)
    groups = 2 + size // (MIN_UNIQUE_LINE * per_group)
    footer = int.from_bytes(end[:4], "little")
    if end[4:] != END or footer > size or footer > FOOTER + PER_GROUP * groups:
        raise ValueError(f"{path.name} has an invalid footer")
    return size, groups


def _check_columns(file: pq.ParquetFile, schema: pa.Schema) -> None:
    """Check that a file has these columns, and no nested ones."""
    types = [
        pa.dictionary(pa.int32(), column.type) if pa.types.is_string(column.type) else column.type for column in schema
    ]
    if file.schema_arrow.names != schema.names or file.schema_arrow.types != types:
        raise ValueError("the table has other columns")
    if any(file.schema.column(place).max_repetition_level for place in range(len(schema))):
        raise ValueError("the table has other columns")


def _check_groups(footer: pq.FileMetaData, size: int) -> None:
    """Check that the footer agrees with the size of the file, and that no part of the file is used twice."""
    lines = taken = 0
    for number in range(footer.num_row_groups):
        group = footer.row_group(number)
        lines += group.num_rows
        for place in range(footer.num_columns):
            column = group.column(place)
            taken += column.total_compressed_size
            is_valid = column.num_values == group.num_rows >= 0 and column.compression in COMPRESSED
            if not is_valid or column.total_compressed_size < 0:
                raise ValueError("the columns of the table contradict each other")
    if lines != footer.num_rows or lines > size // MIN_LINE or taken > size:
        raise ValueError("the table claims more lines than fit into the file")


def _length_of_texts(column: pa.ChunkedArray) -> int:
    """Return the bytes of a column's texts when they are expanded."""
    if not pa.types.is_dictionary(column.type):
        return 0
    parts = (pc.take(pc.binary_length(part.dictionary), part.indices) for part in column.chunks)
    return sum(pc.sum(part).as_py() or 0 for part in parts)
