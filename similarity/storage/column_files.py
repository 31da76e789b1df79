"""Columns of a large gallery in files that are mapped into memory: each distinct value, and the rows that have it.

columns.json     the groups, and in each the columns, with how many values and rows each has, in their order
texts.bin        all values, as UTF-8
text_ends.bin    int64, where each value ends in it
rows.bin         int64, the rows of the first value in order, then those of the next
starts.bin       int64, for each column where the rows of its values begin, counted from its own first row; and its end
spans.bin        float64, of columns with very many values: as numbers first and last, and likewise as dates
"""

import bisect
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import overload

import numpy as np
import numpy.typing as npt

from similarity.files import read_own
from similarity.storage.mapped_arrays import map_numbers
from similarity.text.spans import KINDS, Kind, Spans, spans_of

Rows = npt.NDArray[np.int64]

COLUMNS = "columns.json"
TEXTS, TEXT_ENDS, ROWS, STARTS, SPANS = "texts.bin", "text_ends.bin", "rows.bin", "starts.bin", "spans.bin"
NUMBERS = {TEXTS: np.uint8, TEXT_ENDS: np.int64, ROWS: np.int64, STARTS: np.int64, SPANS: np.float64}
MOST_BYTES = 1_000_000_000  # of the list of columns
# Values of a column from which they are read one by one, and their spans are kept.
MANY = 50_000
# Values that are read or written at a time.
BLOCK = 8192


class Texts(Sequence[str]):
    """Distinct texts, sorted, that are read by need."""

    def __init__(self, data: npt.NDArray[np.uint8], ends: Rows, first: int) -> None:
        """Wrap the bytes of texts: of all before `first`, then of these, which end at `ends`."""
        self._data, self._ends, self._first = data, ends, first

    def __len__(self) -> int:
        """Count the texts."""
        return len(self._ends) - self._first

    @overload
    def __getitem__(self, key: int) -> str: ...

    @overload
    def __getitem__(self, key: slice) -> list[str]: ...

    def __getitem__(self, key: int | slice) -> str | list[str]:
        """Return a text, or some."""
        if isinstance(key, slice):
            return [self[place] for place in range(*key.indices(len(self)))]
        if not -len(self) <= key < len(self):
            raise IndexError(key)
        place = self._first + key % len(self)
        return self._text(int(self._ends[place - 1]) if place else 0, int(self._ends[place]))

    def __iter__(self) -> Iterator[str]:
        """Yield the texts in order."""
        start = int(self._ends[self._first - 1]) if self._first else 0
        for place in range(self._first, len(self._ends), BLOCK):
            for end in self._ends[place : place + BLOCK].tolist():
                yield self._text(start, end)
                start = end

    def __contains__(self, value: object) -> bool:
        """Whether a text is one of them."""
        if not isinstance(value, str):
            return False
        place = bisect.bisect_left(self, value)
        return place < len(self) and self[place] == value

    def _text(self, start: int, end: int) -> str:
        return self._data[start:end].tobytes().decode(errors="surrogatepass")


@dataclass(frozen=True, slots=True, eq=False)
class StoredColumn:
    """A column.

    Attributes:
        values: distinct and sorted.
        rows: int64, the rows that have the first value, in order, then those of the next.
        starts: int64 (values + 1,), where the rows of each value begin.
        spans: of its values by kind, if there are very many.
    """

    values: Sequence[str]
    rows: Rows
    starts: Rows
    spans: Mapping[Kind, Spans] = field(default_factory=dict)


# Group -> name -> column.
Groups = Mapping[str, Mapping[str, StoredColumn]]


class ColumnWriter:
    """Writes columns into a folder, one after another; use it in a `with` block."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._opened = folder, ExitStack()
        self._files = {name: self._opened.enter_context((folder / name).open("wb")) for name in NUMBERS}
        self._groups: dict[str, list[tuple[str, int, int]]] = {}
        self._end = 0  # of the texts

    def __enter__(self) -> "ColumnWriter":
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Write the list of columns, unless something failed."""
        self._opened.close()
        if error is None:
            (self._folder / COLUMNS).write_text(json.dumps(self._groups), encoding="ascii")

    def write(self, group: str, name: str, values: Sequence[str], rows: Rows, starts: Rows) -> None:
        """Write a column; see `StoredColumn`."""
        for place in range(0, len(values), BLOCK):
            texts = [value.encode(errors="surrogatepass") for value in values[place : place + BLOCK]]
            self._files[TEXTS].write(b"".join(texts))
            ends = self._end + np.cumsum([len(text) for text in texts], dtype=np.int64)
            self._end = int(ends[-1])
            ends.tofile(self._files[TEXT_ENDS])
        rows.astype(np.int64, copy=False).tofile(self._files[ROWS])
        starts.astype(np.int64, copy=False).tofile(self._files[STARTS])
        if len(values) >= MANY:
            for kind in KINDS:
                for numbers in spans_of(kind, values, len(values)):
                    numbers.tofile(self._files[SPANS])
        self._groups.setdefault(group, []).append((name, len(values), len(rows)))


def read_columns(folder: Path) -> Groups:
    """Open the columns that a writer wrote; raises OSError or ValueError if they are not there."""
    files = {name: map_numbers(folder / name, number) for name, number in NUMBERS.items()}
    value = row = start = span = 0
    groups: dict[str, dict[str, StoredColumn]] = {}
    for group, columns in json.loads(read_own(folder / COLUMNS, MOST_BYTES)).items():
        groups[group] = {}
        for name, count, length in columns:
            texts = Texts(files[TEXTS], files[TEXT_ENDS][: value + count], value)
            spans = _spans(files[SPANS], span, count) if count >= MANY else {}
            groups[group][name] = StoredColumn(
                texts if count >= MANY else list(texts),
                files[ROWS][row : row + length],
                files[STARTS][start : start + count + 1],
                spans,
            )
            value, row, start, span = value + count, row + length, start + count + 1, span + len(spans) * 2 * count
    return groups


def _spans(numbers: npt.NDArray[np.float64], start: int, count: int) -> dict[Kind, Spans]:
    first, last, earliest, latest = numbers[start : start + 4 * count].reshape(4, count)
    return dict(zip(KINDS, ((first, last), (earliest, latest)), strict=True))
