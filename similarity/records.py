"""The items of a generation as a Parquet file: a line for each file, with the row of its embedding.

Files with the very same content share a row; the first of them is the item, the others are its copies.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from similarity.sources import Item

SCHEMA = pa.schema(
    [
        ("row", pa.int64()),
        ("id", pa.string()),
        ("path", pa.string()),
        ("label", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("size", pa.int64()),
        ("mtime", pa.float64()),
        ("sha256", pa.string()),
        ("source", pa.string()),
        ("metadata", pa.string()),  # a JSON object
    ]
)


def files_of(items: Iterable[Item]) -> Iterator[Item]:
    """Every file of some items, each on its own: the item, then its copies."""
    for item in items:
        yield replace(item, copies=()) if item.copies else item
        yield from item.copies


def join_copies(files: Iterable[Item]) -> list[Item]:
    """Files with the same content made one item, which stands where the first of them stood."""
    by_content: dict[str, list[Item]] = defaultdict(list)
    for file in files:
        by_content[file.sha256].append(file)
    return [replace(first, copies=tuple(copies)) if copies else first for first, *copies in by_content.values()]


def write_items(path: Path, items: Sequence[Item]) -> None:
    """Write items in the order of their rows."""
    lines = [_to_line(row, file) for row, item in enumerate(items) for file in files_of([item])]
    pq.write_table(pa.Table.from_pylist(lines, schema=SCHEMA), path)


def read_items(path: Path) -> list[Item]:
    """What `write_items` wrote; raises OSError, ValueError or LookupError where that cannot be."""
    return join_copies(_to_item(line) for line in _read(path).to_pylist())


def read_contents(path: Path) -> set[str]:
    """The SHA-256 of each file's content, in hex."""
    return set(_read(path, ["sha256"]).column(0).to_pylist())


def _read(path: Path, columns: list[str] | None = None) -> pa.Table:
    """Not with `pq.read_table`, which imports pandas: a quarter of a second."""
    with pq.ParquetFile(path) as file:
        return file.read(columns=columns)


def _to_line(row: int, item: Item) -> dict[str, Any]:
    line = {name: getattr(item, name) for name in SCHEMA.names[1:]}
    return line | {"row": row, "metadata": json.dumps(dict(item.metadata), ensure_ascii=False)}


def _to_item(line: dict[str, Any]) -> Item:
    del line["row"]  # for other readers of the file: it follows from the contents
    return Item(**line | {"metadata": json.loads(line["metadata"])})
