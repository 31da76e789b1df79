"""A Parquet file that names pictures, as a CSV does: for lists of millions, read a block of rows at a time."""

import itertools
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from similarity.errors import FetchError, SourceError
from similarity.sources.base import FileBytes, Item, Skipped, Stamp
from similarity.sources.csv_table import PATH_COLUMNS, RowIds, item_of_row
from similarity.sources.locations import is_remote, read_place, readers_for, stamp_of
from similarity.sources.object_store import is_object, open_object

# Rows that are read at a time when the whole list is read.
BLOCK = 8192


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of a list.

    Attributes:
        start, stop: which, counted from 0.
        items: those that can be used, each with the number of its row, counted from 1 as a person does.
        skipped: those that cannot.
    """

    start: int
    stop: int
    items: dict[int, Item]
    skipped: list[Skipped]


class Rows:
    """The pictures that some rows of a Parquet file name, or all of them."""

    def __init__(self, name: str, items: Mapping[int, Item], skipped: list[Skipped]) -> None:
        """`items` have the numbers of their rows."""
        self.name = name
        self.items = list(items.values())
        self.skipped = skipped
        self.readers = readers_for(self.items)
        self._numbers = {item.id: number for number, item in items.items()}

    def read(self, item: Item) -> FileBytes:
        """Read the bytes of a file, an object or an address."""
        return read_place(item.path)

    def stamp(self, item: Item) -> Stamp | None:
        """See `locations.stamp_of`."""
        return stamp_of(item.path)

    def whereabouts(self, item: Item) -> str:
        """Its path or address, and the row that named it."""
        return f"{item.path} ({self.name}, row {self._numbers[item.id]})"

    def part(self, items: Sequence[Item]) -> "Rows":
        """The source with a subset of its items."""
        return Rows(self.name, {self._numbers[item.id]: item for item in items}, [])


class Listing:
    """An open Parquet file that names pictures; make one with `open_listing`. Rows are read when needed.

    Attributes:
        name: its path, or its address in an object store.
        count: number of rows.
    """

    def __init__(self, path: Path | str, columns: Mapping[str, str], count: int) -> None:
        """`columns` maps the columns to read to their names in a CSV."""
        self.name = str(path)
        self.count = count
        self._columns = dict(columns)

    def blocks(self, size: int, start: int = 0, stop: int | None = None) -> Iterator[Block]:
        """Yield the rows from `start` to before `stop` in blocks; row groups without them are not read.

        Raises:
            SourceError: the file is damaged.
        """
        stop = self.count if stop is None else stop
        try:
            with _opened(self.name) as file:
                groups, first = _groups(file, start, stop)
                batches = file.iter_batches(min(size, BLOCK), row_groups=groups, columns=list(self._columns))
                rows = itertools.islice(_rows(batches), start - first, stop - first)
                for begin in range(start, stop, size):
                    yield self._block(begin, list(itertools.islice(rows, min(size, stop - begin))))
        except FetchError as error:
            raise SourceError(str(error)) from error
        except (OSError, ValueError, pa.ArrowException) as error:
            raise SourceError(f"{self.name} is damaged, or not a Parquet file any more: write it again.") from error

    def rows(self, start: int, stop: int) -> Rows:
        """The pictures of some rows; `blocks` reports the faults of the others."""
        (block,) = self.blocks(stop - start, start, stop)
        return Rows(self.name, block.items, [])

    def read(self) -> Rows:
        """Read all pictures into memory; of several with the same id the first counts.

        Raises:
            SourceError: the file is damaged, or has no row that can be used.
        """
        ids, has_id = RowIds("row"), "id" in self._columns.values()
        items: dict[int, Item] = {}
        skipped: list[Skipped] = []
        for block in self.blocks(BLOCK):
            skipped += block.skipped
            for number, item in block.items.items():
                admitted, fault = ids.admit(item, number, has_id=has_id)
                if admitted is None:
                    skipped.append(Skipped(f"{self.name}, row {number}", fault))
                    continue
                items[number] = admitted
        if not items:
            first = f"; {skipped[0].path}, {skipped[0].reason}" if skipped else "."
            raise SourceError(f"{self.name} has no row that can be used{first}")
        return Rows(self.name, items, skipped)

    def _block(self, start: int, rows: Sequence[Mapping[str, Any]]) -> Block:
        block = Block(start, start + len(rows), {}, [])
        for number, row in enumerate(rows, start + 1):
            values = {self._columns[name]: "" if value is None else str(value) for name, value in row.items()}
            item, fault = item_of_row(*_placed(values, self.name))
            if item is None:
                block.skipped.append(Skipped(f"{self.name}, row {number}", fault))
                continue
            block.items[number] = item
        return block


def open_listing(path: Path | str) -> Listing:
    """Open a Parquet file with a column `path` or `url`; `id`, `label` and further columns are taken as of a CSV.

    Columns of bytes, lists and the like are left out. Paths are relative to the file's own folder, in an object store,
    too. A row that cannot be
    used is reported by its number and skipped.

    Raises:
        SourceError: it cannot be read, has no such column, or no rows.
    """
    try:
        with _opened(str(path)) as file:
            schema, count = file.schema_arrow, file.metadata.num_rows
    except FetchError as error:
        raise SourceError(str(error)) from error
    except (OSError, ValueError, pa.ArrowException) as error:
        raise SourceError(f"{path} is not a readable Parquet file.") from error
    columns = {field.name: field.name.strip().lower() for field in schema if not pa.types.is_nested(field.type)}
    columns = {name: column for name, column in columns.items() if not _is_bytes(schema.field(name).type)}
    if not set(PATH_COLUMNS) & set(columns.values()):
        raise SourceError(f"{path} needs a column of texts named path or url.")
    if not count:
        raise SourceError(f"{path} has no rows.")
    return Listing(path, columns, count)


@contextmanager
def _opened(place: str) -> Iterator[pq.ParquetFile]:
    """Open a Parquet file on this computer or in an object store."""
    if not is_object(place):
        with pq.ParquetFile(place) as file:
            yield file
        return
    with open_object(place) as remote:
        try:
            with pq.ParquetFile(remote) as file:
                yield file
        except pa.ArrowException as error:
            raise SourceError(f"{place} is not a readable Parquet file.") from error


def _placed(values: dict[str, str], name: str) -> tuple[dict[str, str], Path]:
    """A row and the folder that its paths are relative to; for a list in a store, it has addresses already."""
    if not is_object(name):
        return values, Path(name).parent
    scheme, _, key = name.partition("://")
    folder = PurePosixPath(key).parent
    paths = {column: values[column] for column in PATH_COLUMNS if values.get(column)}
    return values | {
        column: path if is_remote(path) else f"{scheme}://{posixpath.normpath(folder / path)}"
        for column, path in paths.items()
    }, Path()


def _is_bytes(kind: pa.DataType) -> bool:
    return any(
        is_kind(kind) for is_kind in (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)
    )


def _groups(file: pq.ParquetFile, start: int, stop: int) -> tuple[list[int], int]:
    """The row groups that hold some rows, and the first row of the first group."""
    sizes = [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]
    begins = list(itertools.accumulate(sizes, initial=0))[:-1]
    groups = [number for number, size in enumerate(sizes) if begins[number] < stop and begins[number] + size > start]
    return groups, begins[groups[0]] if groups else start


def _rows(batches: Iterator[pa.RecordBatch]) -> Iterator[dict[str, Any]]:
    for batch in batches:
        yield from batch.to_pylist()
