"""The alterations of `bench copies`: every one changes a picture, the same way for the same seed."""

import random

import pytest
from scenes import draw_scene

from similarity.bench.alterations import ALTERATIONS


@pytest.mark.parametrize("name", ALTERATIONS)
def test_an_alteration_changes_any_picture_and_can_be_repeated(name: str) -> None:
    for size in ((120, 160), (200, 3)):
        picture, other = draw_scene(1, size), draw_scene(2, (90, 90))
        altered, again = (ALTERATIONS[name](picture, other, random.Random(5)) for _ in range(2))
        assert altered.mode == "RGB"
        assert altered.tobytes() == again.tobytes()
        assert (altered.size, altered.tobytes()) != (picture.size, picture.tobytes())


def test_a_crop_has_the_share_of_the_area() -> None:
    altered = ALTERATIONS["crop 15 %"](draw_scene(1), draw_scene(2), random.Random(5))
    assert altered.width * altered.height / (400 * 500) == pytest.approx(0.15, abs=0.01)
