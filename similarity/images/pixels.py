"""Pixels of any mode as RGB: reduced, in sRGB, and on white where they are transparent or not there at all."""

import math

import numpy as np
from PIL import Image

from similarity.images.colour import convert_colours, has_colours
from similarity.images.heif import HeifRows

# Pixels from which on a picture is at least halved, and pixels that are converted at a time.
HALVED_FROM = 16_000_000
STRIP_PIXELS = 1_000_000
Area = tuple[int, int, int, int]


def factor_for(size: tuple[int, int], side: int | None) -> int:
    """The factor of reduction that leaves the shorter side twice the needed pixels.

    Very large pictures are halved in any case, which leaves at least 500 pixels on the shorter side.
    """
    if side is None:
        return 1
    return max(1, min(size) // (2 * side), 2 if size[0] * size[1] > HALVED_FROM else 1)


def convert(image: Image.Image | HeifRows, factor: int, frame: Area | None) -> Image.Image:
    """Convert a picture to RGB, reduced by averaging; strip by strip, so that there is never a second full copy.

    Args:
        frame: the part of it that is there, if that is not all; the rest becomes white.
    """
    if factor == 1:
        return _part(image, (0, 0, *image.size), frame)
    result = Image.new("RGB", (math.ceil(image.width / factor), math.ceil(image.height / factor)))
    rows = factor * max(1, STRIP_PIXELS // (image.width * factor))
    for top in range(0, image.height, rows):
        strip = _part(image, (0, top, image.width, min(image.height, top + rows)), frame)
        result.paste(strip.reduce(factor), (0, top // factor))
    return result


def _part(image: Image.Image | HeifRows, area: Area, frame: Area | None) -> Image.Image:
    """An area of a picture as RGB, white where it lies outside the frame."""
    if frame is None:
        if isinstance(image, Image.Image) and area == (0, 0, *image.size):
            return _pixels(image)
        return _pixels(image.crop(area))
    left, top = max(area[0], frame[0]), max(area[1], frame[1])
    right, bottom = min(area[2], frame[2]), min(area[3], frame[3])
    part = Image.new("RGB", (area[2] - area[0], area[3] - area[1]), "white")
    if left < right and top < bottom:
        part.paste(_pixels(image.crop((left, top, right, bottom))), (left - area[0], top - area[1]))
    return part


def _pixels(image: Image.Image) -> Image.Image:
    """Convert any mode that the formats produce; `info` is emptied, since a profile is wrong on converted pixels."""
    info = image.info
    if image.mode.startswith(("I", "F")):
        image = _from_16_bit(image) if image.mode.startswith("I") else _from_floats(image)
    if image.mode == "LAB" or (has_colours(info) and image.mode in ("RGB", "L", "CMYK") and "transparency" not in info):
        rgb = convert_colours(image, info).convert("RGB")
    elif image.has_transparency_data:
        rgba = image.convert("RGBA")
        if has_colours(info):
            rgba = _with_alpha(convert_colours(rgba.convert("RGB"), info), rgba)
        rgb = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    else:
        rgb = image.convert("RGB")
        rgb = convert_colours(rgb, info) if has_colours(info) else rgb
    rgb.info = {}
    return rgb


def _with_alpha(image: Image.Image, rgba: Image.Image) -> Image.Image:
    """An image with the transparency of another."""
    image = image.convert("RGB")
    image.putalpha(rgba.getchannel("A"))
    return image


def _from_floats(image: Image.Image) -> Image.Image:
    """Scale floating-point grey to 8 bits: of 0..1, of 0..255, or of 0 to its largest value."""
    values = np.nan_to_num(np.asarray(image, np.float32), posinf=0, neginf=0).clip(0)
    most = float(values.max(initial=0))
    scale = 255 if most <= 1 else 1 if most <= 255 else 255 / most
    return Image.fromarray((values * scale).round().astype(np.uint8))


def _from_16_bit(image: Image.Image) -> Image.Image:
    """Scale 16-bit grey to 8 bits (Pillow's own conversion clips); its transparent value, if any, becomes white."""
    values = np.asarray(image).astype(np.int64).clip(0, 65535)
    grey = (values >> 8).astype(np.uint8)
    if isinstance(transparent := image.info.get("transparency"), int):
        grey[values == transparent] = 255
    return Image.fromarray(grey)
