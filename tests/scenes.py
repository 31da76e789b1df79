"""Drawn pictures with as many corners as photographs have: those of `conftest.draw` repeat one pattern."""

import numpy as np
from PIL import Image, ImageDraw


def draw_scene(seed: int, size: tuple[int, int] = (400, 500)) -> Image.Image:
    """A picture of coloured shapes; the same for the same arguments."""
    random = np.random.default_rng(seed)
    image = Image.new("RGB", size, _colour(random))
    pen = ImageDraw.Draw(image)
    for _ in range(120):
        centre = random.integers((0, 0), size)
        corners = centre + random.integers(-40, 40, (int(random.integers(3, 6)), 2))
        pen.polygon([tuple(map(int, corner)) for corner in corners], fill=_colour(random))
    return image


def _colour(random: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in random.integers(0, 256, 3))
    return red, green, blue
