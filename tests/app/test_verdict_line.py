"""The line above the results where copies of the query are among them, and what files of the results say of a turn."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import MODEL
from pages import address, components, open_app, ranking, texts
from PIL import Image
from scenes import draw_scene
from streamlit.testing.v1 import AppTest

from similarity import Gallery
from similarity.app.search import copies, exports, turns, verdicts
from similarity.app.serving import query_objects
from similarity.images.picture import Box
from similarity.service.visitor import Visitor

SCENE, FOUND = 3, "This very picture is in the gallery"
PARTS = [Box(0.0, 0.0, 0.5, 1.0), Box(0.5, 0.0, 1.0, 1.0)]


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Boxes that a test gives are not those of another test."""
    query_objects.find.clear()
    yield
    query_objects.find.clear()


@pytest.fixture
def scenes(empty_home: Path, tmp_path: Path) -> Gallery:
    """A gallery of scenes, each a little larger than the one before."""
    folder = tmp_path / "scenes"
    folder.mkdir()
    for seed in range(12):
        scene = draw_scene(seed)
        scene.resize((scene.width + 4 * seed, scene.height + 5 * seed)).save(folder / f"{seed:02}.png")
    return Gallery.build(folder, empty_home / "galleries" / "scenes", model=MODEL)


def lying(*numbers: int) -> bytes:
    """Scenes side by side; one alone lies on its side."""
    pictures = [draw_scene(number) for number in numbers]
    drawn = Image.new("RGB", (len(pictures) * pictures[0].width, pictures[0].height))
    for place, picture in enumerate(pictures):
        drawn.paste(picture, (place * picture.width, 0))
    file = io.BytesIO()
    (drawn.transpose(Image.Transpose.ROTATE_270) if len(pictures) == 1 else drawn).save(file, "PNG")
    return file.getvalue()


def upload(data: bytes, **parameters: str) -> AppTest:
    page = open_app(gallery="scenes", **parameters).run()
    return page.file_uploader[0].upload("a.png", data, "image/png").run()


@pytest.mark.usefixtures("scenes")
def test_the_verdict_leads_to_a_copy_that_is_out_of_sight(monkeypatch: pytest.MonkeyPatch) -> None:
    page = upload(lying(SCENE))
    scores = [tile["score"] for tile in ranking(page)]
    assert ("Copies first, then most similar" in texts(page)) == (scores[0] < scores[1])
    assert f"{FOUND}:** one result shows it." in texts(page)
    assert not [button for button in page.button if button.key == "place-of-copy"], "it is in sight"
    monkeypatch.setattr(verdicts, "IN_SIGHT", 1)
    page.query_params["sort"] = "width"
    page.query_params["page"] = "2"
    page.run()
    assert components(page, "similarity_tiles")[0]["listing"]["at"] == 10
    page.button(key="place-of-copy").click().run()
    assert components(page, "similarity_tiles")[0]["listing"]["at"] == 0
    assert not [button for button in page.button if button.key == "place-of-copy"]


@pytest.mark.usefixtures("scenes")
def test_the_heading_does_not_name_copies_that_are_the_most_similar_anyway() -> None:
    page = open_app(gallery="scenes", like=f"item:{SCENE:02}.png").run()
    assert f"{FOUND}:** one result shows it." in texts(page)
    assert "**Most similar first**" in texts(page)


@pytest.mark.usefixtures("scenes")
def test_in_another_order_the_verdict_says_where_the_copy_is() -> None:
    page = upload(lying(SCENE))
    page.query_params["sort"] = "-width"
    page.run()
    places = [tile["name"] for tile in ranking(page)]
    place = places.index(f"{SCENE:02}.png") + 1
    assert f"one result shows it, number {place} in this order." in texts(page)
    assert "Ordered by width, high to low" in texts(page)


@pytest.mark.usefixtures("scenes")
def test_the_verdict_stays_when_the_copy_becomes_an_example() -> None:
    page = upload(lying(SCENE))
    page.query_params["like"] = [*address(page)["like"], f"item:{SCENE:02}.png"]
    page.run()
    assert not page.exception
    assert f"{FOUND}:** one result shows it." in texts(page)


def test_a_copy_and_the_files_tell_the_same_whatever_turn_is_searched_with(
    scenes: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    badges = {}
    for degrees in (0, 270):
        monkeypatch.setattr(turns, "choose_turn", lambda *_, chosen=degrees: chosen)
        page = upload(lying(SCENE), turned="1")
        page.query_params["turned"] = "1"
        page.run()
        assert not page.exception
        badges[degrees] = ranking(page)[0]["copy"]
        assert ("Search it as it is" in [button.label for button in page.button]) == bool(degrees)
    assert set(badges.values()) == {"Same picture: yours is turned 90° right"}
    hits = scenes.search(lying(SCENE), 3)
    export = exports.Export(scenes, hits, [], [hit.item.id for hit in hits], str, Visitor(), turned=270)
    assert json.loads(export.json())["turned"] == 270
    assert "turned" not in json.loads(exports.Export(scenes, hits, [], ["", "", ""], str, Visitor()).json())


@pytest.mark.exhaustive
@pytest.mark.usefixtures("scenes")
def test_each_object_has_its_copy_first_and_one_way_back_to_the_whole_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("similarity.query.objects.find_objects", lambda *_: list(PARTS))
    page = upload(lying(1, 2))
    page.query_params["objects"] = "1"
    page.run()
    assert not page.exception
    rows = [data["tiles"] for data in components(page, "similarity_tiles") if data["small"]]
    assert [(row[0]["name"], row[0]["copy"]) for row in rows] == [
        ("01.png", "Same picture"),
        ("02.png", "Same picture"),
    ]
    page.toggle(key="copies").set_value(False).run()
    rows = [data["tiles"] for data in components(page, "similarity_tiles") if data["small"]]
    assert not any("copy" in tile for row in rows for tile in row)
    (drawn,) = components(page, "similarity_chips")
    assert drawn["chips"][0]["name"] == "The whole picture"
    assert not any(button.label == "Use the whole picture" for button in page.button)


def test_a_part_is_outlined_where_it_is_in_the_turned_query(scenes: Gallery) -> None:
    query = scenes.encode(lying(SCENE))
    [copy] = [one for one in scenes.find_copies(query, scenes.search(query, 12)) if one and one.is_proven]
    found = copies.Found(True, {"03.png": copy})
    assert found.of("03.png") is copy
    assert copies.badge(copy) == "Same picture: yours is turned 90° right"
    assert copies.explain(copy) == "**Same picture.** Yours is turned 90° right. Both show the whole picture."
