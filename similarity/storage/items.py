"""The items of a generation as a Parquet file: a line for each file, with the row of its embedding.

Files with the same content share a row: the first of them is the item, the others are its copies.
"""

import json
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from cachetools import LRUCache

from similarity.paths import replace_start
from similarity.sources import Item
from similarity.sources.base import files_of
from similarity.storage.parquet import read_table
from similarity.text.unicode import nfc

# Items that are converted from or to lines at a time.
CHUNK = 8192
# Items that stay made, and rows that stay found, those that were used last: some megabytes. As many as FEW items are
# asked for by a search; whoever asks for more reads all of them, mostly, and would only push out what others use.
KEPT, FEW = 4096, 256
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
        ("exif", pa.string()),  # likewise
    ]
)
# Of galleries up to format 6.
OLDER_SCHEMA = SCHEMA.remove(SCHEMA.get_field_index("exif"))
OBJECTS = ("metadata", "exif")
# In the syntax of RE2: a hash, a JSON object of texts, and any text without NUL.
SHA256, LINE = r"\A[0-9a-f]{64}\z", r"\A[^\x00]*\z"
WORD = r'"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"'
WORDS = rf"\A\{{(?:{WORD}: {WORD}(?:, {WORD}: {WORD})*)?\}}\z"
LONGEST_SIDE = 1 << 20  # of a picture, in pixels


class Items(Sequence[Item]):
    """The items of a generation, made from the lines of its file on demand: a million items would take a gigabyte.

    To read many of them, use `at` or a slice, which are faster than one item at a time.
    """

    def __init__(self, table: pa.Table) -> None:
        """Wrap the lines of a file; raises ValueError or LookupError if they are not lines of items."""
        if "exif" not in table.column_names:
            table = table.append_column("exif", pa.repeat("{}", len(table)))
        self._table = _composed(table.select(SCHEMA.names[1:]).combine_chunks())
        contents = self._table.column("sha256").combine_chunks()
        # Numbered by first appearance, as `join_copies` does it.
        row_of_line = _to_numpy(contents.dictionary_encode().indices)
        _, self._lines = np.unique(row_of_line, return_index=True)
        self._copies: dict[int, list[int]] = defaultdict(list)
        for line in np.setdiff1d(np.arange(len(row_of_line)), self._lines).tolist():
            self._copies[int(row_of_line[line])].append(line)
        self._row_of_line = row_of_line
        self._made: LRUCache[int, Item] = LRUCache(KEPT)
        self._found: LRUCache[str, int] = LRUCache(KEPT)
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Number of items, without copies."""
        return len(self._lines)

    @overload
    def __getitem__(self, key: int) -> Item: ...

    @overload
    def __getitem__(self, key: slice) -> list[Item]: ...

    def __getitem__(self, key: int | slice) -> Item | list[Item]:
        """Return an item, or a list of items."""
        if isinstance(key, slice):
            return self.at(range(*key.indices(len(self))))
        if not -len(self) <= key < len(self):
            raise IndexError(f"There are only {len(self)} items.")
        return self.at([int(key) % len(self)])[0]

    def __iter__(self) -> Iterator[Item]:
        """Yield all items in order."""
        for start in range(0, len(self), CHUNK):
            yield from self[start : start + CHUNK]

    def __eq__(self, other: object) -> bool:
        """Whether another sequence has the same items."""
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(first == second for first, second in zip(self, other, strict=True))

    def at(self, rows: Iterable[int]) -> list[Item]:
        """Return the items of some rows, in that order."""
        wanted = np.fromiter(rows, np.int64)
        if len(wanted) > FEW:
            return self._make(wanted)
        numbers = wanted.tolist()
        with self._lock:
            known = {row: item for row in numbers if (item := self._made.get(row)) is not None}
        if missing := [row for row in dict.fromkeys(numbers) if row not in known]:
            made = dict(zip(missing, self._make(np.array(missing, np.int64)), strict=True))
            known |= made
            with self._lock:
                self._made.update(made)
        return [known[row] for row in numbers]

    def _make(self, wanted: npt.NDArray[np.int64]) -> list[Item]:
        """Make the items of some rows from their lines."""
        copies = {row: self._read(self._copies[row]) for row in wanted.tolist() if row in self._copies}
        items = zip(wanted.tolist(), self._read(self._lines[wanted]), strict=True)
        return [replace(item, copies=tuple(copies[row])) if row in copies else item for row, item in items]

    def find(self, value: str) -> int | None:
        """Return the row of the item with an id, or with a SHA-256 in hex; None if there is no such item."""
        with self._lock:
            known = self._found.get(value)
        if known is not None:
            return known
        row = self._look_up(value)
        if row is not None:  # what is not there could be anything, and of any length
            with self._lock:
                self._found[value] = row
        return row

    def _look_up(self, value: str) -> int | None:
        """Look for the item with an id or a SHA-256 in all lines."""
        for column, written in dict.fromkeys((("id", value), ("id", nfc(value)), ("sha256", value))):
            for line in self._lines_with(column, written):
                row = int(self._row_of_line[line])
                if column == "sha256" or self._lines[row] == line:  # the id of a copy is not that of the item
                    return row
        return None

    def find_any(self, value: str) -> int | None:
        """Return the row as `find` does, or else that of a copy, which is shown if the item's file is gone."""
        if (row := self.find(value)) is not None:
            return row
        lines = self._lines_with("id", value)
        return int(self._row_of_line[lines[0]]) if len(lines) else None

    def _lines_with(self, column: str, value: str) -> npt.NDArray[np.int64]:
        """Return the lines of which a column has a value, in order."""
        return _to_numpy(pc.indices_nonzero(pc.is_in(self._table.column(column), value_set=_as_text(value))))

    def contents(self) -> list[str]:
        """Return the SHA-256 of each item, in hex, in order."""
        return self._column("sha256", self._lines)

    def labels(self) -> list[str | None]:
        """Return the label of each item."""
        return self._column("label", self._lines)

    def iter_metadata(self) -> Iterator[tuple[int, dict[str, str], str | None]]:
        """Yield for each file, copies included, the row of its item, its metadata and its label."""
        lines = self._row_of_line.tolist(), *(self._table.column(name).to_pylist() for name in ("metadata", "label"))
        for row, metadata, label in zip(*lines, strict=True):
            yield row, {} if metadata == "{}" else json.loads(metadata), label

    def sizes(self) -> tuple[list[int], list[int]]:
        """Return width and height of each item, in pixels; 0 if unknown."""
        return self._column("width", self._lines), self._column("height", self._lines)

    def exif(self) -> list[dict[str, str]]:
        """Return what the file of each item says of itself."""
        return [json.loads(text) if text != "{}" else {} for text in self._column("exif", self._lines)]

    def sources(self) -> list[str]:
        """Return the names of the sources of the files, in the order in which they were added."""
        return [name for name in self._table.column("source").unique().to_pylist() if name]

    def moved(self, sources: Mapping[str, str], old: str, new: str) -> "Items":
        """Return the same items with new names of some sources, and the paths of their files changed alike.

        Args:
            sources: the new name of each.
            old, new: first parts of paths, of which the second replaces the first.
        """
        names, paths = (self._table.column(name).to_pylist() for name in ("source", "path"))
        now = [
            replace_start(path, old, new) if name in sources else path for name, path in zip(names, paths, strict=True)
        ]
        table = self._table
        for column, values in (("path", now), ("source", [sources.get(name, name) for name in names])):
            field = table.schema.get_field_index(column)
            table = table.set_column(field, SCHEMA.field(column), pa.array(values, pa.string()))
        return Items(table)

    def those(self, rows: npt.NDArray[np.int64]) -> "Items":
        """Return only the items of some rows, in their order, with their copies."""
        return Items(self._table.take(_as_arrow(np.flatnonzero(np.isin(self._row_of_line, rows)))))

    def _column(self, name: str, lines: npt.NDArray[np.int64]) -> list[Any]:
        return list(self._table.column(name).take(_as_arrow(lines)).to_pylist())

    def _read(self, lines: Sequence[int] | npt.NDArray[np.int64]) -> list[Item]:
        return [_to_item(line) for line in self._table.take(_as_arrow(np.asarray(lines, np.int64))).to_pylist()]


def write_items(path: Path, items: Sequence[Item]) -> None:
    """Write items in the order of their rows."""
    with pq.ParquetWriter(path, SCHEMA, use_dictionary=["label", "source"]) as file:
        for start in range(0, len(items), CHUNK):
            chunk = items[start : start + CHUNK]
            lines = [_to_line(row, file) for row, item in enumerate(chunk, start) for file in files_of([item])]
            file.write_table(pa.Table.from_pylist(lines, schema=SCHEMA))


def read_items(path: Path) -> Items:
    """Read the file that `write_items` wrote; raises OSError, ValueError or LookupError if it is damaged."""
    table = read_table(path, SCHEMA, CHUNK, older=OLDER_SCHEMA)
    if not all(_is_valid(name, table.column(name)) for name in table.column_names):
        raise ValueError(f"{path.name} has values that no picture can have")
    return Items(table)


def read_contents(path: Path) -> set[str]:
    """Return the SHA-256 of each file's content, in hex; raises as `read_items`."""
    return set(read_table(path, SCHEMA, CHUNK, ["sha256"], older=OLDER_SCHEMA).column(0).to_pylist())


def _is_valid(name: str, column: pa.ChunkedArray) -> bool:
    """Whether all values of a column are possible for pictures, as later readers assume."""
    if name != "label" and column.null_count:
        return False
    if pa.types.is_string(column.type):
        pattern = SHA256 if name == "sha256" else WORDS if name in OBJECTS else LINE
        return _all(pc.match_substring_regex(column, pattern))
    if name == "mtime":
        return _all(pc.is_finite(column))
    smallest, largest = (bound or 0 for bound in pc.min_max(column).as_py().values())
    return bool(smallest >= 0 and (largest <= LONGEST_SIDE or name not in ("width", "height")))


def _all(values: pa.ChunkedArray) -> bool:
    return bool(pc.all(values, min_count=0).as_py())


def _to_line(row: int, item: Item) -> dict[str, Any]:
    line = {name: getattr(item, name) for name in SCHEMA.names[1:]}
    return line | {"row": row} | {name: json.dumps(dict(line[name]), ensure_ascii=False) for name in OBJECTS}


def _to_item(line: dict[str, Any]) -> Item:
    return Item(**line | {name: json.loads(line[name]) for name in OBJECTS})


def _composed(table: pa.Table) -> pa.Table:
    """Lines with composed labels, metadata and ids, as sources give them; galleries of earlier versions have others."""
    for name in ("label", "metadata", "id"):
        column = table.column(name)
        if _all(pc.string_is_ascii(column)):
            continue
        composed = pc.utf8_normalize(column, form="NFC")
        if name != "id" or pc.count_distinct(composed).as_py() == pc.count_distinct(column).as_py():
            table = table.set_column(table.schema.get_field_index(name), name, composed)
    return table


def _as_arrow(numbers: npt.NDArray[np.int64]) -> pa.Array:
    """Convert without `pa.array`, which imports pandas."""
    return pa.Array.from_buffers(pa.int64(), len(numbers), [None, pa.py_buffer(np.ascontiguousarray(numbers))])


def _as_text(value: str) -> pa.Array:
    """Return an array of one text, as `_as_arrow` does."""
    data = value.encode(errors="surrogatepass")
    return pa.StringArray.from_buffers(1, pa.py_buffer(np.array([0, len(data)], np.int32)), pa.py_buffer(data))


def _to_numpy(numbers: pa.Array) -> npt.NDArray[np.int64]:
    """Convert integers without nulls, not by `to_numpy`, which imports pandas."""
    return np.from_dlpack(numbers).astype(np.int64)
