"""Objects that are proposed in a picture: boxes around each, by the bundled model itself."""

import random

import numpy as np
import pytest
from PIL import Image, ImageDraw

from similarity import Embedder
from similarity.bench.scenes import CutOut, compose, cut_out
from similarity.images.boxes import iou
from similarity.query.energy import split
from similarity.query.objects import MOST, find_objects, propose
from similarity.sample import FOLDER


def product(name: str) -> CutOut:
    """A product of the sample, cut out of its backdrop."""
    with Image.open(FOLDER / "gallery" / name.rsplit("-", 2)[0] / f"{name}.jpg") as image:
        cut = cut_out(image.convert("RGB"))
    assert cut is not None
    return cut


def test_two_products_in_one_picture_give_a_box_each(embedder: Embedder) -> None:
    with Image.open(FOLDER / "gallery" / "chair" / "chair-01-1.jpg") as backdrop:
        made = compose([product("clock-06-1"), product("vase-09-1")], backdrop.convert("RGB"), random.Random(3))
    assert made is not None
    scene, truths = made
    boxes = find_objects(embedder, scene)
    assert len(boxes) == 2
    assert all(max(iou(box, truth) for box in boxes) >= 0.5 for truth in truths)
    assert boxes == find_objects(embedder, scene), "they are the same every time"


def test_one_object_that_fills_the_picture_is_not_offered(embedder: Embedder) -> None:
    with Image.open(FOLDER / "gallery" / "clock" / "clock-06-1.jpg") as image:
        assert find_objects(embedder, image.convert("RGB")) == []


@pytest.mark.parametrize("size", [(300, 30), (5, 5), (900, 120), (120, 900)])
def test_pictures_of_any_shape_give_at_most_five_boxes_inside(embedder: Embedder, size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3)).astype(np.uint8)
    boxes = find_objects(embedder, Image.fromarray(pixels))
    assert len(boxes) <= MOST
    assert all(0 <= box.left < box.right <= 1 and 0 <= box.top < box.bottom <= 1 for box in boxes)


def test_a_plain_picture_has_no_objects(embedder: Embedder) -> None:
    assert find_objects(embedder, Image.new("RGB", (400, 300), "beige")) == []


def test_boxes_follow_the_outlines_in_the_pixels_not_the_cells() -> None:
    image = Image.new("RGB", (400, 300), "white")
    pen = ImageDraw.Draw(image)
    pen.rectangle((40, 60, 139, 159), fill="navy")
    pen.rectangle((270, 120, 369, 219), fill="darkgreen")
    cells = np.full((9, 12, 4), 0.1, np.float32)
    cells[1:6, 1:5] = cells[3:8, 7:11] = 1  # a cell more on some sides
    boxes = propose(cells, image)
    edges = sorted((box.left * 400, box.top * 300, box.right * 400, box.bottom * 300) for box in boxes)
    assert edges == [pytest.approx((40, 60, 140, 160), abs=13), pytest.approx((270, 120, 370, 220), abs=13)]


def test_peaks_are_told_apart_only_across_a_deep_valley() -> None:
    deep = np.array([[0.3, 1.0, 0.9, 0.4, 0.8, 1.0, 0.1]], np.float32)
    shallow = np.array([[0.3, 1.0, 0.9, 0.8, 0.9, 1.0, 0.1]], np.float32)
    assert split(deep)[0, 1] != split(deep)[0, 5]
    assert len(set(split(shallow)[0, :6].tolist())) == 1
    assert split(shallow)[0, 6] == 0, "it is below the floor"
