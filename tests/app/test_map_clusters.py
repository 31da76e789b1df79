"""The groups of a map, their names, and how places of pictures travel to the browser and back."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from similarity.app.map import message
from similarity.app.map.clusters import assign, divide, find_clusters
from similarity.app.map.layout import GalleryMap
from similarity.vectors.arrays import normalise

CORNERS = np.array([[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]], np.float32)


def crowd(labels: list[str], each: int = 20) -> tuple[Any, GalleryMap]:
    """A gallery of one group in each corner, as far as the map looks at it, and its map.

    Args:
        labels: of the pictures, in turn for those of each corner.
    """
    random = np.random.default_rng(0)
    kinds = np.repeat(np.arange(3), each)
    points = np.clip(CORNERS[kinds] + random.normal(0, 0.02, (len(kinds), 2)), 0, 1).astype(np.float32)
    vectors = normalise(np.eye(3)[kinds] + random.normal(0, 0.1, (len(kinds), 3)))
    named = [labels[place % len(labels)] if len(labels) != 3 else labels[kind] for place, kind in enumerate(kinds)]
    gallery = SimpleNamespace(items=SimpleNamespace(labels=lambda: named), vectors=vectors)
    return gallery, GalleryMap(np.arange(len(kinds)), points)


def test_a_group_is_named_by_the_label_that_most_of_its_pictures_have() -> None:
    found = find_clusters(*crowd(["hat", "shoe", "bag"]))
    assert sorted(cluster.label for cluster in found) == ["bag", "hat", "shoe"], "groups of one label are one"
    for cluster in found:
        assert np.linalg.norm(CORNERS - cluster.middle, axis=1).min() < 0.05


def test_a_group_of_many_labels_has_no_name_but_a_typical_picture() -> None:
    gallery, on = crowd([f"label {number}" for number in range(7)])
    for cluster in find_clusters(gallery, on):
        assert cluster.label == ""
        own = gallery.vectors[cluster.members]
        assert cluster.typical == cluster.members[np.argmax((own @ own.T).sum(axis=1))], "it is the medoid"


def test_groups_of_one_label_that_lie_apart_stay_apart() -> None:
    found = find_clusters(*crowd(["hat"]))
    assert len(found) >= 3
    assert {cluster.label for cluster in found} == {"hat"}


def test_each_picture_is_in_one_group_and_the_largest_comes_first() -> None:
    gallery, on = crowd(["hat", "shoe", "bag"])
    found = find_clusters(gallery, on)
    counts = [len(cluster.members) for cluster in found]
    assert counts == sorted(counts, reverse=True)
    assert np.bincount(assign(found, len(on))).tolist() == counts


@pytest.mark.parametrize("count", [1, 2, 9, 10, 60])
def test_points_that_are_few_or_all_the_same_make_one_group(count: int) -> None:
    assert set(divide(np.full((count, 2), 0.5, np.float32)).tolist()) == {0}


def test_points_are_counted_from_above_as_on_a_screen() -> None:
    points = np.array([[0, 1], [1, 0], [0.5, 0.5]], np.float32)
    assert message.to_integers(points).tolist() == [[0, 0], [65535, 65535], [32768, 32768]]


@pytest.mark.parametrize("places", [(), (0,), (7, 8), tuple(range(19))])
def test_a_selection_comes_back_as_it_was_sent(places: tuple[int, ...]) -> None:
    assert message.decode_places(message.encode_places(places, 19), 19) == places


@pytest.mark.parametrize("text", [None, 7, "", "no base64", "AAAA" * 100, {"a": 1}])
def test_what_is_no_selection_is_refused(text: object) -> None:
    assert message.decode_places(text, 19) is None
