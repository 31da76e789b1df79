"""The second look: which candidates are the query's very picture, and what was done to it."""

from dataclasses import replace
from pathlib import Path

import pytest
from conftest import MODEL, draw
from PIL import Image, ImageDraw, ImageFilter
from scenes import draw_scene

from similarity import Examples, Gallery, Hit, Item, Text
from similarity.errors import SearchError
from similarity.images.keypoints import find_keypoints, grey_pixels, mirror
from similarity.images.picture import Box
from similarity.query.copies import Copy, QueryKeypoints, find_copies, put_copies_first
from similarity.storage.thumbnails import drop_thumbnails

SOURCE = draw_scene(1)
OTHERS = [draw_scene(seed) for seed in (2, 3)]


def look(query: Image.Image, *pictures: Image.Image) -> list[Copy | None]:
    """Look at pictures a second time."""
    found = {str(number): find_keypoints(picture) for number, picture in enumerate(pictures)}
    items = [Item(id=name, path=name, label=None) for name in found]
    return find_copies(
        QueryKeypoints.of(query),
        items,
        keypoints_of=lambda item: found[item.id],
        pixels_of=lambda item: grey_pixels(pictures[int(item.id)]),
    )


def proven(query: Image.Image, picture: Image.Image = SOURCE) -> Copy:
    """The copy that a picture is called."""
    [copy] = look(query, picture)
    assert copy is not None
    assert copy.is_proven
    return copy


def assert_box(box: Box, *sides: float) -> None:
    assert (box.left, box.top, box.right, box.bottom) == pytest.approx(sides, abs=0.03)


@pytest.mark.parametrize("degrees", [90, 180, 15])
def test_a_turned_picture_is_the_same_and_the_turn_is_said(degrees: int) -> None:
    copy = proven(SOURCE.rotate(-degrees, Image.Resampling.BICUBIC, expand=True))
    assert (copy.rotation - degrees + 180) % 360 - 180 == pytest.approx(0, abs=1)
    assert not copy.mirrored
    assert_box(copy.result_box, 0, 0, 1, 1)


def test_a_mirrored_picture_is_the_same_and_that_is_said() -> None:
    copy = proven(mirror(SOURCE))
    assert copy.mirrored
    assert copy.rotation == pytest.approx(0, abs=1)
    assert_box(copy.query_box, 0, 0, 1, 1)


def test_of_a_crop_the_part_is_said() -> None:
    copy = proven(SOURCE.crop((200, 100, 400, 350)))
    assert_box(copy.query_box, 0, 0, 1, 1)
    assert_box(copy.result_box, 0.5, 0.2, 1, 0.7)


def test_of_a_collage_both_halves_are_found_in_their_places() -> None:
    collage = Image.new("RGB", (800, 500))
    collage.paste(SOURCE, (0, 0))
    collage.paste(OTHERS[0], (400, 0))
    left, right, neither = look(collage, SOURCE, *OTHERS)
    assert left is not None
    assert right is not None
    assert_box(left.query_box, 0, 0, 0.5, 1)
    assert_box(right.query_box, 0.5, 0, 1, 1)
    assert neither is None or not neither.is_proven


def test_the_box_in_a_mirrored_query_is_that_of_the_query_as_it_is() -> None:
    collage = Image.new("RGB", (800, 500), "white")
    collage.paste(mirror(SOURCE), (0, 0))
    copy = proven(collage)
    assert copy.mirrored
    assert_box(copy.query_box, 0, 0, 0.5, 1)


def test_a_blurred_or_small_picture_is_the_same() -> None:
    assert proven(SOURCE.filter(ImageFilter.GaussianBlur(3))).rotation == pytest.approx(0, abs=2)
    assert proven(SOURCE.resize((64, 80), Image.Resampling.LANCZOS)).rotation == pytest.approx(0, abs=2)


@pytest.mark.parametrize("kind", ["dots", "rings", "stripes"])
def test_another_picture_with_the_same_pattern_is_not_called_the_same(kind: str) -> None:
    others = look(draw(kind, 1), draw(kind, 2), draw(kind, 3), SOURCE)
    assert not [copy for copy in others if copy is not None and copy.is_proven]


def test_pictures_with_the_same_logo_are_not_called_the_same() -> None:
    logo = draw_scene(9).resize((80, 80))
    one, other = SOURCE.copy(), OTHERS[0].copy()
    for picture in (one, other):
        picture.paste(logo, (10, 10))
    [copy] = look(one, other)
    assert copy is None


def test_different_things_on_the_same_background_are_not_called_the_same() -> None:
    one, other = SOURCE.copy(), SOURCE.copy()
    for picture, seed in ((one, 20), (other, 21)):
        picture.paste(draw_scene(seed, (260, 330)), (70, 90))
    assert look(one, other) == [None]


def test_two_small_things_on_one_rug_are_not_called_the_same() -> None:
    rug = Image.blend(SOURCE, Image.new("RGB", SOURCE.size, "grey"), 0.7)
    one, other = rug.copy(), rug.copy()
    for picture, box in ((one, (160, 200, 240, 280)), (other, (170, 170, 230, 300))):
        ImageDraw.Draw(picture).ellipse(box, fill="white", outline="black", width=6)
    assert proven(rug.rotate(20), rug)
    assert look(one.rotate(20), other) == [None]


def test_two_views_of_one_floor_are_not_called_the_same_for_the_strip_that_both_show() -> None:
    floor = draw_scene(30, (400, 900))
    assert look(floor.crop((0, 0, 400, 500)), floor.crop((0, 400, 400, 900))) == [None]


def test_a_copy_with_a_banner_over_a_part_of_it_is_the_same() -> None:
    covered = SOURCE.copy()
    ImageDraw.Draw(covered).rectangle((0, 425, 400, 500), fill="red")
    assert proven(covered).rotation == pytest.approx(0, abs=1)


def test_a_plain_picture_is_a_copy_of_nothing() -> None:
    assert look(Image.new("RGB", (300, 300), "grey"), SOURCE, Image.new("RGB", (300, 300), "grey")) == [None, None]


def test_a_picture_with_a_single_point_matches_nothing() -> None:
    dot = Image.new("RGB", (320, 320), "white")
    ImageDraw.Draw(dot).ellipse((150, 150, 170, 170), fill="black")
    assert look(SOURCE, dot) == [None]
    assert look(dot, SOURCE) == [None]


def test_proven_copies_come_first_and_other_hits_keep_their_order() -> None:
    hits = [Hit(rank, 1 - rank / 10, Item(id=str(rank), path=str(rank), label=None)) for rank in (1, 2, 3, 4)]
    whole = Box(0, 0, 1, 1)
    found = [Copy(share, 0, False, whole, whole, inliers) for share, inliers in ((0.4, 5), (0.99, 20), (1, 90))]
    copies = [None, *found]
    pairs = put_copies_first(hits, copies)
    assert [hit.item.id for hit, _ in pairs] == ["4", "3", "1", "2"]
    assert [hit.rank for hit, _ in pairs] == [1, 2, 3, 4]


@pytest.fixture
def gallery(tmp_path: Path) -> Gallery:
    """A gallery of four scenes."""
    folder = tmp_path / "scenes"
    folder.mkdir()
    for seed in range(4):
        draw_scene(seed).save(folder / f"{seed}.png")
    return Gallery.build(folder, tmp_path / "gallery", model=MODEL)


def stored(gallery: Gallery) -> dict[str, bytes]:
    """The files of local features, by name."""
    return {path.name: path.read_bytes() for path in (gallery.directory / "thumbnails").rglob("*.sift*")}


def test_features_are_stored_when_they_are_first_needed_and_damaged_ones_are_made_anew(gallery: Gallery) -> None:
    assert stored(gallery) == {}
    query = gallery.encode(draw_scene(2).rotate(90, expand=True))
    hits = gallery.search(query, 4)
    before = gallery.find_copies(query, hits)
    assert [copy.is_proven for hit, copy in zip(hits, before, strict=True) if copy and hit.item.id == "2.png"] == [True]
    files = stored(gallery)
    assert sorted(files) == sorted(f"{item.sha256}.sift" for item in gallery.items)
    for number, path in enumerate((gallery.directory / "thumbnails").rglob("*.sift")):
        if number % 2:
            path.write_bytes(path.read_bytes()[:50])
        else:
            path.unlink()
            path.symlink_to("/dev/zero")
    assert gallery.find_copies(query, hits) == before
    assert stored(gallery) == files


def test_features_leave_with_their_pictures(gallery: Gallery) -> None:
    query = gallery.encode(draw_scene(2))
    gallery.find_copies(query, gallery.search(query, 4))
    kept = gallery.find("3.png").sha256
    drop_thumbnails(gallery.directory, kept=[kept])
    assert list(stored(gallery)) == [f"{kept}.sift"]


def test_a_picture_that_is_gone_with_its_thumbnail_stores_nothing(gallery: Gallery) -> None:
    item = gallery.find("1.png")
    Path(item.path).unlink()
    (gallery.directory / "thumbnails" / item.sha256[:2] / f"{item.sha256}.jpg").unlink()
    query = gallery.encode(draw_scene(1))
    hits = gallery.search(query, 4)
    assert gallery.find_copies(query, hits)[[hit.item.id for hit in hits].index("1.png")] is None
    assert f"{item.sha256}.sift" not in stored(gallery)


def test_words_alone_have_no_copies(gallery: Gallery) -> None:
    query = replace(gallery.encode(draw_scene(1)), examples=Examples([Text("a scene")]))
    with pytest.raises(SearchError, match="Words have no pixels"):
        gallery.find_copies(query, [])
