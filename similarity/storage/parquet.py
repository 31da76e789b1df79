"""Parquet files of ours, of which nothing is believed: one of a megabyte can ask for all the memory there is.

A long text that is repeated takes no room in a file, and its footer can say anything. So the footer is looked at first,
each text is read once, and all are only written out when it is known how long they are together.
"""

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from similarity.files import open_own

END = b"PAR1"
# Of a footer, in bytes: of any, and for each group of lines. What is in it has at most so many parts, or one a group.
FOOTER, PER_GROUP, PARTS = 1 << 16, 1 << 17, 32
# A line of ours takes so many bytes at least, and one of a picture that is no copy, whose SHA-256 is in it, so many.
LEAST, LEAST_ALONE = 4, 32
# What the texts of a file take when they are written out: so many bytes, and so many for each of the file. Ours take
# five times its size; what is compressed as ours is cannot take much more than twenty times.
TEXT, TEXT_PER_BYTE = 1 << 26, 64
COMPRESSED = ("SNAPPY", "UNCOMPRESSED")


def read_table(path: Path, schema: pa.Schema, per_group: int, columns: list[str] | None = None) -> pa.Table:
    """Some columns of a file, or all of them, in memory of about the size of what was written.

    Args:
        schema: its columns, of numbers and texts.
        per_group: how many lines a group has at least, but for the last one.

    Raises:
        ValueError: it is none, has other columns, contradicts itself, or asks for too much. OSError: it cannot be read.
    """
    try:
        return _read(path, schema, per_group, columns or schema.names)
    except (OSError, pa.ArrowException) as error:
        if getattr(error, "errno", None):
            raise
        raise ValueError(f"{path.name} is not a table of ours") from error


def _read(path: Path, schema: pa.Schema, per_group: int, columns: list[str]) -> pa.Table:
    size, groups = _check_footer(path, per_group)
    texts = [one.name for one in schema if pa.types.is_string(one.type)]
    limits = {"thrift_string_size_limit": size, "thrift_container_size_limit": max(PARTS, groups)}
    with pq.ParquetFile(path, read_dictionary=texts, **limits) as file:
        _check_columns(file, schema)
        _check_groups(file.metadata, size)
        left = TEXT + TEXT_PER_BYTE * size
        read = []
        for number in range(file.num_row_groups):
            group = file.read_row_group(number, columns=columns)
            left -= sum(map(_length_of_texts, group.columns))
            if left < 0:
                raise ValueError(f"{path.name} asks for too much memory")
            read.append(group.cast(pa.schema([schema.field(name) for name in group.column_names])))
    table = pa.concat_tables(read) if read else pa.schema([schema.field(name) for name in columns]).empty_table()
    table.validate(full=True)
    return table


def _check_footer(path: Path, per_group: int) -> tuple[int, int]:
    """Returns the size of the file, and how many groups of lines it can have."""
    with open_own(path) as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(max(0, size - 8))
        end = file.read(8)
    groups = 2 + size // (LEAST_ALONE * per_group)
    footer = int.from_bytes(end[:4], "little")
    if end[4:] != END or footer > size or footer > FOOTER + PER_GROUP * groups:
        raise ValueError(f"{path.name} has no footer of ours")
    return size, groups


def _check_columns(file: pq.ParquetFile, schema: pa.Schema) -> None:
    """See to it that it has these columns, and none within another."""
    as_read = [pa.dictionary(pa.int32(), one.type) if pa.types.is_string(one.type) else one.type for one in schema]
    if file.schema_arrow.names != schema.names or file.schema_arrow.types != as_read:
        raise ValueError("the table has other columns")
    if any(file.schema.column(place).max_repetition_level for place in range(len(schema))):
        raise ValueError("the table has other columns")


def _check_groups(footer: pq.FileMetaData, size: int) -> None:
    """See to it that what the footer says of its parts can be, and that no part of the file is there twice."""
    lines = taken = 0
    for number in range(footer.num_row_groups):
        group = footer.row_group(number)
        lines += group.num_rows
        for place in range(footer.num_columns):
            column = group.column(place)
            taken += column.total_compressed_size
            fits = column.num_values == group.num_rows >= 0 and column.compression in COMPRESSED
            if not fits or column.total_compressed_size < 0:
                raise ValueError("the parts of the table do not fit together")
    if lines != footer.num_rows or lines > size // LEAST or taken > size:
        raise ValueError("the table says that it has more than can be in it")


def _length_of_texts(column: pa.ChunkedArray) -> int:
    """How many bytes a column's texts take, each line's counted."""
    if not pa.types.is_dictionary(column.type):
        return 0
    parts = (pc.take(pc.binary_length(part.dictionary), part.indices) for part in column.chunks)
    return sum(pc.sum(part).as_py() or 0 for part in parts)
