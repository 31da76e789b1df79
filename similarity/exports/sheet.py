"""The sheet: a picture of the query beside its results, in the order of their ranks."""

import io
import math
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageOps

from similarity.errors import SearchError
from similarity.exports.fonts import MISSING, REPLACEMENT, columns, draw_line, draw_lines, with_replacements
from similarity.exports.replacing import check_replaceable, own_info
from similarity.files import write_atomically
from similarity.search import Hit
from similarity.sources.originals import file_name
from similarity.text.plain import one_line

COLUMNS = 5
INK, FAINT, GROUND = "#1f2430", "#6b7280", "#f3f4f6"
# Lengths in pixels: of a sheet's margin, of the gap between pictures, and of the sides of a hit and of the query.
MARGIN, GAP, TILE, QUERY = 48, 24, 236, 480
# The radius of a corner; the width of a letter as a part of its size.
CORNER, LETTER = 14, 0.58
CARD = 480
# Characters of a text that are drawn on a card; a card has no room for more.
MAX_CHARACTERS = 200
# Letters in a line of a card.
CARD_LETTERS = 16


def draw_sheet(
    query: Image.Image,
    title: str,
    hits: Sequence[Hit],
    pictures: Sequence[bytes],
    *,
    heading: str = "Query",
    note: str = "",
    format_label: Callable[[str], str] = str,
) -> bytes:
    """Draw a query beside its hits.

    Args:
        query: RGB.
        title: text under the query.
        hits: best first.
        pictures: a small JPEG for each hit.
        heading: text above the query.
        note: text below its title, such as that it looks like nothing in the gallery.
        format_label: returns the text to write for a label or file name.

    Returns:
        A PNG file.
    """
    captions = [one_line(format_label(hit.item.label or file_name(hit.item))) for hit in hits]
    left = _query_column(query, one_line(heading), one_line(title), one_line(note))
    right = _grid([_tile(*each) for each in zip(hits, pictures, captions, strict=True)])
    foot = [MISSING] if any(REPLACEMENT in with_replacements(text) for text in (one_line(title), *captions)) else []
    width = left.width + 2 * GAP + right.width + 2 * MARGIN
    height = max(left.height, right.height) + 2 * MARGIN
    sheet = Image.new("RGB", (width, height), "white")
    sheet.paste(left, (MARGIN, MARGIN))
    sheet.paste(right, (MARGIN + left.width + 2 * GAP, MARGIN))
    for line in foot:
        drawn = draw_line(line, 13, FAINT)
        sheet.paste(drawn, ((width - drawn.width) // 2, height - drawn.height - 4), drawn)
    buffer = io.BytesIO()
    sheet.save(buffer, format="png", pnginfo=own_info())
    return buffer.getvalue()


def draw_words(words: str) -> Image.Image:
    """Draw the words of a query on a card, which stands for a picture of the query."""
    text = one_line(words[:MAX_CHARACTERS])
    per_line = CARD_LETTERS * len(text) // max(columns(text), 1)
    lines = textwrap.wrap(text, max(per_line, 3), max_lines=6, placeholder=" …") or [""]
    card = Image.new("RGB", (CARD, CARD), "#eceff3")
    block = draw_lines(lines, 40, INK, spacing=6)
    card.paste(block, ((CARD - block.width) // 2, (CARD - block.height) // 2), block)
    return card


def save_sheet(path: Path, png: bytes) -> None:
    """Write a sheet to a file; raises SearchError if it cannot be written."""
    try:
        check_replaceable(path)
        write_atomically(path, png)
    except OSError as error:
        raise SearchError(f"The sheet could not be written to {path} ({error.strerror or error}).") from error


def _query_column(query: Image.Image, heading: str, title: str, note: str) -> Image.Image:
    """Draw the query as large as its column, with heading, title and note below."""
    picture = ImageOps.contain(query.convert("RGB"), (QUERY, QUERY), Image.Resampling.LANCZOS)
    below = [_line(heading, 17, FAINT, QUERY)]
    below += [_line(title, 20, INK, QUERY)] if title else []
    below += [_line(part, 17, INK, QUERY) for part in textwrap.wrap(note, int(QUERY / (17 * LETTER)))]
    return _stack([_rounded(picture), *below], QUERY)


def _tile(hit: Hit, picture: bytes, caption: str) -> Image.Image:
    """Draw a hit with its rank and score above its caption, below the picture."""
    with Image.open(io.BytesIO(picture)) as image:
        small = ImageOps.contain(image.convert("RGB"), (TILE, TILE), Image.Resampling.LANCZOS)
    square = Image.new("RGB", (TILE, TILE), GROUND)
    square.paste(small, ((TILE - small.width) // 2, (TILE - small.height) // 2))
    facts = Image.new("RGB", (TILE, round(1.4 * 17)), "white")
    rank, score = draw_line(str(hit.rank), 17, INK), draw_line(f"{hit.score:.3f}", 17, FAINT)
    facts.paste(rank, (0, 0), rank)
    facts.paste(score, (TILE - score.width, 0), score)
    return _stack([_rounded(square), facts, _line(caption, 15, FAINT, TILE)], TILE)


def _line(text: str, size: int, colour: str, width: int) -> Image.Image:
    """Draw a line of text on white; of one that is too wide, its beginning."""
    text = text[:MAX_CHARACTERS]
    drawn = draw_line(text, size, colour)
    while drawn.width > width:
        text = text[: min(len(text) - 1, len(text) * width // drawn.width)]
        drawn = draw_line(f"{text}…", size, colour)
    line = Image.new("RGB", (width, drawn.height), "white")
    line.paste(drawn, (0, 0), drawn)
    return line


def _rounded(picture: Image.Image) -> Image.Image:
    """Round the corners of a picture, on white, smoothly: they are drawn four times as large."""
    finer = 4
    mask = Image.new("L", (picture.width * finer, picture.height * finer))
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, mask.width - 1, mask.height - 1), CORNER * finer, fill=255)
    ground = Image.new("RGB", picture.size, "white")
    return Image.composite(picture, ground, mask.resize(picture.size, Image.Resampling.LANCZOS))


def _stack(parts: Sequence[Image.Image], width: int) -> Image.Image:
    """Put a picture and lines of text below each other, with a little more room below the picture."""
    first, *lines = parts
    stack = Image.new("RGB", (width, first.height + sum(line.height for line in lines) + 10), "white")
    stack.paste(first, (0, 0))
    y = first.height + 10
    for line in lines:
        stack.paste(line, (0, y))
        y += line.height
    return stack


def _grid(tiles: Sequence[Image.Image]) -> Image.Image:
    """Put tiles of one size into rows of COLUMNS."""
    step_x, step_y = TILE + GAP, (tiles[0].height if tiles else 0) + GAP
    rows = math.ceil(len(tiles) / COLUMNS)
    grid = Image.new("RGB", (COLUMNS * step_x - GAP, max(1, rows * step_y - GAP)), "white")
    for number, tile in enumerate(tiles):
        row, column = divmod(number, COLUMNS)
        grid.paste(tile, (column * step_x, row * step_y))
    return grid
