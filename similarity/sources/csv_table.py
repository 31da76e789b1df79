"""A CSV that names pictures, wherever they are, with a label and any further columns as metadata."""

import csv
import io
from collections.abc import Mapping, Sequence
from copy import copy
from pathlib import Path

from similarity.errors import SimilarityError, SourceError
from similarity.sources.base import FileBytes, Item, Skipped, Stamp
from similarity.sources.locations import is_remote, place_in, read_place, readers_for, stamp_of

PATH_COLUMNS = ("path", "url")
OWN_COLUMNS = {"id", "label", *PATH_COLUMNS}


class Table:
    """The pictures that a CSV names; make one with `read_table`."""

    def __init__(self, path: Path, items: list[Item], lines: dict[str, int], skipped: list[Skipped]) -> None:
        self.name = str(path)
        self.items = items
        self.skipped = skipped
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


def read_table(path: Path) -> Table:
    """Read a CSV with a column `path` or `url`; `id` and `label` are used too, and the rest is kept as metadata.

    Paths are relative to the CSV's own folder. A row that cannot be used is reported by its line and skipped.

    Raises:
        SourceError: it cannot be read, has no such column, or no usable row.
    """
    reader = _reader(path)
    if not set(PATH_COLUMNS) & set(reader.fieldnames or ()):
        raise SourceError(f"{path} needs a column named path or url in its first line.")
    items: dict[str, Item] = {}
    lines: dict[str, int] = {}
    skipped = []
    try:
        for row in reader:
            item, fault = item_of_row(row, path.parent)
            if item and item.id in items:
                fault = f"has the id {item.id!r}, as line {lines[item.id]} has."
            if item is None or fault:
                skipped.append(Skipped(f"{path}, line {reader.line_num}", fault))
                continue
            items[item.id], lines[item.id] = item, reader.line_num
    except csv.Error as error:
        raise SourceError(f"{path}: the row that begins in line {reader.line_num + 1} is not CSV ({error}).") from error
    if not items:
        first = f"; {skipped[0].path}, {skipped[0].reason}" if skipped else "."
        raise SourceError(f"{path} has no row that can be used{first}")
    return Table(path, list(items.values()), lines, skipped)


def _reader(path: Path) -> "csv.DictReader[str]":
    """A reader of comma, semicolon or tab separated rows; bytes that are not UTF-8 come through as surrogates."""
    try:
        text = path.read_bytes().decode("utf-8-sig", errors="surrogateescape")
    except OSError as error:
        raise SourceError(f"{path} cannot be read ({error.strerror or error}).") from error
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
    except csv.Error as error:
        raise SourceError(f"{path} is not a CSV file ({error}).") from error
    if not all(map(_is_utf8, reader.fieldnames)):
        raise SourceError(f"{path}, line 1: is not UTF-8: save the file as UTF-8.")
    return reader


def item_of_row(row: Mapping[str, str], folder: Path) -> tuple[Item | None, str]:
    """The item of a row, or its fault.

    Args:
        folder: the folder that paths are relative to.
    """
    if None in row:
        return None, "has more values than the first line has columns."
    if not all(map(_is_utf8, row.values())):
        return None, "is not UTF-8: save the file as UTF-8."
    path, url = ((row.get(column) or "").strip() for column in PATH_COLUMNS)
    if not path and not url:
        return None, f"has no {' or '.join(column for column in PATH_COLUMNS if column in row)}."
    if url and not path and not is_remote(url):
        return None, f"has the url {url!r}, which does not start with http:// or https://."
    place = path or url
    try:
        where = place_in(folder, place)
    except SimilarityError as error:
        return None, str(error)
    label = (row.get("label") or "").strip() or None
    metadata = {name: value for name, value in row.items() if name not in OWN_COLUMNS and value}
    return Item(id=(row.get("id") or "").strip() or place, path=where, label=label, metadata=metadata), ""


def _is_utf8(value: str | None) -> bool:
    try:
        (value or "").encode()
    except UnicodeEncodeError:
        return False
    return True
