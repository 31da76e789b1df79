"""Collages: what they are made of is not one picture, and a crop of a picture is."""

from pathlib import Path

from conftest import MODEL
from PIL import Image, ImageOps
from scenes import draw_scene

from similarity import Gallery
from similarity.images.picture import Box
from similarity.query.composites import pairs_apart, parts_of
from similarity.query.copies import Copy
from similarity.query.feature_pairs import Features, _outside

WHOLE, LEFT, RIGHT = Box(0, 0, 1, 1), Box(0, 0, 0.51, 1), Box(0.5, 0, 1, 1)


def copy(query_box: Box, result_box: Box = WHOLE) -> Copy:
    return Copy(1.0, 0.0, False, query_box, result_box, 100)


def test_the_pictures_of_a_collage_are_not_one_picture_and_its_copy_is(tmp_path: Path) -> None:
    one, other = draw_scene(1), draw_scene(2)
    collage = Image.new("RGB", (800, 500))
    collage.paste(one, (0, 0))
    collage.paste(other, (400, 0))
    pictures = {"one": one, "other": other, "collage": collage, "grey": ImageOps.grayscale(collage)}
    pictures["crop"] = other.crop((60, 60, 330, 420))
    for name, picture in pictures.items():
        picture.save(tmp_path / f"{name}.jpg", quality=92)
    groups = Gallery.build(tmp_path, tmp_path / "gallery", model=MODEL).duplicates(preset="same")
    named = [{Path(file.path).stem for file in group.files} for group in groups]
    assert sorted(named, key=sorted) == [{"collage", "grey"}, {"crop", "other"}]


def test_what_a_collage_shows_beside_a_picture_is_looked_for_alone(tmp_path: Path) -> None:
    large, small = draw_scene(1), draw_scene(2, (400, 300))
    collage = Image.new("RGB", (400, 800))
    collage.paste(large, (0, 0))
    collage.paste(small, (0, 500))
    for name, picture in {"collage": collage, "large": large, "small": small, "third": draw_scene(3)}.items():
        picture.save(tmp_path / f"{name}.jpg", quality=92)
    gallery = Gallery.build(tmp_path, tmp_path / "gallery", model=MODEL)
    rows = {Path(item.path).stem: row for row, item in enumerate(gallery.items)}
    features, part = Features(gallery, tmp_path, None), Box(0, 0, 1, 500 / 800)
    beside = features._describe(_outside(features._keypoints(rows["collage"]), part))
    cosines = dict(zip(rows, features._plain[list(rows.values())] @ beside, strict=True))
    assert cosines["small"] > 2 * max(cosines["large"], cosines["third"])
    assert (rows["collage"], rows["small"]) in features.pairs_beside([(rows["collage"], part)])


def test_only_a_picture_with_room_beside_one_that_is_whole_has_parts() -> None:
    assert parts_of(
        {(0, 1): copy(LEFT), (2, 3): copy(WHOLE, LEFT), (4, 5): copy(WHOLE), (6, 7): copy(LEFT, RIGHT)}
    ) == [
        (0, LEFT),
        (3, LEFT),
    ]


def test_crops_that_overlap_are_of_one_picture() -> None:
    assert pairs_apart({(0, 1): copy(Box(0, 0, 0.6, 1)), (0, 2): copy(Box(0.4, 0, 1, 1))}) == set()


def test_parts_that_have_nothing_in_common_are_apart_whichever_is_the_query() -> None:
    assert pairs_apart({(0, 1): copy(LEFT), (0, 2): copy(RIGHT)}) == {(0, 1), (0, 2), (1, 2)}
    assert pairs_apart({(0, 2): copy(WHOLE, LEFT), (1, 2): copy(WHOLE, RIGHT)}) == {(0, 1), (0, 2), (1, 2)}


def test_one_picture_twice_beside_itself_is_one_picture() -> None:
    assert pairs_apart({(0, 1): copy(LEFT), (0, 2): copy(RIGHT), (1, 2): copy(WHOLE)}) == set()
