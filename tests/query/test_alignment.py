"""Agreement of two pictures, once one is laid on the other."""

import numpy as np
from PIL import Image
from scenes import draw_scene

from similarity.images.keypoints import grey_pixels
from similarity.query.alignment import agreement

AS_IT_IS = np.array([[1.0, 0, 0], [0, 1, 0]])


def test_a_picture_agrees_with_itself_however_bright_and_not_with_another() -> None:
    pixels = grey_pixels(draw_scene(1))
    assert agreement(pixels, pixels, AS_IT_IS) == 1
    assert agreement((pixels // 2 + 20).astype(np.uint8), pixels, AS_IT_IS) > 0.99
    assert agreement(grey_pixels(draw_scene(2)), pixels, AS_IT_IS) < 0.2


def test_the_share_that_is_covered_does_not_agree() -> None:
    pixels = grey_pixels(draw_scene(1))
    covered = pixels.copy()
    covered[: len(covered) // 2] = 128
    assert 0.4 < agreement(covered, pixels, AS_IT_IS) < 0.6


def test_what_lies_outside_or_is_plain_is_no_objection() -> None:
    pixels = grey_pixels(draw_scene(1))
    beside = np.array([[1.0, 0, 1_000], [0, 1, 0]])
    assert agreement(pixels, pixels, beside) == 1
    plain = grey_pixels(Image.new("RGB", (256, 320), "grey"))
    assert agreement(plain, plain, AS_IT_IS) == 1
