"""The lines of a generation, one for each file: in memory, or mapped into it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from similarity.paths import replace_start
from similarity.storage.item_table import CHUNK, LINE_NAMES, LINES
from similarity.storage.lookup import Lookup

# Distinct values of a column, such as labels, of which each is one object for all items that have it.
MOST_KNOWN = 100_000

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Grouping:
    """Which lines have the same content, and so belong to the item of one row: the first of them is the item.

    Attributes:
        row_of_line: int64 (lines,); rows are numbered in the order in which their contents appear.
        order: int64 (lines,), the lines of the first row, then those of the next, each in order.
        starts: int64 (rows + 1,), where the lines of each row begin in `order`.
    """

    row_of_line: Numbers
    order: Numbers
    starts: Numbers

    @classmethod
    def of(cls, row_of_line: Numbers) -> "Grouping":
        """Group lines whose rows are known."""
        counts = np.bincount(row_of_line)
        return cls(row_of_line, np.argsort(row_of_line, kind="stable"), np.concatenate([[0], np.cumsum(counts)]))

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.starts) - 1

    def firsts(self, rows: slice | Numbers = slice(None)) -> Numbers:
        """The lines of some items, of all by default, without those of their copies."""
        return self.order[self.starts[:-1][rows]]

    def copies(self, rows: Numbers) -> dict[int, Numbers]:
        """The lines of the copies of those among some items that have any."""
        starts, ends = self.starts[:-1][rows] + 1, self.starts[1:][rows]
        having = np.flatnonzero(ends > starts)
        return {int(rows[place]): self.order[starts[place] : ends[place]] for place in having}


@dataclass(frozen=True)
class Move:
    """Sources that have other names now, and files of theirs in other places.

    Attributes:
        sources: the new name of each.
        old, new: first parts of paths, of which the second replaces the first.
    """

    sources: Mapping[str, str]
    old: str
    new: str

    def apply(self, line: dict[str, Any]) -> dict[str, Any]:
        """A line as it is after it."""
        name = line["source"]
        if name not in self.sources:
            return line
        return line | {"source": self.sources[name], "path": replace_start(line["path"], self.old, self.new)}


@dataclass(frozen=True, eq=False)
class Lines:
    """The lines, which are read by need: mapped ones take no memory of the process.

    Attributes:
        batches: their columns, see `item_table.LINES`.
        grouping: their rows.
        lookups: by name of a column, a way to find lines without reading all of it.
        moves: what has moved since they were written.
    """

    batches: Sequence[pa.RecordBatch]
    grouping: Grouping
    lookups: Mapping[str, Lookup] = field(default_factory=dict)
    moves: tuple[Move, ...] = ()

    def __len__(self) -> int:
        """Count the lines."""
        return len(self.grouping.row_of_line)

    def moved(self, move: Move) -> "Lines":
        """The same lines after a move; nothing is read."""
        return replace(self, moves=(*self.moves, move))

    def only(self, chosen: npt.NDArray[np.bool_]) -> "Lines":
        """Some of the lines, in memory, in their order; whole items."""
        batches = [batch.take(as_arrow(np.flatnonzero(chosen[at : at + len(batch)]))) for at, batch in self.numbered()]
        _, rows = np.unique(self.grouping.row_of_line[chosen], return_inverse=True)
        return replace(self, batches=batches, grouping=Grouping.of(rows), lookups={})

    def sources(self) -> list[str]:
        """The names of the lines' sources now, in the order of their first lines."""
        names = dict.fromkeys(name for batch in self.batches for name in batch.column("source").unique().to_pylist())
        for move in self.moves:
            names = dict.fromkeys(move.sources.get(name, name) for name in names)
        return list(names)

    def read(self, lines: Numbers) -> list[dict[str, Any]]:
        """Return some lines, in that order."""
        read: list[dict[str, Any]] = self.take(lines).to_pylist()
        for move in self.moves:
            read = [move.apply(line) for line in read]
        return read

    def take(self, lines: Numbers, names: Sequence[str] = LINE_NAMES) -> pa.Table:
        """Return some columns of some lines as they were written, in that order.

        Each batch is asked for its own lines: asked together, Arrow would copy whole columns.
        """
        numbers = np.searchsorted(self._ends, lines, side="right")
        by_batch = np.argsort(numbers, kind="stable")
        parts = []
        for places in np.split(by_batch, np.flatnonzero(np.diff(numbers[by_batch])) + 1):
            if len(places):
                number = int(numbers[places[0]])
                batch = self.batches[number]
                of_batch = lines[places] - (self._ends[number] - len(batch))
                parts.append(batch.select(names).take(as_arrow(of_batch)))
        whole = pa.Table.from_batches(parts, pa.schema([LINES.field(name) for name in names]))
        if len(parts) < 2:
            return whole
        back = np.empty(len(lines), np.int64)
        back[by_batch] = np.arange(len(lines))
        return whole.combine_chunks().take(as_arrow(back))

    def first_values(self, name: str) -> Iterator[Any]:
        """Yield the value of each item in a column, in order. Equal texts are one object, where there are few."""
        firsts = self.grouping.firsts()  # which are in order, too
        known: dict[Any, Any] = {}
        for start, batch in self.numbered():
            here = slice(*np.searchsorted(firsts, [start, start + len(batch)]))
            for value in batch.column(name).take(as_arrow(firsts[here] - start)).to_pylist():
                yield known.setdefault(value, value) if len(known) < MOST_KNOWN else known.get(value, value)

    def numbered(self) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Yield the batches, each with the number of its first line."""
        yield from zip((self._ends - [len(batch) for batch in self.batches]).tolist(), self.batches, strict=True)

    def with_value(self, column: str, value: str) -> Iterator[int]:
        """Yield the lines that have a value in a column, in order."""
        if column not in self.lookups:
            for start, batch in self.numbered():
                here = pc.indices_nonzero(pc.is_in(batch.column(column), value_set=_as_text(value)))
                yield from (start + to_numpy(here)).tolist()
            return
        possible = self.lookups[column].find(value)
        for place in range(0, len(possible), CHUNK):
            lines = possible[place : place + CHUNK]
            is_equal = pc.is_in(self.take(lines, [column]).column(0).combine_chunks(), value_set=_as_text(value))
            yield from lines[to_numpy(pc.indices_nonzero(is_equal))].tolist()

    @cached_property
    def _ends(self) -> Numbers:
        return np.cumsum([len(batch) for batch in self.batches], dtype=np.int64)


def as_arrow(numbers: Numbers) -> pa.Array:
    """Convert without `pa.array`, which imports pandas."""
    return pa.Array.from_buffers(pa.int64(), len(numbers), [None, pa.py_buffer(np.ascontiguousarray(numbers))])


def to_numpy(numbers: pa.Array) -> Numbers:
    """Convert integers without nulls, not by `to_numpy`, which imports pandas."""
    return np.from_dlpack(numbers).astype(np.int64)


def _as_text(value: str) -> pa.Array:
    """Return an array of one text, as `as_arrow` does."""
    data = value.encode(errors="surrogatepass")
    return pa.StringArray.from_buffers(1, pa.py_buffer(np.array([0, len(data)], np.int32)), pa.py_buffer(data))
