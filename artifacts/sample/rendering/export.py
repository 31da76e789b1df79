"""Writes the sample: JPEGs, the two tables and the README; the only module here that writes to disk."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from PIL import Image

from rendering.catalogue import Photo, gallery, queries
from rendering.picture import render
from rendering.product import Solid

SIZE = 320
JPEG_QUALITY = 88
COLUMNS = ("id", "path", "label", "category", "product", "view")

README = """# Sample catalogue

{gallery} pictures of {products} products in {categories} categories, and {queries} query pictures of the same
products in other light and on other backdrops. All of them were rendered by this project's own
ray marcher (`artifacts/sample/rendering/`); no photograph, 3-D model or texture of anyone else went in.

- `gallery/<category>/<id>.jpg` with `catalogue.csv`; `queries/<id>.jpg` with `queries.csv`
- columns: id, path (relative to the table), label, category, product, view
- {size} x {size} pixels, JPEG

Render it again into a new folder (about a second a picture; pictures that are there already are kept):

    cd artifacts/sample && python -m rendering FOLDER

Licence: CC0 1.0, public domain dedication, https://creativecommons.org/publicdomain/zero/1.0/
"""

Progress = Callable[[Photo, int, int], None]


def write_jpeg(image: Image.Image, path: Path) -> None:
    """Write a picture so that a killed run leaves either the whole file or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    image.save(partial, format="JPEG", quality=JPEG_QUALITY, optimize=True, subsampling=0)
    partial.replace(path)


def write_table(photos: Iterable[Photo], path: Path) -> None:
    """Write a table of pictures, paths relative to it."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for photo in photos:
            writer.writerow((photo.id, photo.path, photo.label, photo.label, photo.product, photo.view_name))


def write_texts(out: Path) -> None:
    """Write catalogue.csv, queries.csv and README.md."""
    out.mkdir(parents=True, exist_ok=True)
    shots, further = gallery(), queries()
    write_table(shots, out / "catalogue.csv")
    write_table(further, out / "queries.csv")
    text = README.format(
        gallery=len(shots),
        products=len({photo.product for photo in shots}),
        categories=len({photo.label for photo in shots}),
        queries=len(further),
        size=SIZE,
    )
    (out / "README.md").write_text(text, encoding="utf-8")


def render_photos(photos: Sequence[Photo], out: Path, *, size: int = SIZE, progress: Progress | None = None) -> int:
    """Render the photos whose files are missing below `out`; returns how many were rendered.

    Photos of one product that follow each other share its distance grid. progress is called with
    each finished photo, its position and the number of photos to do.
    """
    missing = [photo for photo in photos if not (out / photo.path).exists()]
    product, solid = "", None
    for position, photo in enumerate(missing, start=1):
        if solid is None or photo.product != product:
            product, solid = photo.product, Solid(photo.build())
        write_jpeg(render(solid, photo.view, size), out / photo.path)
        if progress:
            progress(photo, position, len(missing))
    return len(missing)
