"""Duplicates as files for the owner: a table of all groups, and a list of the paths that are not kept."""

import csv
import errno
import io
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from similarity.errors import GalleryError
from similarity.files import write_atomically
from similarity.paths import full_path
from similarity.sources import Item
from similarity.text.plain import cell

COLUMNS = ("group", "kind", "score", "keep", "path", "label", "width", "height", "bytes", "copy")


def write_groups(path: Path, groups: Iterable[tuple[str, float, Sequence[tuple[Item, str]], Item]]) -> None:
    """Write a CSV file with a row for each file of each group, in UTF-8 with its mark; whole or not at all.

    Args:
        groups: for each its kind, its score, its files with what was done to each, and the one of them to keep.

    Raises:
        GalleryError: the file cannot be written.
    """
    _write(path, groups_as_csv(groups))


def groups_as_csv(groups: Iterable[tuple[str, float, Sequence[tuple[Item, str]], Item]]) -> bytes:
    """Make the table that `write_groups` writes."""
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(COLUMNS)
    for number, (kind, score, files, kept) in enumerate(groups, start=1):
        for file, copy in files:
            keep = "yes" if file == kept else "no"
            facts = (file.path, file.label or "", file.width, file.height, file.size, copy)
            table.writerow(map(cell, (number, kind, round(score, 4), keep, *facts)))
    return text.getvalue().encode("utf-8-sig", "backslashreplace")


def write_others(path: Path, groups: Iterable[tuple[Sequence[Item], Item]]) -> int:
    """Write the paths of the files that are not kept, one a line, for a person or a script; whole or not at all.

    A path with a line break is left out, since it would read as two, and so is another path of a file that is kept,
    such as by a link: who deletes what is listed must lose none of those.

    Args:
        groups: for each its files, and the one of them to keep.

    Returns:
        How many files are left out.

    Raises:
        GalleryError: the file cannot be written.
    """
    data, left_out = others_as_list(groups)
    _write(path, data)
    return left_out


def others_as_list(groups: Iterable[tuple[Sequence[Item], Item]]) -> tuple[bytes, int]:
    """Make the list that `write_others` writes; returns it, and how many files are left out."""
    pairs = list(groups)
    kept = {os.path.realpath(keep.path) for _, keep in pairs}
    others = [file.path for files, keep in pairs for file in files if file != keep]
    listed = [place for place in others if len(place.splitlines()) == 1 and os.path.realpath(place) not in kept]
    data = b"".join(os.fsencode(place) + b"\n" for place in dict.fromkeys(listed))
    return data, len(others) - len(listed)


def _write(path: Path, data: bytes) -> None:
    place = full_path(path)
    try:
        if place.exists() and not place.is_file():  # such as /dev/null, which must not be replaced
            raise OSError(errno.EINVAL, "it is not a regular file")
        write_atomically(place, data)
    except OSError as error:
        raise GalleryError(f"The list could not be written to {path} ({error.strerror or error}).") from error
