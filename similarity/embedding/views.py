"""Views of a picture: the square windows in it that a network is given.

    crop    the centre of the picture, as in the network's training: a share of the shorter side, crop / resize
    fit     the window whose side is that share of the geometric mean of both sides, white beyond the picture
    both    the mean of the two embeddings, in which `fit` counts twice; `fit` alone where the two are nearly the same

Of a photograph of 3:2, `crop` shows 59 % of the longer side, and `fit` 73 %; of one of 3:1, 30 % and 51 %. In a square
picture they are the same. `docs/views.md` has the measurements, and what else was tried: other exponents of the ratio,
whole pictures, bars in other colours, and cells of bars left out of the mean.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from similarity.embedding.backbones import Backbone, Preprocessing
from similarity.embedding.engines import Pixels
from similarity.embedding.view_names import AUTO, VIEWS, Quality, View
from similarity.errors import ModelError
from similarity.images.picture import Box
from similarity.vectors.arrays import Vectors, normalise

FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
WHITE = 255
# Weights of the two windows in `both`; measured between 1 : 0 and 1 : 1.
WEIGHTS = np.array([2, 1], np.float32)
# Up to this ratio of the sides, the two windows of a picture differ by less than a twentieth.
NEARLY_SQUARE = 1.1


@dataclass(frozen=True, slots=True)
class Window:
    """A square part of a picture, in pixels; it may reach beyond the picture."""

    left: float
    top: float
    right: float
    bottom: float

    def visible(self, size: tuple[int, int]) -> "Window":
        """The part of it that lies in a picture of this size."""
        return Window(max(0.0, self.left), max(0.0, self.top), min(size[0], self.right), min(size[1], self.bottom))

    def overhang(self, size: tuple[int, int]) -> float:
        """Pixels by which it reaches beyond a picture of this size, on its farthest side."""
        return max(-self.left, -self.top, self.right - size[0], self.bottom - size[1], 0.0)

    def box(self, size: tuple[int, int]) -> Box:
        """The part of it that lies in a picture of this size, as fractions of its sides."""
        seen, (width, height) = self.visible(size), size
        return Box(seen.left / width, seen.top / height, seen.right / width, seen.bottom / height)


def choose_view(asked: str, backbone: Backbone, quality: Quality = "standard") -> View:
    """Return the view of a new gallery.

    Args:
        asked: crop, fit or both; `auto` is `fit` for a network that averages over cells, `both` in the best quality,
            and `crop` for other networks, of which no other view was measured.

    Raises:
        ModelError: there is no such view.
    """
    if asked == AUTO:
        widest: View = "both" if quality == "best" else "fit"
        return widest if backbone.averages_cells else "crop"
    chosen = next((view for view in VIEWS if view == asked), None)
    if chosen is None:
        raise ModelError(f"{asked!r} is no view of a picture: choose from {AUTO}, {', '.join(VIEWS)}.")
    return chosen


def windows(size: tuple[int, int], how: Preprocessing, view: View) -> list[Window]:
    """Return the one or two windows of a picture of this size, width and height."""
    if view == "crop" or size[0] == size[1]:
        return [crop_window(size, how)]
    fitting = fit_window(size, how)
    is_alone = view == "fit" or max(size) <= NEARLY_SQUARE * min(size)
    return [fitting] if is_alone else [fitting, crop_window(size, how)]


def crop_window(size: tuple[int, int], how: Preprocessing) -> Window:
    """Return the crop; right and bottom may be a fraction of a pixel outside of the picture."""
    short = min(size)
    # The sizes and offsets below are rounded the way torchvision rounds them.
    resized = [how.resize if side == short or how.fit == "squash" else int(how.resize * side / short) for side in size]
    offsets = [round((side - how.crop) / 2.0) for side in resized]
    scales = [side / new for side, new in zip(size, resized, strict=True)]
    left, top = (offset * scale for offset, scale in zip(offsets, scales, strict=True))
    return Window(left, top, left + how.crop * scales[0], top + how.crop * scales[1])


def fit_window(size: tuple[int, int], how: Preprocessing) -> Window:
    """Return the window whose side is a share of the geometric mean of both sides, as a crop's is of the shorter."""
    half = how.crop / how.resize * math.sqrt(size[0] * size[1]) / 2
    across, down = size[0] / 2, size[1] / 2
    return Window(across - half, down - half, across + half, down + half)


def preprocess(image: Image.Image, how: Preprocessing) -> Pixels:
    """Resize and crop an RGB image to the size a network was trained on, without normalisation.

    Equal to torchvision's `Resize(how.resize)` and `CenterCrop(how.crop)` on the same image (`Resize` of both sides if
    it is squashed), except that only the crop is computed, so that a picture 1 pixel wide and 60,000 high is not slower
    than others.

    Returns:
        uint8 (crop, crop, 3).
    """
    return _cut(image, crop_window(image.size, how), how)


def prepare_views(image: Image.Image, how: Preprocessing, view: View) -> Pixels:
    """Cut the windows out of an RGB image, at the network's size: uint8 (1 or 2, crop, crop, 3)."""
    cut = [_cut(image, window, how) for window in windows(image.size, how, view)]
    return cut[0][np.newaxis] if len(cut) == 1 else np.stack(cut)


def merge(vectors: Vectors) -> Vectors:
    """Merge the embeddings of a picture's windows, float32 (1 or 2, dim), into its own, (dim,), of unit length."""
    joined = vectors if len(vectors) == 1 else normalise((WEIGHTS @ vectors)[np.newaxis])
    merged: Vectors = joined[0]
    return merged


def seen_box(size: tuple[int, int], how: Preprocessing, view: View = "crop") -> Box:
    """Return the part of a picture of this size, width and height, that a network sees."""
    return windows(size, how, view)[0].box(size)


def preprocessing_facts(how: Preprocessing, view: View) -> dict[str, Any]:
    """The preprocessing of pictures as a manifest keeps it; older galleries lack the view, which is `crop`."""
    return how.facts() | ({} if view == "crop" else {"view": view})


def _cut(image: Image.Image, window: Window, how: Preprocessing) -> Pixels:
    """Resize a window to the network's size, with bars where it reaches beyond the picture."""
    seen, side = window.visible(image.size), window.right - window.left
    box = (seen.left, seen.top, seen.right, seen.bottom)
    if min(window.left, window.top) >= 0:
        return np.asarray(image.resize((how.crop, how.crop), FILTERS[how.interpolation], box=box))
    shown = [max(1, round(how.crop * length / side)) for length in (seen.right - seen.left, seen.bottom - seen.top)]
    left, top = ((how.crop - length) // 2 for length in shown)
    square = np.full((how.crop, how.crop, 3), WHITE, np.uint8)
    part = image.resize((shown[0], shown[1]), FILTERS[how.interpolation], box=box)
    square[top : top + shown[1], left : left + shown[0]] = np.asarray(part)
    return square
