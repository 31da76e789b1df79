"""Heat maps over a picture in grey: regions that raise the score are coloured.

The colours are the upper half of matplotlib's inferno, by N. Smith and S. van der Walt: from orange to yellow, which
stand out from grey, and whose order eyes that confuse red and green can see. `app/components/heat.js` paints the same.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image

from similarity.images.picture import Box

Cells = npt.NDArray[np.float32]

# Colours of rising heat, RGB. The first is for almost no heat, and nearly transparent.
COLOURS = np.array([(147, 38, 103), (221, 81, 58), (252, 165, 10), (246, 215, 70)], np.float32)
OPACITY, GREY = 0.75, 0.85
# Where the model sees no further than a part of the picture, heat fades over this share of that part.
FADE = 0.08


def overlay_heat(picture: Image.Image, cells: Cells, box: Box, *, hottest: float | None = None) -> Image.Image:
    """Draw a heat map over a picture, RGB.

    Args:
        cells: the heat, float32 (rows, columns).
        box: the part of the picture that the cells cover.
        hottest: heat of the brightest colour; by default that of the hottest cell.
    """
    grey = Image.blend(picture, picture.convert("L").convert("RGB"), GREY)
    left, top = round(box.left * picture.width), round(box.top * picture.height)
    right, bottom = round(box.right * picture.width), round(box.bottom * picture.height)
    size = (max(1, right - left), max(1, bottom - top))
    heat = np.asarray(Image.fromarray(relative_heat(cells, hottest)).resize(size, Image.Resampling.BICUBIC))
    colours, shares = _paint(heat.clip(0, 1))
    down = _soften(size[1], starts=box.top > 0, ends=box.bottom < 1)
    across = _soften(size[0], starts=box.left > 0, ends=box.right < 1)
    mask = Image.fromarray(np.asarray(255 * OPACITY * shares * np.outer(down, across), np.uint8))
    grey.paste(Image.fromarray(colours), (left, top), mask)
    return grey


def relative_heat(cells: Cells, hottest: float | None = None) -> Cells:
    """Return cells as shares of the hottest, float32 in 0..1, of the same shape; negative cells become 0."""
    highest = float(cells.max()) if hottest is None else hottest
    return np.asarray((cells / np.float32(max(highest, 1e-12))).clip(0, 1), np.float32)


def _soften(count: int, *, starts: bool, ends: bool) -> Cells:
    """Return the opacity of each of `count` pixels in a row, float32: it fades at an end that is within the picture."""
    rising = np.minimum(1, (np.arange(count, dtype=np.float32) + 0.5) / (FADE * count))
    ones = np.ones(count, np.float32)
    return np.asarray((rising if starts else ones) * (rising[::-1] if ends else ones), np.float32)


def _paint(heat: Cells) -> tuple[npt.NDArray[np.uint8], Cells]:
    """Return the colours of some heat, uint8 (..., 3), and their opacities, 0..1."""
    steps = np.linspace(0, 1, len(COLOURS))
    channels = [np.interp(heat, steps, COLOURS[:, channel]) for channel in range(3)]
    return np.asarray(np.stack(channels, axis=-1), np.uint8), np.asarray(np.minimum(1, 1.3 * heat), np.float32)
