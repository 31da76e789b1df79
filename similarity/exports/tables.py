"""Tables as CSV files, that a spreadsheet reads and takes no cell of for a formula."""

import csv
import errno
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from similarity.errors import GalleryError
from similarity.files import write_atomically
from similarity.paths import full_path
from similarity.text.plain import cell


def to_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Return a table as CSV, in UTF-8 with its mark."""
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(columns)
    table.writerows(map(cell, row) for row in rows)
    return text.getvalue().encode("utf-8-sig", "backslashreplace")


def write_table(path: Path, data: bytes, kind: str = "table") -> None:
    """Write a table to a file, whole or not at all; raises GalleryError, which names its kind, if that fails."""
    place = full_path(path)
    try:
        if place.exists() and not place.is_file():  # such as /dev/null, which must not be replaced
            raise OSError(errno.EINVAL, "it is not a regular file")
        write_atomically(place, data)
    except OSError as error:
        raise GalleryError(f"The {kind} could not be written to {path} ({error.strerror or error}).") from error
