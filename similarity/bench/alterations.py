"""Alterations of a picture, as people make them: turned, cut, part of a collage, blurred, small, mirrored, framed."""

import random
from collections.abc import Callable, Mapping

from PIL import Image, ImageDraw, ImageFilter, ImageOps

from similarity.images.keypoints import mirror

# Makes a query of a picture, with another picture for a collage.
Alter = Callable[[Image.Image, Image.Image, random.Random], Image.Image]
COLLAGE = "half of a collage"
GROUND, INK = (255, 255, 255), (200, 30, 30)


def turned(degrees: int) -> Alter:
    """Turn by some degrees, on a white ground that holds the whole picture."""
    return lambda image, _, __: image.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=GROUND)


def cropped(share: float) -> Alter:
    """Cut out a part of the same shape with this share of the area, anywhere."""

    def alter(image: Image.Image, _: Image.Image, chance: random.Random) -> Image.Image:
        width, height = (max(1, round(side * share**0.5)) for side in image.size)
        left, top = chance.randint(0, image.width - width), chance.randint(0, image.height - height)
        return image.crop((left, top, left + width, top + height))

    return alter


def collage(image: Image.Image, other: Image.Image, _: random.Random) -> Image.Image:
    """Put another picture of the same height to the right."""
    beside = other.resize((max(1, round(other.width * image.height / other.height)), image.height))
    whole = Image.new("RGB", (image.width + beside.width, image.height))
    whole.paste(image, (0, 0))
    whole.paste(beside, (image.width, 0))
    return whole


def blurred(image: Image.Image, _: Image.Image, __: random.Random) -> Image.Image:
    """Blur with a Gaussian whose standard deviation is 1 % of the longer side."""
    return image.filter(ImageFilter.GaussianBlur(max(image.size) / 100))


def small(image: Image.Image, _: Image.Image, __: random.Random) -> Image.Image:
    """Reduce to a width of 64 pixels."""
    return image.resize((64, max(1, round(64 * image.height / image.width))), Image.Resampling.LANCZOS)


def with_banner(image: Image.Image, _: Image.Image, __: random.Random) -> Image.Image:
    """Cover the lowest 15 % with a banner."""
    altered = image.copy()
    ImageDraw.Draw(altered).rectangle((0, int(0.85 * image.height), image.width, image.height), fill=INK)
    return altered


ALTERATIONS: Mapping[str, Alter] = {
    "turned 90°": turned(90),
    "turned 180°": turned(180),
    "turned 15°": turned(15),
    "crop 60 %": cropped(0.6),
    "crop 30 %": cropped(0.3),
    "crop 15 %": cropped(0.15),
    COLLAGE: collage,
    "blurred": blurred,
    "64 pixels wide": small,
    "mirrored": lambda image, _, __: mirror(image),
    "grey": lambda image, _, __: ImageOps.grayscale(image).convert("RGB"),
    "banner": with_banner,
    "border": lambda image, _, __: ImageOps.expand(image, max(1, max(image.size) // 10), fill=GROUND),
}
