"""Local features: points of a picture, packed into at most 16 kB and unpacked again."""

import numpy as np
import pytest
from conftest import draw
from PIL import Image
from scenes import draw_scene

from similarity.images.keypoints import MAX_BYTES, MAX_STORED, find_keypoints, mirror, pack, unpack

# The SHA-256 of a picture's file.
OWN = "ab" * 32


def test_a_picture_takes_at_most_16_kb() -> None:
    found = find_keypoints(draw_scene(1))
    assert len(found) == MAX_STORED
    assert len(pack(found, OWN)) <= MAX_BYTES
    assert len(pack(find_keypoints(draw_scene(1), 500), OWN)) <= MAX_BYTES


def test_points_are_unpacked_as_they_were_packed() -> None:
    found = find_keypoints(draw_scene(2))
    again = unpack(pack(found, OWN), OWN)
    assert (again.width, again.height) == (found.width, found.height) == (256, 320)
    assert np.abs(again.positions - found.positions).max() <= 0.125
    np.testing.assert_allclose(again.scales, found.scales, rtol=1e-3)
    assert (np.abs((again.angles - found.angles + 180) % 360 - 180) <= 360 / 512).all()
    np.testing.assert_array_equal(again.codes, found.codes)
    assert pack(again, OWN)[:-4] == pack(found, OWN)[:-4]


def test_descriptors_are_of_unit_length_and_nearest_to_themselves() -> None:
    descriptors = find_keypoints(draw_scene(3)).descriptors
    np.testing.assert_allclose(np.linalg.norm(descriptors, axis=1), 1, rtol=1e-5)
    similarities = descriptors @ descriptors.T
    assert (np.diag(similarities) >= similarities.max(axis=1) - 1e-5).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 200), (3_000, 16), (64, 80)])
def test_a_plain_picture_has_no_points_whatever_its_size(size: tuple[int, int]) -> None:
    found = find_keypoints(Image.new("RGB", size, "teal"))
    assert len(found) == 0
    assert len(unpack(pack(found, OWN), OWN)) == 0


def test_the_same_picture_always_has_the_same_points() -> None:
    assert pack(find_keypoints(draw("dots", 1)), OWN) == pack(find_keypoints(draw("dots", 1)), OWN)


def test_points_are_spread_over_a_picture_with_one_busy_corner() -> None:
    picture = draw_scene(4)
    picture.paste(draw_scene(5).resize((100, 125)), (0, 0))
    positions = find_keypoints(picture).positions
    quarters = {(int(x > 128), int(y > 160)) for x, y in positions}
    assert len(quarters) == 4


def test_a_small_picture_is_enlarged() -> None:
    assert find_keypoints(draw_scene(6).resize((64, 80))).height == 320


def test_a_mirror_turned_twice_shows_the_picture() -> None:
    picture = draw_scene(7)
    assert mirror(mirror(picture)).tobytes() == picture.tobytes()


@pytest.mark.many
@pytest.mark.parametrize("damage", ["cut", "empty", "flipped", "of another version", "of another picture", "longer"])
def test_damaged_bytes_are_refused(damage: str) -> None:
    data = pack(find_keypoints(draw_scene(8)), OWN)
    damaged = {
        "cut": data[:-10],
        "empty": b"",
        "flipped": data[:100] + bytes([data[100] ^ 1]) + data[101:],
        "of another version": b"SIFT\x02" + data[5:],
        "of another picture": pack(find_keypoints(draw_scene(8)), "cd" * 32),
        "longer": data + bytes(71),
    }[damage]
    with pytest.raises(ValueError, match="local features"):
        unpack(damaged, OWN)
