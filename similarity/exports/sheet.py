"""The sheet: a picture of the query beside its results, in the order of their ranks."""

import io
import math
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from similarity.errors import SearchError
from similarity.exports.fonts import (
    MISSING,
    REPLACEMENT,
    columns,
    draw_line,
    draw_lines,
    needs_drawing,
    with_replacements,
)
from similarity.search import Hit
from similarity.sources.originals import file_name
from similarity.text.plain import one_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 5
TILE_INCHES = 1.9
INK, FAINT = "#1f2430", "#6b7280"
CARD = 480
# Characters of a text that are drawn on a card; a card has no room for more.
MAX_CHARACTERS = 200
# Letters in a line of a card and of a caption, and the size of a caption.
CARD_LETTERS, CAPTION_LETTERS, CAPTION_POINTS = 16, 24, 9


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
    # Figure and canvas without pyplot, whose state is shared between threads.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = max(2, math.ceil(len(hits) / COLUMNS))
    figure = Figure(figsize=(TILE_INCHES * (COLUMNS + 2.3), TILE_INCHES * 1.32 * rows), facecolor="white")
    FigureCanvasAgg(figure)
    halves = figure.add_gridspec(1, 2, width_ratios=(2.0, COLUMNS), left=0.02, right=0.98, wspace=0.06)
    _draw_query(figure.add_subplot(halves[0]), query, heading, title, note)
    grid = halves[1].subgridspec(rows, COLUMNS, hspace=0.42, wspace=0.08)
    captions = [format_label(hit.item.label or file_name(hit.item)) for hit in hits]
    for position, (hit, picture, caption) in enumerate(zip(hits, pictures, captions, strict=True)):
        _draw_hit(figure.add_subplot(grid[divmod(position, COLUMNS)]), hit, picture, caption)
    buffer = io.BytesIO()
    if any(REPLACEMENT in with_replacements(one_line(caption)) for caption in (title, *captions)):
        figure.text(0.5, 0.01, MISSING, fontsize=8, color=FAINT, ha="center", va="bottom")
    figure.savefig(buffer, format="png")
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
        path.write_bytes(png)
    except OSError as error:
        raise SearchError(f"The sheet could not be written to {path} ({error.strerror or error}).") from error


def _draw_hit(axes: "Axes", hit: Hit, picture: bytes, caption: str) -> None:
    """Draw a hit with its rank and score above it."""
    with Image.open(io.BytesIO(picture)) as image:
        _draw_picture(axes, image, f"{hit.rank}    {hit.score:.3f}", caption)


def _draw_query(axes: "Axes", query: Image.Image, heading: str, title: str, note: str) -> None:
    """Draw the query, with a bold note in lines below its title."""
    _draw_picture(axes, query, heading, title)
    text = "\n".join(textwrap.wrap(one_line(note), 40))
    axes.annotate(
        text, (0.5, 0), xytext=(0, -24), xycoords="axes fraction", textcoords="offset points", ha="center", va="top",
        fontsize=10, fontweight="bold", color=INK, parse_math=False,
    )  # fmt: skip


def _draw_picture(axes: "Axes", picture: Image.Image, heading: str, caption: str) -> None:
    """Draw a picture with a bold line of text above it and a faint one below."""
    axes.imshow(picture)
    heading, caption = one_line(heading), one_line(caption)
    axes.set_title(heading, fontsize=10, fontweight="bold", color=INK, pad=5, parse_math=False)
    _write_below(axes, _shorten(caption))
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


def _shorten(caption: str) -> str:
    """The beginning of a caption that is too wide."""
    if columns(caption) <= CAPTION_LETTERS:
        return caption
    while columns(caption) >= CAPTION_LETTERS:
        caption = caption[:-1]
    return f"{caption}…"


def _write_below(axes: "Axes", caption: str) -> None:
    """Write a faint line below a picture, in any language."""
    caption = with_replacements(caption)
    if not needs_drawing(caption):
        axes.set_xlabel(caption, fontsize=CAPTION_POINTS, color=FAINT, parse_math=False)
        return
    from matplotlib.offsetbox import AnnotationBbox, OffsetImage

    finer = 4  # pixels for a point, which the figure makes fewer
    line = OffsetImage(np.asarray(draw_line(caption, finer * CAPTION_POINTS, FAINT)), zoom=1 / finer)
    axes.add_artist(
        AnnotationBbox(
            line, (0.5, 0), xybox=(0, -3), xycoords="axes fraction", boxcoords="offset points",
            box_alignment=(0.5, 1), frameon=False, pad=0, annotation_clip=False,
        )
    )  # fmt: skip
