"""Heat laid over a picture: what speaks for a match is warm, all else is the picture in grey.

From orange to yellow, both of which stand out from grey and lie in one order for eyes that do not tell red from green:
the upper half of matplotlib's inferno, by N. Smith and S. van der Walt. `app/components/heat.js` paints the same.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image

from similarity.images.picture import Box

Cells = npt.NDArray[np.float32]

# Colours of rising heat, RGB; the first is that of almost none, where next to nothing of it is seen.
COLOURS = np.array([(147, 38, 103), (221, 81, 58), (252, 165, 10), (246, 215, 70)], np.float32)
OPACITY, GREY = 0.75, 0.85


def lay_over(picture: Image.Image, cells: Cells, box: Box, *, most: float | None = None) -> Image.Image:
    """A picture, RGB, in grey, with heat over the part of it that cells, float32 (rows, columns), cover.

    Args:
        most: what counts as hottest; the highest cell unless given.
    """
    grey = Image.blend(picture, picture.convert("L").convert("RGB"), GREY)
    left, top = round(box.left * picture.width), round(box.top * picture.height)
    right, bottom = round(box.right * picture.width), round(box.bottom * picture.height)
    size = (max(1, right - left), max(1, bottom - top))
    heat = np.asarray(Image.fromarray(warmth(cells, most)).resize(size, Image.Resampling.BICUBIC))
    colours, shares = _paint(heat.clip(0, 1))
    mask = Image.fromarray(np.asarray(255 * OPACITY * shares, np.uint8))
    grey.paste(Image.fromarray(colours), (left, top), mask)
    return grey


def warmth(cells: Cells, most: float | None = None) -> Cells:
    """Cells as shares of the hottest, float32 in 0..1, of the same shape; what speaks against a match is 0."""
    highest = float(cells.max()) if most is None else most
    return np.asarray((cells / np.float32(max(highest, 1e-12))).clip(0, 1), np.float32)


def _paint(heat: Cells) -> tuple[npt.NDArray[np.uint8], Cells]:
    """The colours of some heat, uint8 (..., 3), and how much of them is seen, 0..1."""
    steps = np.linspace(0, 1, len(COLOURS))
    channels = [np.interp(heat, steps, COLOURS[:, channel]) for channel in range(3)]
    return np.asarray(np.stack(channels, axis=-1), np.uint8), np.asarray(np.minimum(1, 1.3 * heat), np.float32)
