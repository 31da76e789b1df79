"""A CSV that names pictures, wherever they are, with a label and any further columns as metadata."""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path

from similarity.errors import SimilarityError, SourceError
from similarity.sources.base import FileBytes, Item, Skipped, Stamp
from similarity.sources.csv_text import Rows, read_rows
from similarity.sources.locations import (
    is_file_url,
    is_remote,
    place_in,
    read_place,
    readers_for,
    stamp_of,
    unquoted,
)
from similarity.text.unicode import nfc

PATH_COLUMNS = ("path", "url")
OWN_COLUMNS = {"id", "label", *PATH_COLUMNS}


class Table:
    """The pictures that a CSV names; make one with `read_table`.

    Attributes:
        notes: remarks on the CSV as a whole.
    """

    def __init__(
        self, path: Path, items: list[Item], lines: dict[str, int], skipped: list[Skipped], note: str = ""
    ) -> None:
        self.name = str(path)
        self.items = items
        self.skipped = skipped
        self.notes = [note] if note else []
        self.readers = readers_for(items)
        self._lines = lines

    def read(self, item: Item) -> FileBytes:
        """Read the bytes of a file, an object or an address."""
        return read_place(item.path)

    def stamp(self, item: Item) -> Stamp | None:
        """See `locations.stamp_of`."""
        return stamp_of(item.path)

    def whereabouts(self, item: Item) -> str:
        """Its path or address, and the line of the CSV that named it."""
        return f"{item.path} ({self.name}, line {self._lines[item.id]})"

    def part(self, items: Sequence[Item]) -> "Table":
        """The source with a subset of its items."""
        part = copy(self)
        part.items, part.skipped = list(items), []
        part._lines = {item.id: self._lines[item.id] for item in items}
        return part


class RowIds:
    """The ids of the rows of a list, each once.

    A list without ids may name a picture in several rows, such as one for each of its labels: they are copies of it.

    Attributes:
        numbers: the number of the row that has an id.
    """

    def __init__(self, unit: str) -> None:
        """`unit` is what rows are counted in, such as line."""
        self.numbers: dict[str, int] = {}
        self._unit = unit
        self._repeats: Counter[str] = Counter()
        self._seen: dict[tuple[object, ...], int] = {}

    def admit(self, item: Item, number: int, *, has_id: bool) -> tuple[Item | None, str]:
        """The item with an id of its own, or the fault of its row.

        Args:
            number: of the row.
            has_id: whether the row names its id.
        """
        if has_id and item.id in self.numbers:
            return None, f"has the id {item.id!r}, as {self._unit} {self.numbers[item.id]} has."
        first = self._seen.setdefault((item.id, item.path, item.label, *sorted(item.metadata.items())), number)
        if first != number:
            return None, f"says the same as {self._unit} {first}: it counts once."
        own = item.id
        while own in self.numbers:
            self._repeats[item.id] += 1
            own = f"{item.id}#{self._repeats[item.id] + 1}"
        self.numbers[own] = number
        return replace(item, id=own), ""


def read_table(path: Path) -> Table:
    """Read a CSV with a column `path` or `url`; `id` and `label` are used too, and the rest is kept as metadata.

    Paths are relative to the CSV's own folder. A row that cannot be used is reported by its line and skipped.

    Raises:
        SourceError: it cannot be read, has no such column, or no usable row.
    """
    rows = read_rows(path, PATH_COLUMNS)
    reader = open_reader(path, rows)
    items: list[Item] = []
    ids, skipped = RowIds("line"), []
    try:
        for row in reader:
            item, fault = item_of_row(row, path.parent)
            line = reader.line_num + rows.skipped_lines
            if item:
                item, fault = ids.admit(item, line, has_id=bool((row.get("id") or "").strip()))
            if item is None:
                skipped.append(Skipped(f"{path}, line {line}", fault))
                continue
            items.append(item)
    except csv.Error as error:
        line = reader.line_num + rows.skipped_lines + 1
        raise SourceError(f"{path}: the row that begins in line {line} is not CSV ({error}).") from error
    if not items:
        first = f"; {skipped[0].path}, {skipped[0].reason}" if skipped else "."
        raise SourceError(f"{path} has no row that can be used{first}")
    return Table(path, items, ids.numbers, skipped, rows.note)


def open_reader(path: Path, rows: Rows, needed: Sequence[str] = PATH_COLUMNS) -> "csv.DictReader[str]":
    """Return a reader of rows by the names of their columns, in small letters.

    Args:
        path: of the CSV.
        needed: columns of which it must have one.

    Raises:
        SourceError: it is no CSV in UTF-8, or has none of these columns.
    """
    reader = rows.reader()
    try:
        reader.fieldnames = [nfc(name.strip().lower()) for name in reader.fieldnames or ()]
    except csv.Error as error:
        raise SourceError(f"{path} is not a CSV file ({error}).") from error
    if not all(map(_is_utf8, reader.fieldnames)):
        raise SourceError(f"{path}, line {rows.skipped_lines + 1} is not UTF-8: save the file as UTF-8.")
    if not set(needed) & set(reader.fieldnames):
        names = f"{', '.join(needed[:-1])} or {needed[-1]}" if needed[1:] else needed[0]
        raise SourceError(f"{path} needs a column named {names} in its first line.")
    return reader


def item_of_row(row: Mapping[str, str], folder: Path, *, needs_place: bool = True) -> tuple[Item | None, str]:
    """The item of a row, or its fault.

    Args:
        folder: the folder that paths are relative to.
        needs_place: whether a row without path and url is at fault; otherwise its picture has no place.
    """
    if any(row.get(None, ())):  # type: ignore[call-overload]  # what DictReader calls further values
        return None, "has more values than the first line has columns."
    columns = row.keys()
    row = {name: value for name, value in row.items() if name is not None and value}
    if not all(map(_is_utf8, row.values())):
        return None, "is not UTF-8: save the file as UTF-8."
    path, url = (row.get(column, "").strip() for column in PATH_COLUMNS)
    if needs_place and not path and not url:
        return None, f"has no {' or '.join(column for column in PATH_COLUMNS if column in columns)}."
    if url and not path and not (is_remote(unquoted(url)) or is_file_url(unquoted(url))):
        return None, f"has the url {url!r}, which does not start with http:// or https://."
    place = path or url
    try:
        where = place_in(folder, place) if place else ""
    except SimilarityError as error:
        return None, str(error)
    label = nfc(row.get("label", "").strip()) or None
    metadata = {name: nfc(value) for name, value in row.items() if name not in OWN_COLUMNS}
    return Item(id=nfc(row.get("id", "").strip() or place), path=where, label=label, metadata=metadata), ""


def _is_utf8(value: str | None) -> bool:
    try:
        (value or "").encode()
    except UnicodeEncodeError:
        return False
    return True
