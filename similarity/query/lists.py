"""Lists of queries: pictures wherever a source lists them, or pictures of the gallery by their ids in a CSV."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from similarity.errors import SourceError
from similarity.paths import full_path
from similarity.query.inputs import ItemId, Picture
from similarity.sources import Skipped, Source, open_source
from similarity.sources.base import notes_of
from similarity.sources.csv_table import PATH_COLUMNS, open_reader
from similarity.sources.csv_text import read_rows

# The column of a CSV that has ids, unless one has places.
ITEM = "item"


@dataclass(frozen=True, slots=True)
class QueryList:
    """Queries that were listed, of which none has been read.

    Attributes:
        queries: as `search_many` takes them.
        count: how many there are.
        skipped: files and lines that name no query.
        notes: remarks on the list as a whole.
    """

    queries: Source | Sequence[Picture | ItemId]
    count: int
    skipped: Sequence[Skipped] = ()
    notes: Sequence[str] = ()


def open_queries(place: str | Path) -> QueryList:
    """Open a folder, a zip, a CSV or a Parquet list of pictures, or a CSV whose column `item` has ids of the gallery.

    Raises:
        SourceError: there is nothing there, or it has no queries.
    """
    path = full_path(place)
    if path.suffix.lower() in (".csv", ".tsv") and path.is_file():
        rows = read_rows(path, (*PATH_COLUMNS, ITEM))
        reader = open_reader(path, rows, (*PATH_COLUMNS, ITEM))
        if ITEM in (columns := set(reader.fieldnames or ())) and columns & set(PATH_COLUMNS):
            raise SourceError(f"{path} has a column of places and one named {ITEM}: keep one of them in a list.")
        if not set(PATH_COLUMNS) & set(reader.fieldnames or ()):
            return QueryList(ids := _ids_of(path, reader), len(ids), notes=[rows.note] if rows.note else [])
    source = open_source(path)
    return QueryList(source, len(source.items), source.skipped, notes_of(source))


def _ids_of(path: Path, reader: "csv.DictReader[str]") -> list[ItemId]:
    try:
        ids = [ItemId(value) for row in reader if (value := (row[ITEM] or "").strip())]
    except csv.Error as error:
        raise SourceError(f"{path} is not a CSV file ({error}).") from error
    if not ids:
        raise SourceError(f"{path} has no ids in its column {ITEM}.")
    return ids
