"""Agreement of two pictures, once one is laid on the other."""

import numpy as np
import pytest
from PIL import Image
from scenes import draw_scene

from similarity.images.keypoints import grey_pixels
from similarity.query.alignment import agreement

AS_IT_IS = np.array([[1.0, 0, 0], [0, 1, 0]])


def test_a_picture_agrees_with_itself_however_bright_and_not_with_another() -> None:
    pixels = grey_pixels(draw_scene(1))
    assert agreement(pixels, pixels, AS_IT_IS) == pytest.approx((1, 1, 1))
    assert min(agreement((pixels // 2 + 20).astype(np.uint8), pixels, AS_IT_IS)) > 0.99
    assert max(agreement(grey_pixels(draw_scene(2)), pixels, AS_IT_IS)) < 0.3


def test_a_covered_part_does_not_agree_and_is_no_contradiction() -> None:
    pixels = grey_pixels(draw_scene(1))
    covered = pixels.copy()
    covered[: len(covered) // 2] = 128
    shares = agreement(covered, pixels, AS_IT_IS)
    assert 0.4 < shares.of_all < 0.6
    assert min(shares.of_both, shares.correlation) > 0.9


def test_what_lies_outside_or_is_plain_is_no_objection() -> None:
    pixels = grey_pixels(draw_scene(1))
    beside = np.array([[1.0, 0, 1_000], [0, 1, 0]])
    assert agreement(pixels, pixels, beside) == (1, 1, 1)
    plain = grey_pixels(Image.new("RGB", (256, 320), "grey"))
    assert agreement(plain, plain, AS_IT_IS) == pytest.approx((1, 1, 1))


def test_a_small_object_in_place_of_another_one_is_told_from_a_caption() -> None:
    rng = np.random.default_rng(0)
    ground = rng.integers(100, 140, (320, 240), np.uint8)
    one, other, captioned = ground.copy(), ground.copy(), ground.copy()
    one[100:200, 80:160], other[110:180, 70:170] = 250, 5
    captioned[:30] = 250
    assert agreement(one, other, AS_IT_IS).correlation < 0.8
    assert agreement(captioned, ground, AS_IT_IS).correlation > 0.9
