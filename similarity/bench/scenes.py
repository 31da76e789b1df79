"""Scenes of several objects for `bench objects`: products cut out of plain backdrops, put beside each other on one."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from similarity.images.picture import Box

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

# Pixels of a scene's shorter side, shapes (width : height), and the share of the height that a product has.
SHORT_SIDE, SHAPES, SIZES = 360, ((1, 1), (4, 3), (3, 2)), (0.32, 0.55)
# A band along the edges of a picture, as a share of its sides, that shows its backdrop.
BAND = 0.06
# Shares of a picture that a product cut out of it can have: less is a fragment, and more a backdrop taken for one.
SMALLEST, LARGEST = 0.04, 0.6
# Colour distance from the backdrop (CIELAB) below which a pixel is backdrop for sure, and from which it is product.
NEAR, FAR = 6.0, 22.0
# Attempts at placing the products without overlap, and the gap between them, as a share of the shorter side.
ATTEMPTS, GAP = 200, 0.03


@dataclass(frozen=True, slots=True, eq=False)
class CutOut:
    """A product without its backdrop.

    Attributes:
        pixels: uint8 (height, width, 3), cut to the product.
        mask: where the product is, (height, width).
    """

    pixels: Pixels
    mask: Mask


def cut_out(image: Image.Image) -> CutOut | None:
    """Cut a product out of an RGB picture with a plain backdrop; None if it does not stand free before one."""
    pixels = np.asarray(image)
    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB).astype(np.float32)
    backdrop = _smooth_backdrop(lab)
    if backdrop is None:
        return None
    distance = np.linalg.norm((lab - backdrop) * (0.6, 1.3, 1.3), axis=2)
    seeds = np.full(distance.shape, cv2.GC_PR_BGD, np.uint8)
    seeds[distance > (NEAR + FAR) / 2] = cv2.GC_PR_FGD
    seeds[distance < NEAR] = cv2.GC_BGD
    seeds[distance > FAR] = cv2.GC_FGD
    if not (seeds == cv2.GC_FGD).any():
        return None
    cv2.grabCut(pixels, seeds, (0, 0, 1, 1), np.zeros((1, 65)), np.zeros((1, 65)), 3, cv2.GC_INIT_WITH_MASK)
    return _largest_part(pixels, np.isin(seeds, (cv2.GC_FGD, cv2.GC_PR_FGD)))


def backdrop_of(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Make an empty backdrop like a picture's: each row runs from the colours of its left edge to those of its right.

    Args:
        size: width and height.
    """
    band = max(1, round(BAND * image.width))
    pixels = np.asarray(image.resize((image.width, size[1]))).astype(np.float32)
    left, right = pixels[:, :band].mean(axis=1), pixels[:, -band:].mean(axis=1)
    share = np.linspace(0, 1, size[0], dtype=np.float32)[np.newaxis, :, np.newaxis]
    return Image.fromarray((left[:, np.newaxis] * (1 - share) + right[:, np.newaxis] * share).astype(np.uint8))


def compose(
    products: Sequence[CutOut], backdrop: Image.Image, rng: random.Random
) -> tuple[Image.Image, list[Box]] | None:
    """Put products on a backdrop, none over another.

    Returns:
        The scene, and the box of each product in it; None if no room was found for them.
    """
    across, down = rng.choice(SHAPES)
    size = (round(SHORT_SIDE * across / down), SHORT_SIDE)
    for _ in range(ATTEMPTS):
        places = [_place(product, size, rng) for product in products]
        if _are_apart(places, GAP * SHORT_SIDE):
            return _paste(products, places, backdrop_of(backdrop, size))
    return None


Place = tuple[int, int, int, int]


def _place(product: CutOut, size: tuple[int, int], rng: random.Random) -> Place:
    """A random place for a product: left, top, right and bottom, in pixels."""
    height, width = product.mask.shape
    longer = rng.uniform(*SIZES) * size[1]
    scale = longer / max(height, width)
    width, height = max(1, round(scale * width)), max(1, round(scale * height))
    left, top = rng.randint(0, size[0] - width), rng.randint(0, size[1] - height)
    return left, top, left + width, top + height


def _are_apart(places: Sequence[Place], gap: float) -> bool:
    return all(
        one[2] + gap <= other[0] or other[2] + gap <= one[0] or one[3] + gap <= other[1] or other[3] + gap <= one[1]
        for number, one in enumerate(places)
        for other in places[:number]
    )


def _paste(products: Sequence[CutOut], places: Sequence[Place], scene: Image.Image) -> tuple[Image.Image, list[Box]]:
    boxes = []
    for product, (left, top, right, bottom) in zip(products, places, strict=True):
        size = (right - left, bottom - top)
        alpha = Image.fromarray(product.mask.astype(np.uint8) * 255).resize(size, Image.Resampling.BILINEAR)
        scene.paste(Image.fromarray(product.pixels).resize(size, Image.Resampling.LANCZOS), (left, top), alpha)
        boxes.append(Box(left / scene.width, top / scene.height, right / scene.width, bottom / scene.height))
    return scene, boxes


def _smooth_backdrop(lab: npt.NDArray[np.float32]) -> npt.NDArray[np.float32] | None:
    """A backdrop without edges, fitted to a picture's own edges; None if a smooth one does not fit them."""
    height, width = lab.shape[:2]
    rows, columns = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    terms = np.stack([columns**i * rows**j for i in range(3) for j in range(3 - i)], axis=-1).astype(np.float32)
    is_edge = np.maximum(np.abs(rows), np.abs(columns)) > 1 - 2 * BAND
    factors, *_ = np.linalg.lstsq(terms[is_edge], lab[is_edge], rcond=None)
    fitted: npt.NDArray[np.float32] = terms @ factors
    residual = np.linalg.norm(lab[is_edge] - fitted[is_edge], axis=1)
    return fitted if np.quantile(residual, 0.95) < NEAR else None


def _largest_part(pixels: Pixels, is_product: Mask) -> CutOut | None:
    """The largest connected part of a mask, cut out; None if it is too small, too large or runs over the edge."""
    _, labels, facts, _ = cv2.connectedComponentsWithStats(is_product.astype(np.uint8))
    if len(facts) < 2:
        return None
    best = 1 + int(np.argmax(facts[1:, cv2.CC_STAT_AREA]))
    left, top, width, height, area = facts[best]
    rows, columns = is_product.shape
    is_cut = left == 0 or top == 0 or left + width == columns or top + height == rows
    if is_cut or not SMALLEST < area / is_product.size < LARGEST:
        return None
    part = (slice(top, top + height), slice(left, left + width))
    return CutOut(pixels[part], labels[part] == best)
