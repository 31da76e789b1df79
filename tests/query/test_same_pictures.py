"""Copies of one picture in a gallery: which are proven, what was done to them, and what is none."""

from pathlib import Path

import numpy as np
import pytest
from conftest import MODEL, draw
from PIL import Image, ImageChops, ImageEnhance, ImageOps
from scenes import draw_scene

from similarity import Gallery
from similarity.errors import SearchError
from similarity.images.keypoints import find_keypoints, mirror, mirror_keypoints
from similarity.query.close_agreement import agree_closely
from similarity.query.duplicate_groups import find_groups
from similarity.query.near_duplicates import Group
from similarity.query.proof import fit_in_place
from similarity.query.visual_words import WORDS, describe, learn_words

SCENE = draw_scene(1)
IN_PLACE = np.array([[1, 0, 0], [0, 1, 0]], np.float64)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Gallery:
    """Six scenes, of the first of which there are copies, and of the second a picture with another in its middle."""
    folder = tmp_path_factory.mktemp("scenes")
    for seed in range(1, 7):
        draw_scene(seed).save(folder / f"scene-{seed}.jpg", quality=95)
    (folder / "exact.jpg").write_bytes((folder / "scene-1.jpg").read_bytes())
    SCENE.rotate(90, expand=True).save(folder / "turned.jpg")
    mirror(SCENE).save(folder / "mirrored.jpg")
    SCENE.crop((40, 40, 360, 440)).save(folder / "cropped.jpg")
    ImageOps.grayscale(SCENE).resize((160, 200)).save(folder / "grey.jpg")
    other = draw_scene(2)
    other.paste(draw_scene(7, (240, 300)), (80, 100))
    other.save(folder / "changed.jpg")
    return Gallery.build(folder, folder.parent / "gallery", model=MODEL)


def names(group: Group) -> set[str]:
    return {Path(file.path).stem for file in group.files}


def test_copies_that_are_turned_mirrored_cropped_or_grey_are_one_group_and_a_changed_picture_is_none(
    scenes: Gallery,
) -> None:
    (group,) = scenes.duplicates(preset="same")
    assert names(group) == {"scene-1", "exact", "turned", "mirrored", "cropped", "grey"}
    assert not group.is_exact
    assert len(group.copies) == len(group.files)
    assert group.copies[0] is None


def test_what_was_done_to_each_file_is_said_as_seen_from_the_first(scenes: Gallery) -> None:
    (group,) = scenes.duplicates(preset="same")
    of = {Path(file.path).stem: copy for file, copy in zip(group.files, group.copies, strict=True)}
    first = Path(group.files[0].path).stem
    assert first in ("scene-1", "exact")
    assert of["scene-1"] is None
    assert of["exact"] is None
    turned, mirrored, cropped = of["turned"], of["mirrored"], of["cropped"]
    assert turned
    assert mirrored
    assert cropped
    assert (round(turned.rotation), turned.mirrored) == (-90, False), "counter-clockwise, as Pillow turns"
    assert (round(mirrored.rotation), mirrored.mirrored) == (0, True)
    assert cropped.result_box.left == pytest.approx(0.1, abs=0.02), "the part of the first that it shows"
    assert cropped.query_box.right - cropped.query_box.left > 0.98


def test_exact_copies_are_a_preset_of_their_own(scenes: Gallery) -> None:
    (group,) = scenes.duplicates(preset="exact")
    assert names(group) == {"scene-1", "exact"}
    assert group.is_exact
    assert group.copies == [None, None]


def test_look_alikes_are_what_is_found_without_a_preset(scenes: Gallery) -> None:
    assert scenes.duplicates(0.9) == scenes.duplicates(0.9, preset="look-alikes")


def test_an_unknown_preset_is_refused_in_a_sentence(scenes: Gallery) -> None:
    with pytest.raises(SearchError, match="'alike' is not one of exact, same, look-alikes"):
        find_groups(scenes, "alike")  # type: ignore[arg-type]


def test_a_picture_without_a_point_is_no_copy_of_another(tmp_path: Path) -> None:
    for number in range(3):
        Image.new("RGB", (200, 200), (200, 200, 60 * number)).save(tmp_path / f"{number}.png")
    assert Gallery.build(tmp_path, tmp_path / "gallery", model=MODEL).duplicates(preset="same") == []


def test_the_points_of_a_mirror_image_follow_from_those_of_the_picture() -> None:
    followed, found = mirror_keypoints(find_keypoints(SCENE)), find_keypoints(mirror(SCENE))
    cosines = followed.descriptors @ found.descriptors.T
    nearest = cosines.argmax(axis=1)
    is_same = np.abs(followed.positions - found.positions[nearest]).max(axis=1) < 2
    assert is_same.mean() > 0.8
    assert np.median(cosines.max(axis=1)) > 0.98


def test_one_vector_for_all_points_is_nearly_the_same_for_a_turned_picture_only() -> None:
    keypoints = [find_keypoints(picture) for picture in (SCENE, SCENE.rotate(90, expand=True), draw_scene(2))]
    words = learn_words(keypoints)
    assert words.shape == (WORDS, 128)
    picture, turned, other = (describe(one, words) for one in keypoints)
    assert picture @ turned > 0.35 > picture @ other
    assert learn_words([]).shape == (1, 128)


def test_a_pattern_of_equal_shapes_is_matched_in_place() -> None:
    dots = draw("dots", 1)
    fitted = fit_in_place(find_keypoints(dots), find_keypoints(dots.resize((120, 160))))
    assert fitted is not None
    assert fitted.matrix[0, 0] == pytest.approx(1)
    assert fit_in_place(find_keypoints(dots), find_keypoints(draw("rings", 2))) is None
    assert fit_in_place(find_keypoints(dots), find_keypoints(dots.rotate(90, expand=True))) is None


def agree(one: Image.Image, other: Image.Image) -> bool:
    return agree_closely(np.asarray(one), np.asarray(other), IN_PLACE)


def test_a_change_of_the_whole_picture_leaves_it_the_same() -> None:
    assert agree(SCENE, SCENE)
    assert agree(SCENE, ImageOps.grayscale(SCENE).convert("RGB"))
    assert agree(ImageOps.grayscale(SCENE).convert("RGB"), SCENE)
    assert agree(SCENE, ImageEnhance.Color(SCENE).enhance(0.6))
    assert agree(SCENE, ImageEnhance.Brightness(SCENE).enhance(0.8))


def test_another_colour_of_a_part_makes_it_another_picture() -> None:
    """As with two colours of one product: all edges are where they were."""
    garment = Image.new("RGB", (320, 320), (190, 190, 185))
    garment.paste(draw("stripes", 3).resize((320, 320)), (0, 0), Image.new("L", (320, 320), 40))
    red, blue = garment.copy(), garment.copy()
    shape = ImageOps.expand(Image.new("L", (160, 200), 255), (80, 60))
    red.paste(ImageChops.multiply(garment, Image.new("RGB", garment.size, (210, 60, 60))), (0, 0), shape)
    blue.paste(ImageChops.multiply(garment, Image.new("RGB", garment.size, (60, 80, 210))), (0, 0), shape)
    assert agree(red, red)
    assert not agree(red, blue)
    assert not agree(blue, red)


def test_another_thing_on_the_same_ground_makes_it_another_picture() -> None:
    other = SCENE.copy()
    other.paste(draw_scene(3, (200, 200)), (100, 150))
    assert not agree(SCENE, other)


def test_copies_are_hidden_from_results_and_told_of_a_picture(scenes: Gallery) -> None:
    vector = scenes.vector("scene-1.jpg")
    everything = {hit.item.id for hit in scenes.search_vector(vector, 20)}
    shown = {hit.item.id for hit in scenes.search_vector(vector, 20, distinct=True)}
    copies = {"scene-1.jpg", "turned.jpg", "mirrored.jpg", "cropped.jpg", "grey.jpg"}
    hidden = everything - shown
    assert {"mirrored.jpg", "turned.jpg"} - {max(shown & copies)} <= hidden <= copies
    near = {hit.item.id for hit in scenes.near_identical("mirrored.jpg", 10)}
    assert near
    assert near < {*copies, "exact.jpg"}


def test_one_of_each_product_is_shown_where_a_column_says_which_they_are(tmp_path: Path) -> None:
    rows = ["path,product"]
    for number, product in enumerate(["a", "b", "a", "", "", "b"]):
        draw_scene(number).save(tmp_path / f"{number}.jpg")
        rows.append(f"{number}.jpg,{product}")
    (tmp_path / "pictures.csv").write_text("\n".join(rows) + "\n")
    gallery = Gallery.build(tmp_path / "pictures.csv", tmp_path / "gallery", model=MODEL)
    vector = gallery.vectors[2]
    hits = gallery.search_vector(vector, 6, one_per_product=True)
    assert hits[0].item.path.endswith("2.jpg")
    assert sorted(hit.item.metadata.get("product", "") for hit in hits) == ["", "", "a", "b"]
    assert len(gallery.search_vector(vector, 2, one_per_product=True)) == 2


def test_one_of_each_product_hides_copies_too_though_turned_they_look_like_no_other(scenes: Gallery) -> None:
    vector = scenes.vector("scene-1.jpg")
    without_copies = {hit.item.id for hit in scenes.search_vector(vector, 20, distinct=True)}
    products = {hit.item.id for hit in scenes.search_vector(vector, 20, one_per_product=True)}
    assert "turned.jpg" not in products
    assert products <= without_copies


def test_of_named_products_copies_are_hidden_where_that_is_asked_for_too(tmp_path: Path) -> None:
    draw_scene(1).save(tmp_path / "0.jpg")
    draw_scene(1).rotate(90, expand=True).save(tmp_path / "1.jpg")
    rows = ["path,product", "0.jpg,a", "1.jpg,b"]
    for number in range(2, 6):
        draw_scene(number).save(tmp_path / f"{number}.jpg")
        rows.append(f"{number}.jpg,b")
    (tmp_path / "pictures.csv").write_text("\n".join(rows) + "\n")
    gallery = Gallery.build(tmp_path / "pictures.csv", tmp_path / "gallery", model=MODEL)
    vector = gallery.vectors[0]
    both = [Path(hit.item.path).name for hit in gallery.search_vector(vector, 3, one_per_product=True, distinct=True)]
    assert both[0] == "0.jpg"
    assert len(both) == 2
    assert "1.jpg" not in both
