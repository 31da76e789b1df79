"""The items of a generation as a Parquet file: a line for each file, with the row of its embedding.

Files with the same content share a row: the first of them is the item, the others are its copies.
"""

import json
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from cachetools import LRUCache

from similarity.sources import Item
from similarity.sources.base import files_of
from similarity.storage.column_files import Groups, read_columns
from similarity.storage.item_columns import write_columns
from similarity.storage.item_table import CHUNK, LINE_NAMES, OBJECTS, OLDER_SCHEMA, check_values, composed, with_exif
from similarity.storage.item_table import SCHEMA as SCHEMA
from similarity.storage.lines import Grouping, Lines, Move, Numbers, to_numpy
from similarity.storage.parquet import read_table
from similarity.storage.prepared import Prepared
from similarity.text.unicode import nfc

# Items that stay made, and rows that stay found, those that were used last: some megabytes. As many as FEW items are
# asked for by a search; whoever asks for more reads all of them, mostly, and would only push out what others use.
KEPT, FEW = 4096, 256


class Items(Sequence[Item]):
    """The items of a generation, made from the lines of its file on demand: a million items would take a gigabyte.

    To read many of them, use `at` or a slice, which are faster than one item at a time.
    """

    def __init__(self, table: pa.Table) -> None:
        """Wrap the lines of a file; raises ValueError or LookupError if they are not lines of items."""
        table = _composed(with_exif(table).select(LINE_NAMES).combine_chunks())
        # Numbered by first appearance, as `join_copies` does it.
        numbered = [to_numpy(part.indices) for part in table.column("sha256").dictionary_encode().chunks]
        self._wrap(Lines(table.to_batches(), Grouping.of(np.concatenate([*numbered, np.empty(0, np.int64)]))))

    @classmethod
    def of(cls, lines: Lines, prepared: Prepared | None = None) -> "Items":
        """Wrap lines that were checked and composed.

        Args:
            prepared: where their columns are kept, if there are so many that they should be.
        """
        items = cls.__new__(cls)
        items._wrap(lines, prepared)
        return items

    def _wrap(self, lines: Lines, prepared: Prepared | None = None) -> None:
        self._lines, self._grouping, self._prepared = lines, lines.grouping, prepared
        self._made: LRUCache[int, Item] = LRUCache(KEPT)
        self._found: LRUCache[str, int] = LRUCache(KEPT)
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Number of items, without copies."""
        return len(self._grouping)

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

    def _make(self, wanted: Numbers) -> list[Item]:
        """Make the items of some rows from their lines."""
        copies = {row: self._read(lines) for row, lines in self._grouping.copies(wanted).items()}
        items = zip(wanted.tolist(), self._read(self._grouping.firsts(wanted)), strict=True)
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
            for line in self._lines.with_value(column, written):
                row = int(self._grouping.row_of_line[line])
                # The id of a copy is not that of the item.
                if column == "sha256" or self._grouping.order[self._grouping.starts[row]] == line:
                    return row
        return None

    def find_any(self, value: str) -> int | None:
        """Return the row as `find` does, or else that of a copy, which is shown if the item's file is gone."""
        if (row := self.find(value)) is not None:
            return row
        line = next(self._lines.with_value("id", value), None)
        return None if line is None else int(self._grouping.row_of_line[line])

    def contents(self) -> list[str]:
        """Return the SHA-256 of each item, in hex, in order."""
        return list(self.iter_contents())

    def iter_contents(self) -> Iterator[str]:
        """Yield the same one after another."""
        return self._lines.first_values("sha256")

    def labels(self) -> list[str | None]:
        """Return the label of each item."""
        return list(self._lines.first_values("label"))

    def iter_metadata(self) -> Iterator[tuple[int, dict[str, str], str | None]]:
        """Yield for each file, copies included, the row of its item, its metadata and its label."""
        for start, batch in self._lines.numbered():
            rows = self._grouping.row_of_line[start : start + len(batch)].tolist()
            texts = (batch.column(name).to_pylist() for name in ("metadata", "label"))
            for row, metadata, label in zip(rows, *texts, strict=True):
                yield row, {} if metadata == "{}" else json.loads(metadata), label

    def sizes(self) -> tuple[list[int], list[int]]:
        """Return width and height of each item, in pixels; 0 if unknown."""
        return list(self._lines.first_values("width")), list(self._lines.first_values("height"))

    def exif(self) -> list[dict[str, str]]:
        """Return what the file of each item says of itself."""
        return [json.loads(text) if text != "{}" else {} for text in self._lines.first_values("exif")]

    @cached_property
    def columns(self) -> Groups | None:
        """Labels, metadata and own facts of a large gallery, see `item_columns.py`; None if they are read otherwise."""
        if self._prepared is None:
            return None
        return self._prepared.read_or_make(partial(write_columns, self._lines), read_columns)

    def sources(self) -> list[str]:
        """Return the names of the sources of the files, in the order in which they were added."""
        return [name for name in self._lines.sources() if name]

    def moved(self, sources: Mapping[str, str], old: str, new: str) -> "Items":
        """Return the same items with new names of some sources, and the paths of their files changed alike.

        Args:
            sources: the new name of each.
            old, new: first parts of paths, of which the second replaces the first.
        """
        return Items.of(self._lines.moved(Move(dict(sources), old, new)), self._prepared)

    def those(self, rows: Numbers) -> "Items":
        """Return only the items of some rows, in their order, with their copies."""
        return Items.of(self._lines.only(np.isin(self._grouping.row_of_line, rows)))

    def _read(self, lines: Numbers) -> list[Item]:
        return [_to_item(line) for line in self._lines.read(lines)]


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
    check_values(table, path.name)
    return Items(table)


def read_contents(path: Path) -> set[str]:
    """Return the SHA-256 of each file's content, in hex; raises as `read_items`."""
    return set(read_table(path, SCHEMA, CHUNK, ["sha256"], older=OLDER_SCHEMA).column(0).to_pylist())


def _to_line(row: int, item: Item) -> dict[str, Any]:
    line = {name: getattr(item, name) for name in LINE_NAMES}
    return line | {"row": row} | {name: json.dumps(dict(line[name]), ensure_ascii=False) for name in OBJECTS}


def _to_item(line: dict[str, Any]) -> Item:
    return Item(**line | {name: json.loads(line[name]) for name in OBJECTS})


def _composed(table: pa.Table) -> pa.Table:
    """Lines with composed labels, metadata and ids; ids stay if any of them would become the same."""
    for name in ("label", "metadata", "id"):
        column = table.column(name)
        new = composed(column)
        if name != "id" or new is column or pc.count_distinct(new).as_py() == pc.count_distinct(column).as_py():
            table = table.set_column(table.schema.get_field_index(name), name, new)
    return table
