"""The labels, metadata and own facts of a large gallery's items as columns, so that conditions read only theirs.

They are made of its lines once, when they are first asked for; see `prepared.py` and `column_files.py`.
"""

import json
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from similarity.sources.base import LABEL
from similarity.storage.column_files import ColumnWriter
from similarity.storage.lines import Lines, Numbers, as_arrow, to_numpy
from similarity.text.unicode import nfc

# The groups of columns: of files, copies included, or of items alone.
METADATA, SIZES, EXIF = "metadata", "sizes", "exif"


def write_columns(lines: Lines, folder: Path) -> None:
    """Write the columns of some lines into an empty folder, a group at a time; raises OSError or ValueError."""
    with ColumnWriter(folder) as writer:
        for group, pairs in ((METADATA, _metadata), (SIZES, _sizes), (EXIF, _exif)):
            columns: dict[str, _Growing] = {}
            for name, values, rows, codes in pairs(lines):
                columns.setdefault(name, _Growing()).extend(values, rows, codes)
            for name in list(columns):
                column = columns.pop(name)  # which frees its memory when it is written
                if column.numbers:
                    writer.write(group, name, *column.sorted())
    pa.default_memory_pool().release_unused()


# Keys in a batch of lines up to which their values are sorted out key by key.
MOST_KEYS = 256

# A key, its values, some lines, and for each of these the number of its value.
OfKey = tuple[str, list[str], Numbers, Numbers]
# A column, some values of it, some rows, and for each of these the number of its value.
Part = tuple[str, list[str], Numbers, Numbers]


@dataclass
class _Growing:
    """A column to which values and rows are added."""

    numbers: dict[str, int] = field(default_factory=dict)
    rows: "array[int]" = field(default_factory=lambda: array("q"))
    codes: "array[int]" = field(default_factory=lambda: array("i"))

    def extend(self, values: Iterable[str], rows: Numbers, codes: Numbers) -> None:
        """Add rows that have these values."""
        numbers = self.numbers
        known = np.array([numbers.setdefault(value, len(numbers)) for value in values], np.int32)
        self.rows.frombytes(rows.tobytes())
        self.codes.frombytes(known[codes].tobytes())

    def sorted(self) -> tuple[list[str], Numbers, Numbers]:
        """Return values, rows and starts, as a column has them, and give back the memory of the rest."""
        values = sorted(self.numbers)
        places = np.empty(len(values), np.int64)
        places[[self.numbers[value] for value in values]] = np.arange(len(values))
        rows, codes = np.frombuffer(self.rows, np.int64), np.frombuffer(self.codes, np.int32)
        count = int(rows.max(initial=0)) + 1
        # As one number, by which they are sorted in place.
        both = places[codes]
        both *= count
        both += rows
        both.sort()
        both = both[np.concatenate([[True], both[1:] != both[:-1]])] if len(both) else both
        starts = np.searchsorted(both, np.arange(len(values) + 1) * count)
        return values, both % count, starts


def _metadata(lines: Lines) -> Iterator[Part]:
    """Labels and metadata of each file, columns in the order in which they first appear, a file's label last.

    The label takes precedence over metadata named `label`.
    """
    for start, batch in lines.numbered():
        rows = lines.grouping.row_of_line[start : start + len(batch)]
        labels, codes = _encoded(batch.column("label"))
        has_label = np.array([bool(label) for label in labels], bool)[codes]
        label = LABEL, *_used([nfc(label or "") for label in labels], rows[has_label], codes[has_label])
        first_labelled = int(has_label.argmax()) if has_label.any() else len(batch)
        parts: list[tuple[int, Part]] = [(first_labelled, label)]
        for name, values, places, numbers in _objects(batch.column("metadata")):
            chosen = ~has_label[places] if name == LABEL else np.ones(len(places), bool)
            used = _used([nfc(value) for value in values], rows[places[chosen]], numbers[chosen])
            parts.append((int(places.min()), (nfc(name), *used)))
        parts.append(parts.pop(0))
        yield from (part for _, part in sorted(parts, key=lambda part: part[0]))


def _exif(lines: Lines) -> Iterator[Part]:
    """What the files of items say of themselves."""
    for rows, batch in _of_items(lines):
        for name, values, places, numbers in _objects(batch.column("exif")):
            said = np.array([bool(value) for value in values], bool)[numbers]
            yield name, *_used(values, rows[places[said]], numbers[said])


def _sizes(lines: Lines) -> Iterator[Part]:
    """Width and height of items, in pixels; 0 is unknown."""
    for rows, batch in _of_items(lines):
        for name in ("width", "height"):
            sizes = to_numpy(batch.column(name))
            values, codes = np.unique(sizes, return_inverse=True)
            known = sizes > 0
            yield name, *_used(list(map(str, values.tolist())), rows[known], codes[known])


def _of_items(lines: Lines) -> Iterator[tuple[Numbers, pa.RecordBatch]]:
    """Yield rows in order, with the lines of their items, without copies."""
    firsts = lines.grouping.firsts()  # which are in order, too
    for start, batch in lines.numbered():
        rows = np.arange(*np.searchsorted(firsts, [start, start + len(batch)]))
        yield rows, batch.take(as_arrow(firsts[rows] - start))


def _used(values: list[str], rows: Numbers, codes: Numbers) -> tuple[list[str], Numbers, Numbers]:
    """Leave out values that no row has."""
    used, numbers = np.unique(codes, return_inverse=True)
    return [values[number] for number in used.tolist()], rows, numbers


def _encoded(column: pa.Array) -> tuple[list[str | None], Numbers]:
    """Return the distinct values of a column, None included, and for each line the number of its value."""
    encoded = column.dictionary_encode(null_encoding="encode")
    return encoded.dictionary.to_pylist(), to_numpy(encoded.indices)


def _objects(column: pa.Array) -> Iterator[OfKey]:
    """Yield for each key of JSON objects its values, the lines that have it, and the number of each one's value.

    The objects are those of `item_table.WORDS`: without a backslash, nothing in them but texts has quotation marks, so
    they are taken apart at these, in a tenth of the time.
    """
    has_escapes = pc.match_substring(column, "\\")
    plain, escaped = (to_numpy(pc.indices_nonzero(chosen)) for chosen in (pc.invert(has_escapes), has_escapes))
    parts = pc.split_pattern(column.take(as_arrow(plain)), '"')
    counts = np.diff(to_numpy(parts.offsets)) // 4
    ends = np.cumsum(counts)
    before = 4 * (ends - counts) + np.arange(len(counts))  # parts of earlier lines: four for each text, and one
    names = 1 + np.repeat(before - 4 * (ends - counts), counts) + 4 * np.arange(int(counts.sum()))
    lines, texts = np.repeat(plain, counts), parts.values
    distinct, keys = _encoded(texts.take(as_arrow(names)))
    if len(distinct) > MOST_KEYS:  # each would take some calls
        yield from _parsed(column, np.arange(len(column)))
        return
    order = np.argsort(keys, kind="stable")
    for name, chosen in zip(distinct, np.split(order, np.flatnonzero(np.diff(keys[order])) + 1), strict=False):
        of_key = lines[chosen]
        last = np.append(of_key[1:] != of_key[:-1], True)  # of several the last one counts, as ever
        values, numbers = _encoded(texts.take(as_arrow(names[chosen[last]] + 2)))
        yield str(name), [str(value) for value in values], of_key[last], numbers
    yield from _parsed(column, escaped)


def _parsed(column: pa.Array, lines: Numbers) -> Iterator[OfKey]:
    """Yield the same of some lines, whatever is in them."""
    found: dict[str, tuple[dict[str, int], list[int], list[int]]] = {}
    for line, text in zip(lines.tolist(), column.take(as_arrow(lines)).to_pylist(), strict=True):
        for name, value in json.loads(text).items():
            values, having, numbers = found.setdefault(name, ({}, [], []))
            having.append(line)
            numbers.append(values.setdefault(value, len(values)))
    for name, (values, having, numbers) in found.items():
        yield name, list(values), np.array(having, np.int64), np.array(numbers, np.int64)
