"""Copies on the search page: the badge, the order, the outlines, the switch, and that results never depend on it."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import MODEL
from pages import address, components, open_app, ranking, texts
from PIL import Image
from scenes import draw_scene
from streamlit.testing.v1 import AppTest

from similarity import Gallery
from similarity.app.search import confidence, copies, explanation, exports
from similarity.app.shell.parameters import Link, Part
from similarity.service.visitor import Visitor

SCENE = 3
BADGE = "Same picture: yours is cropped, turned 90° right"


def altered() -> bytes:
    """A part of a scene, turned by 90 degrees, as a PNG."""
    file = io.BytesIO()
    draw_scene(SCENE).crop((40, 100, 380, 450)).transpose(Image.Transpose.ROTATE_270).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def scenes(empty_home: Path, tmp_path: Path) -> Gallery:
    """A gallery of scenes, each of which has local features."""
    folder = tmp_path / "scenes"
    folder.mkdir()
    for seed in range(12):
        draw_scene(seed).save(folder / f"{seed}.png")
    return Gallery.build(folder, empty_home / "galleries" / "scenes", model=MODEL)


def upload(**parameters: str) -> AppTest:
    """The page with an uploaded query that a scene of the gallery was altered to."""
    page = open_app(gallery="scenes", **parameters).run()
    return page.file_uploader[0].upload("a.png", altered(), "image/png").run()


def look_closer(page: AppTest, item_id: str) -> AppTest:
    page.query_params["open"] = item_id
    return page.run()


def count_looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many hits each second look from now on has looked at."""
    counted: list[int] = []
    real = copies.look_again

    def noted(gallery: Any, query: Any, hits: Any) -> Any:
        counted.append(len(hits))
        return real(gallery, query, hits)

    monkeypatch.setattr(copies, "look_again", noted)
    return counted


@pytest.mark.usefixtures("scenes")
def test_a_copy_comes_first_with_a_badge_and_a_line_in_place_of_a_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confidence, "find_verdict", lambda *_: pytest.fail("scores may say that nothing is like it"))
    page = upload()
    assert not page.exception
    first, *others = ranking(page)
    assert (first["name"], first["rank"], first["copy"]) == (f"{SCENE}.png", "1", BADGE)
    assert not any("copy" in tile for tile in others)
    assert "This very picture is in the gallery:** one result shows it." in texts(page)
    assert [tile["rank"] for tile in others] == [str(rank) for rank in range(2, 13)]


@pytest.mark.usefixtures("scenes")
def test_the_querys_very_file_is_marked_whatever_a_second_look_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "look_again", lambda *asked: [None] * len(asked[2]))
    page = open_app(gallery="scenes", like=f"item:{SCENE}.png").run()
    first, *others = ranking(page)
    assert (first["name"], first["copy"]) == (f"{SCENE}.png", "Same picture")
    assert not any("copy" in tile for tile in others)
    assert "This very picture is in the gallery:** one result shows it." in texts(page)


@pytest.mark.exhaustive
@pytest.mark.usefixtures("scenes")
def test_the_switch_turns_it_off_and_stands_in_the_address_only_then(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = count_looks(monkeypatch)
    page = upload()
    assert "copies" not in address(page)
    assert looks == [12]
    page.toggle(key="copies").set_value(False).run()
    assert address(page)["copies"] == ["0"]
    assert not any("copy" in tile for tile in ranking(page))
    assert looks == [12]
    page.toggle(key="copies").set_value(True).run()
    assert "copies" not in address(page)
    assert ranking(page)[0]["copy"] == BADGE


@pytest.mark.exhaustive
def test_redrawing_paging_and_sorting_look_no_second_time(scenes: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = count_looks(monkeypatch)
    page = upload()
    page.run()
    page.query_params["page"] = "2"
    page.run()
    page.query_params["sort"] = "width"
    page.run()
    assert not page.exception
    assert looks == [12]
    page.slider(key="min").set_value(0.05).run()
    assert len(looks) <= 2, "other conditions may leave other results"
    scenes.remove(ids=["0.png"])
    page.run()
    assert looks[-1] <= 11, "the gallery has changed"
    assert len(looks) >= 2


@pytest.mark.exhaustive
@pytest.mark.usefixtures("scenes")
def test_of_a_query_that_is_cut_out_of_a_picture_the_boxes_are_those_of_the_part() -> None:
    page = open_app(gallery="scenes", like=f"item:{SCENE}.png@10,10,70,60").run()
    first = ranking(page)[0]
    assert (first["name"], first["copy"]) == (f"{SCENE}.png", "Same picture: yours is cropped")
    look_closer(page, f"{SCENE}.png")
    assert "Same picture.** Yours is cropped. The outlines show what both have in common." in texts(page)
    page.session_state[explanation.VIEW] = explanation.WHY
    look_closer(page, f"{SCENE}.png")
    (drawn,) = components(page, "similarity_heat")
    assert drawn["query"]["match"] == pytest.approx([0, 0, 1, 1], abs=0.03)
    assert drawn["result"]["match"] == pytest.approx([0.1, 0.1, 0.7, 0.6], abs=0.03)


@pytest.mark.exhaustive
@pytest.mark.usefixtures("scenes")
def test_another_picture_has_neither_badge_nor_outline_nor_line() -> None:
    page = upload()
    other = ranking(page)[1]["name"]
    look_closer(page, other)
    assert "outlines" not in texts(page)
    page.session_state[explanation.VIEW] = explanation.WHY
    look_closer(page, other)
    (drawn,) = components(page, "similarity_heat")
    assert drawn["query"]["match"] is None


def test_words_have_no_second_look_and_no_switch() -> None:
    words = Link(like=(Part("text", "a hat"), Part("item", "3.png")))
    assert not copies.can_have_copies(words)
    assert not copies.can_have_copies(Link())
    assert not copies.can_have_copies(Link(like=(Part("item", "3.png"), Part("text", "a hat")))), (
        "something else is asked"
    )
    assert copies.can_have_copies(Link(like=(Part("item", "3.png"), Part("item", "4.png"))))


def test_results_appear_though_pictures_and_thumbnails_are_gone_or_damaged(scenes: Gallery) -> None:
    for number, item in enumerate(scenes.items):
        thumbnail = scenes.directory / "thumbnails" / item.sha256[:2] / f"{item.sha256}.jpg"
        thumbnail.write_bytes(b"\xff\xd8" + thumbnail.read_bytes()[2:200] + b"\xff\xd9") if number % 2 else None
        if number % 2 == 0:
            thumbnail.unlink()
        Path(item.path).unlink()
    page = upload()
    assert not page.exception
    assert len(ranking(page)) >= 10
    assert not list(scenes.directory.rglob("*.sift"))


@pytest.mark.usefixtures("scenes")
def test_results_appear_though_there_can_be_no_second_look(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "not yours")

    monkeypatch.setattr(copies, "look_again", refuse)
    page = upload()
    assert not page.exception
    assert len(ranking(page)) >= 10
    same = open_app(gallery="scenes", like=f"item:{SCENE}.png").run()
    assert ranking(same)[0]["copy"] == "Same picture", "the very file is known without one"


def test_files_of_the_results_say_what_was_found(scenes: Gallery) -> None:
    hits = scenes.search(altered(), 3)
    query = scenes.encode(altered())
    copy, *_ = scenes.find_copies(query, [hit for hit in scenes.search(query, 12) if hit.item.id == f"{SCENE}.png"])
    assert copy is not None
    places = [hit.item.id for hit in hits]
    found = copies.Found(True, {places[1]: copy})
    export = exports.Export(scenes, hits, [], places, str, Visitor(), None, found)
    rows = list(csv.DictReader(io.StringIO(export.csv().decode("utf-8-sig"))))
    assert [row["copy"] for row in rows] == ["", "same picture: cropped, turned 90° right", ""]
    told = [hit["copy"] for hit in json.loads(export.json())["hits"]]
    assert [told[0], told[2]] == [None, None]
    assert set(told[1]) == {"probability", "rotation", "mirrored", "query_box", "result_box"}
    without = exports.Export(scenes, hits, [], places, str, Visitor())
    assert all("copy" not in hit for hit in json.loads(without.json())["hits"])


def test_an_outline_is_drawn_around_a_part_and_nowhere_else(scenes: Gallery) -> None:
    jpeg = scenes.thumbnail(scenes.items[0])
    assert copies.outlined(jpeg, None) == jpeg
    hits = scenes.search(altered(), 12)
    copy, *_ = scenes.find_copies(scenes.encode(altered()), [hit for hit in hits if hit.item.id == f"{SCENE}.png"])
    assert copy is not None
    drawn = Image.open(io.BytesIO(copies.outlined(scenes.thumbnail(scenes.find(f"{SCENE}.png")), copy.result_box)))
    before = Image.open(io.BytesIO(scenes.thumbnail(scenes.find(f"{SCENE}.png")))).resize(drawn.size)
    changed = np.abs(np.asarray(drawn, int) - np.asarray(before, int)).max(axis=2) > 90
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    width, height = drawn.size
    assert rows.min() / height == pytest.approx(0.2, abs=0.03)
    assert columns.min() / width == pytest.approx(0.1, abs=0.03)
    assert not changed[int(0.4 * height) : int(0.6 * height), int(0.3 * width) : int(0.6 * width)].any()


@pytest.mark.exhaustive
@pytest.mark.usefixtures("scenes")
def test_of_a_collage_parts_are_said_to_be_in_the_gallery() -> None:
    collage = Image.new("RGB", (800, 500))
    collage.paste(draw_scene(1), (0, 0))
    collage.paste(draw_scene(2), (400, 0))
    file = io.BytesIO()
    collage.save(file, "PNG")
    page = open_app(gallery="scenes").run()
    page.file_uploader[0].upload("a.png", file.getvalue(), "image/png").run()
    assert {tile["name"] for tile in ranking(page)[:2]} == {"1.png", "2.png"}
    assert ranking(page)[0]["copy"] == "Part of your picture"
    assert "Parts of your picture are in the gallery:** 2 results show them." in texts(page)
