"""Duplicates as files for the owner: a table of all groups, and a list of the paths that are not kept."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from similarity.exports.tables import to_csv, write_table
from similarity.sources import Item

# What a message calls both files.
LIST = "list"
COLUMNS = ("group", "kind", "score", "keep", "path", "label", "width", "height", "bytes", "copy")


def write_groups(path: Path, groups: Iterable[tuple[str, float, Sequence[tuple[Item, str]], Item]]) -> None:
    """Write a CSV file with a row for each file of each group, in UTF-8 with its mark; whole or not at all.

    Args:
        groups: for each its kind, its score, its files with what was done to each, and the one of them to keep.

    Raises:
        GalleryError: the file cannot be written.
    """
    write_table(path, groups_as_csv(groups), LIST)


def groups_as_csv(groups: Iterable[tuple[str, float, Sequence[tuple[Item, str]], Item]]) -> bytes:
    """Make the table that `write_groups` writes."""
    rows = (
        (number, kind, round(score, 4), "yes" if file == kept else "no", *_facts(file), copy)
        for number, (kind, score, files, kept) in enumerate(groups, start=1)
        for file, copy in files
    )
    return to_csv(COLUMNS, rows)


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
    write_table(path, data, LIST)
    return left_out


def others_as_list(groups: Iterable[tuple[Sequence[Item], Item]]) -> tuple[bytes, int]:
    """Make the list that `write_others` writes; returns it, and how many files are left out."""
    pairs = list(groups)
    kept = {os.path.realpath(keep.path) for _, keep in pairs}
    others = [file.path for files, keep in pairs for file in files if file != keep]
    listed = [place for place in others if len(place.splitlines()) == 1 and os.path.realpath(place) not in kept]
    data = b"".join(os.fsencode(place) + b"\n" for place in dict.fromkeys(listed))
    return data, len(others) - len(listed)


def _facts(file: Item) -> tuple[str, str, int, int, int]:
    return file.path, file.label or "", file.width, file.height, file.size
