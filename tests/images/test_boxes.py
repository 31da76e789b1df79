"""Areas of boxes, and how far pixels stand out from the backdrop near them."""

import numpy as np
import pytest

from similarity.images.backdrop import backdrop_distance
from similarity.images.boxes import area, common_area, iou, with_margin
from similarity.images.picture import Box


def test_two_boxes_have_in_common_what_both_cover() -> None:
    one, other, apart = Box(0, 0, 0.5, 0.5), Box(0.25, 0, 0.75, 0.5), Box(0.6, 0.6, 0.9, 0.9)
    assert area(one) == pytest.approx(0.25)
    assert common_area(one, other) == pytest.approx(0.125)
    assert iou(one, other) == pytest.approx(1 / 3)
    assert iou(one, one) == 1
    assert common_area(one, apart) == iou(one, apart) == 0


def test_a_margin_stays_in_the_picture() -> None:
    grown = with_margin(Box(0.0, 0.4, 0.5, 0.6), 0.1)
    assert (grown.left, grown.top, grown.right, grown.bottom) == pytest.approx((0, 0.38, 0.55, 0.62))


def test_an_object_stands_out_from_the_backdrop_beside_it_and_backdrops_do_not_from_each_other() -> None:
    lab = np.full((60, 80, 3), 128, np.float32)
    lab[:, :40, 0], lab[:, 40:, 0] = 60, 200  # two backdrops, beside each other
    weights = np.ones((60, 80), np.float32)
    for left in (10, 60):  # an object on each
        lab[25:32, left : left + 7, 1] = 170
        weights[23:34, left - 2 : left + 9] = 0
    distance = backdrop_distance(lab, weights)
    assert distance[28, 13] > 3 < distance[28, 63]
    assert distance[5, 13] < 1 > distance[5, 63]


def test_where_no_backdrop_is_known_nothing_stands_out() -> None:
    lab = np.random.default_rng(0).uniform(0, 255, (20, 30, 3)).astype(np.float32)
    assert not backdrop_distance(lab, np.zeros((20, 30), np.float32)).any()
