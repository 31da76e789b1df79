"""Lists of the pictures that vectors are of: a CSV, a Parquet file, or the table of an Embedding Projector."""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from similarity.errors import SourceError
from similarity.shards.vector_files.vector_file import Texts
from similarity.sources.csv_table import open_reader
from similarity.sources.csv_text import read_rows
from similarity.text.plain import without_guard

NAMES = ("id", "path", "url", "image_path")
BLOCK = 4096


def list_rows(path: Path) -> Iterator[Texts]:
    """Yield the rows of a CSV or a Parquet file; raises SourceError if it cannot be read."""
    return parquet_rows(path) if path.suffix.lower() == ".parquet" else _csv_rows(path)


def _csv_rows(path: Path) -> Iterator[Texts]:
    rows = read_rows(path, NAMES)
    reader = open_reader(path, rows, NAMES)
    try:
        for row in reader:
            yield {name: without_guard(value) if name else value for name, value in row.items()}
    except csv.Error as error:
        line = reader.line_num + rows.skipped_lines + 1
        raise SourceError(f"{path}: the row that begins in line {line} is not CSV ({error}).") from error


def parquet_rows(path: Path) -> Iterator[Texts]:
    """Yield the rows of a Parquet file without its columns of bytes, lists and the like, as texts."""
    try:
        with pq.ParquetFile(path) as file:
            names = {field.name: field.name.strip().lower() for field in file.schema_arrow if _is_plain(field.type)}
            for batch in file.iter_batches(BLOCK, columns=list(names)):
                columns = [[_text(value) for value in batch.column(name).to_pylist()] for name in names]
                for values in zip(*columns, strict=True) if columns else [()] * len(batch):
                    yield dict(zip(names.values(), values, strict=True))
    except (OSError, ValueError, pa.ArrowException) as error:
        raise SourceError(f"{path} is damaged, or not a Parquet file: write it again.") from error


def tsv_rows(path: Path) -> Iterator[Texts]:
    """Yield the rows of an Embedding Projector's table; without a tab in its first line, it has labels only."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            first = file.readline().rstrip("\r\n")
            names = first.split("\t")
            if len(names) == 1:
                yield {"label": first}
                names = ["label"]
            for values in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                texts: Mapping[str, Any] = dict(zip(names, map(without_guard, values), strict=False))
                yield texts
    except (OSError, ValueError, csv.Error) as error:
        raise SourceError(f"{path} is not a table with tabs in UTF-8: write it again.") from error


def _is_plain(kind: pa.DataType) -> bool:
    return not (pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _text(value: Any) -> str:
    return "" if value is None else str(value)
