"""Results as files: a table, JSON, and a zip of the pictures."""

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from similarity.errors import FetchError, GalleryError, ImageError
from similarity.exports.tables import write_table
from similarity.images.exif import facts_of
from similarity.search import Hit
from similarity.sources import Item, Skipped
from similarity.sources.originals import file_name
from similarity.text import plain
from similarity.text.plain import cell

# A zip is made in memory; pictures beyond this many bytes are only listed in it.
MAX_ZIP_BYTES = 100_000_000
LEFT_OUT = "left-out.txt"


def to_rows(
    hits: Sequence[Hit], places: Sequence[str], probabilities: Sequence[float | None] | None = None
) -> list[dict[str, Any]]:
    """Return a row for each hit, best first; metadata have columns named `metadata.NAME`.

    What a picture knows of itself, such as width and taken, has columns of these names.

    Args:
        places: the location to give for each picture.
        probabilities: of being right, of each hit, in 0..1; None for a hit without one. They have the last column.
    """
    rows: list[dict[str, Any]] = [
        {f"metadata.{name}": value for name, value in hit.item.metadata.items()}
        | facts_of(hit.item.width, hit.item.height, hit.item.exif)
        | {"rank": hit.rank, "score": hit.score, "id": hit.item.public_id, "path": place, "label": hit.item.label}
        for hit, place in zip(hits, places, strict=True)
    ]
    if probabilities is None:
        return rows
    rounded = [None if chance is None else round(chance, 4) for chance in probabilities]
    return [row | {"probability": chance} for row, chance in zip(rows, rounded, strict=True)]


def item_rows(items: Iterable[Item]) -> list[dict[str, Any]]:
    """Return a row for each picture of a gallery; metadata have columns named `metadata.NAME`, as in `to_rows`."""
    return [
        {"id": item.id, "path": item.path, "label": item.label, "width": item.width, "height": item.height}
        | {"sha256": item.sha256}
        | {f"metadata.{name}": value for name, value in item.metadata.items()}
        | facts_of(item.width, item.height, item.exif)
        for item in items
    ]


def to_csv(rows: Sequence[dict[str, Any]]) -> bytes:
    """Write rows as a CSV file, which spreadsheets recognise as UTF-8."""
    first = ["rank", "score", "label", "id", "path"]
    names = dict.fromkeys([*first, *(name for row in rows for name in row)])
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, list(map(plain.cell, names)), restval="")
    table.writeheader()
    table.writerows({plain.cell(name): plain.cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue().encode("utf-8-sig")


def to_json(
    query: Sequence[str],
    gallery: str,
    model: str,
    rows: Sequence[dict[str, Any]],
    belongs: float | None = None,
    *,
    turned: int | None = None,
    further: Mapping[str, Any] | None = None,
) -> bytes:
    """Write rows as a JSON file, with the query, the gallery and its model.

    Args:
        belongs: the share of the gallery's own pictures that are no nearer to others of it than the query is.
        turned: the degrees clockwise that the query is turned by; None if no other turn was tried.
        further: more facts of the search, such as its conditions.
    """
    facts: dict[str, Any] = {"query": list(query), "gallery": gallery, "model": model}
    facts["belongs"] = None if belongs is None else round(belongs, 4)
    if turned is not None:
        facts["turned"] = turned
    return to_json_file(facts | {"hits": list(rows)} | dict(further or {}))


def to_json_file(value: dict[str, Any]) -> bytes:
    """Write an indented JSON file, which people can read, too."""
    return json.dumps(value, indent=2, ensure_ascii=False).encode(errors="backslashreplace")  # lone surrogates


def to_zip(hits: Iterable[Hit], read: Callable[[Item], bytes], explain: Callable[[str], str] = str) -> bytes:
    """Write a zip of the original pictures, named by rank, with a list of those that cannot be read, and why.

    Args:
        read: returns a picture's bytes; may raise ImageError or FetchError.
        explain: returns the text for a reason.
    """
    buffer, size, left_out = io.BytesIO(), 0, []
    too_large = f"the zip would be larger than {MAX_ZIP_BYTES // 1_000_000} MB."
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:  # pictures are compressed already
        for hit in hits:
            name = plain.entry(f"{hit.rank:03d}-{file_name(hit.item)}")
            if size + hit.item.size > MAX_ZIP_BYTES:  # as it is known: of thousands, most are not read in vain
                left_out.append(f"{name}: {too_large}")
                continue
            try:
                data = read(hit.item)
            except (ImageError, FetchError) as error:
                left_out.append(f"{name}: {plain.one_line(explain(getattr(error, 'reason', str(error))))}")
                continue
            if size + len(data) > MAX_ZIP_BYTES:
                left_out.append(f"{name}: {too_large}")
                continue
            size += len(data)
            archive.writestr(name, data)
        if left_out:
            archive.writestr(LEFT_OUT, "\n".join(left_out) + "\n")
    return buffer.getvalue()


def write_csv(path: Path, items: Iterable[Item], skipped: Iterable[Skipped]) -> None:
    """Write a row for each skipped file, with the reason, and for each exact copy.

    Raises:
        GalleryError: the file cannot be written.
    """
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(("path", "state", "detail"))
    rows.writerows(map(cell, (fault.path, "skipped", fault.reason)) for fault in skipped)
    copies = ((copy.path, "duplicate", item.path) for item in items for copy in item.copies)
    rows.writerows(map(cell, row) for row in copies)
    data = text.getvalue().encode("utf-8", "backslashreplace")
    if not path.exists() or path.is_file():
        write_table(path, data, "report")
        return
    try:
        path.write_bytes(data)  # such as /dev/stdout, which is written to and not replaced
    except OSError as error:
        raise GalleryError(f"The report could not be written to {path} ({error.strerror or error}).") from error
