"""Sheets of small pictures for the map: 1,024 in each, so that a browser loads thousands of pictures in a few requests.

A sheet is a WebP of SHEET pixels a side, in cells of CELL pixels; each picture fills a cell from its upper left corner,
in its own proportions. Measured with photographs: 0.7 ms of one core for each, and 0.66 MB for a sheet.
"""

import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from PIL import Image

from similarity.gallery import Gallery
from similarity.images.decoding import DECODING_ERRORS
from similarity.progress import OnProgress, Reporter
from similarity.search import Rows
from similarity.sources import Item

CELL, SHEET = 64, 2048
IN_ROW = SHEET // CELL
ON_SHEET = IN_ROW**2
QUALITY = 80
TASK = "Preparing the pictures"
# What stands for a picture whose thumbnail cannot be read.
GREY = (133, 139, 136)

# uint8 (n, 2): width and height of each picture in its cell, in pixels, both in 1..CELL.
Sizes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Sheets:
    """The sheets of a map.

    Attributes:
        files: a WebP each, the last one less high than the others where it is not full.
        sizes: width and height of each picture, uint8 (n, 2), in pixels.
    """

    files: tuple[bytes, ...]
    sizes: Sizes

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The SHA-256 of each file, in hex."""
        return tuple(hashlib.sha256(file).hexdigest() for file in self.files)

    def find(self, name: str) -> bytes | None:
        """Return the sheet with a SHA-256; None if there is none."""
        return dict(zip(self.names, self.files, strict=True)).get(name)


def contents_key(gallery: Gallery, rows: Rows) -> str:
    """Return a name of the pictures in some rows, the same for the same files in the same order."""
    contents = gallery.items.contents()
    return hashlib.sha256("".join(contents[row] for row in rows.tolist()).encode()).hexdigest()


def make_sheets(gallery: Gallery, rows: Rows, on_progress: OnProgress | None = None) -> Sheets:
    """Draw the thumbnails of a gallery's pictures on sheets, in the order of `rows`."""
    reporter = Reporter(len(rows), on_progress, task=TASK)
    sizes = np.full((len(rows), 2), CELL, np.uint8)
    files = []
    for start in range(0, len(rows), ON_SHEET):
        items = gallery.items.at(rows[start : start + ON_SHEET].tolist())
        sheet = Image.new("RGB", (SHEET, CELL * -(-len(items) // IN_ROW)), GREY)
        for cell, picture in enumerate(_small_pictures(gallery, items)):
            sheet.paste(picture, (cell % IN_ROW * CELL, cell // IN_ROW * CELL))
            sizes[start + cell] = picture.size
            reporter.advance(1)
        files.append(_encode(sheet))
    return Sheets(tuple(files), sizes)


def _small_pictures(gallery: Gallery, items: Sequence[Item]) -> Iterator[Image.Image]:
    for item in items:
        try:
            yield _fit(gallery.thumbnail(item))
        except DECODING_ERRORS:
            yield Image.new("RGB", (CELL, CELL), GREY)


def _fit(jpeg: bytes) -> Image.Image:
    """Decode a thumbnail no larger than needed, so that its longer side fills a cell."""
    with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as image:
        image.draft("RGB", (CELL, CELL))
        scale = CELL / max(image.size)
        width, height = (max(1, round(scale * side)) for side in image.size)
        return image.convert("RGB").resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2)


def _encode(sheet: Image.Image) -> bytes:
    buffer = io.BytesIO()
    sheet.save(buffer, "WEBP", quality=QUALITY, method=2)
    return buffer.getvalue()
