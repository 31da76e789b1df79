"""Opening a source, whichever kind of place a path leads to."""

import os
from contextlib import suppress
from pathlib import Path

from similarity.errors import SourceError
from similarity.paths import full_path
from similarity.sources.base import Source
from similarity.sources.csv_table import read_table
from similarity.sources.folder import is_utf8, scan_folder, shown
from similarity.sources.sop import is_products, products_arguments, read_products
from similarity.sources.splits import Split
from similarity.sources.zip_archive import open_archive

LISTINGS = (".parquet", ".pq")


def open_source(place: str | Path, *, split: Split | None = None, products: int | None = None, seed: int = 0) -> Source:
    """Open a folder, a zip, a CSV, a Parquet list, or a folder in the layout of Stanford Online Products.

    Args:
        place: its path.
        split, products, seed: for Stanford Online Products only; see `read_products`.

    Raises:
        SourceError: there is nothing there that can be read, or it has no usable pictures. PathError: it is no path.
    """
    path = full_path(place)
    if not is_utf8(path):
        raise SourceError(f"{shown(path)} has a name that is not UTF-8: rename it.")
    _check_reachable(path)
    if path.is_dir() and is_products(path):
        return read_products(path, split=split or "test", products=products, seed=seed)
    if split is not None or products is not None:
        raise SourceError(f"{path} is not Stanford Online Products: only that has a split and products to draw from.")
    if path.is_dir():
        return scan_folder(path)
    if path.suffix.lower() == ".zip" and path.is_file():
        return open_archive(path)
    if path.suffix.lower() in (".csv", ".tsv") and path.is_file():
        return read_table(path)
    if path.suffix.lower() in LISTINGS and path.is_file():
        from similarity.sources.parquet_table import open_listing  # which imports Arrow: a quarter of a second

        return open_listing(path).read()
    if path.exists():
        raise SourceError(f"{path} is not a folder, a zip or a CSV of pictures, nor a Parquet list of them.")
    raise SourceError(f"There is no folder or file {path}.")


def is_folder(place: str | Path) -> bool:
    """Whether a place is a folder that is there and may be looked at; raises PathError if it is no path."""
    return os.path.isdir(full_path(place))  # noqa: PTH112 - never raises


def _check_reachable(path: Path) -> None:
    """Raise SourceError for a path that the system refuses, such as one with a name that is too long."""
    try:
        with suppress(FileNotFoundError, NotADirectoryError):
            path.stat()
    except OSError as error:
        raise SourceError(f"{shown(path)} cannot be read ({error.strerror or error}).") from error


def source_arguments(name: str) -> list[str] | None:
    """Return the arguments of `index` that open the source of this name again; None if no place has that name now."""
    return [name] if os.path.exists(name) else products_arguments(name)  # noqa: PTH110 - never raises


def to_source(source: str | Path | Source) -> Source:
    """A source as it is, or the one at a path; raises as `open_source`."""
    return open_source(source) if isinstance(source, str | Path) else source
