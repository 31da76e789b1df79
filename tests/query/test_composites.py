"""Collages: what they are made of is not one picture, and a crop of a picture is."""

from pathlib import Path

from conftest import MODEL
from PIL import Image, ImageOps
from scenes import draw_scene

from similarity import Gallery
from similarity.images.picture import Box
from similarity.query.composites import pairs_apart
from similarity.query.copies import Copy

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


def test_crops_that_overlap_are_of_one_picture() -> None:
    assert pairs_apart({(0, 1): copy(Box(0, 0, 0.6, 1)), (0, 2): copy(Box(0.4, 0, 1, 1))}) == set()


def test_parts_that_have_nothing_in_common_are_apart_whichever_is_the_query() -> None:
    assert pairs_apart({(0, 1): copy(LEFT), (0, 2): copy(RIGHT)}) == {(0, 1), (0, 2), (1, 2)}
    assert pairs_apart({(0, 2): copy(WHOLE, LEFT), (1, 2): copy(WHOLE, RIGHT)}) == {(0, 1), (0, 2), (1, 2)}


def test_one_picture_twice_beside_itself_is_one_picture() -> None:
    assert pairs_apart({(0, 1): copy(LEFT), (0, 2): copy(RIGHT), (1, 2): copy(WHOLE)}) == set()
