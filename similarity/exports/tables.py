"""Tables as CSV files, that a spreadsheet reads and takes no cell of for a formula, and as Parquet files."""

import csv
import io
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from similarity.errors import GalleryError
from similarity.exports.replacing import check_replaceable
from similarity.files import write_atomically
from similarity.paths import full_path
from similarity.text.plain import cell

# Rows that are written to a Parquet file at a time.
ROWS = 10_000


def to_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Return a table as CSV, in UTF-8 with its mark."""
    file = io.BytesIO()
    write_rows(file, columns, rows)
    return file.getvalue()


def write_rows(file: BinaryIO, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a table to an open file as CSV, in UTF-8 with its mark, a row at a time."""
    text = io.TextIOWrapper(file, "utf-8-sig", "backslashreplace", newline="")
    table = csv.writer(text)
    table.writerow(map(cell, columns))
    table.writerows(map(cell, row) for row in rows)
    text.flush()
    text.detach()


def write_csv(file: BinaryIO, columns: Mapping[str, type], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as CSV, in UTF-8 with its mark, as they come; a value that is missing is an empty cell.

    Args:
        columns: their names, and the types of their values.
    """
    text = io.TextIOWrapper(file, "utf-8-sig", "backslashreplace", newline="")
    table = csv.writer(text)
    table.writerow(map(cell, columns))
    for row in rows:
        table.writerow(["" if (value := row.get(name)) is None else cell(_flat(value)) for name in columns])
    text.detach()  # which flushes it, and leaves the file open


def write_parquet(file: BinaryIO, columns: Mapping[str, type], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as a Parquet file, as they come, with a group of rows for each ROWS of them; else as `write_csv`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    schema = pa.schema([(name, types[kind]) for name, kind in columns.items()])
    with pq.ParquetWriter(file, schema) as writer:
        for group in _in_groups(rows):
            lines = [{name: _flat(row.get(name)) for name in columns} for row in group]
            writer.write_table(pa.Table.from_pylist(lines, schema))


def write_json_lines(file: BinaryIO, objects: Iterable[Mapping[str, Any]]) -> None:
    """Write objects as JSON, a line each, as they come."""
    for one in objects:
        file.write(json.dumps(one).encode() + b"\n")


def write_table(path: Path, data: bytes | Callable[[BinaryIO], object], kind: str = "table") -> None:
    """Write a table to a file, whole or not at all.

    Args:
        data: the content, or a function that writes it to the open file.
        kind: what the file is called in a message.

    Raises:
        GalleryError: it cannot be written.
    """
    place = full_path(path)
    try:
        check_replaceable(place)
        write_atomically(place, data)
    except OSError as error:
        raise GalleryError(f"The {kind} could not be written to {path} ({error.strerror or error}).") from error


def _in_groups(rows: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    rest = iter(rows)
    while group := list(itertools.islice(rest, ROWS)):
        yield group


def _flat(value: Any) -> Any:
    """Return a value as a cell has it: of several values, or named ones, JSON."""
    if isinstance(value, dict | list):
        return json.dumps(value)
    # A lone surrogate, as of a file name that is not UTF-8, is in no encoding.
    return value.encode(errors="backslashreplace").decode() if isinstance(value, str) else value
