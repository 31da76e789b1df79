"""The map page, driven without a browser."""

import base64
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import MODEL
from pages import components, draw_alone, errors, texts
from streamlit.testing.v1 import AppTest

from similarity import Gallery
from similarity.app.map import background as map_making
from similarity.app.map import layout, message, selection, sheet_routes
from similarity.app.map.clusters import Cluster
from similarity.app.shell import navigation
from similarity.app.shell.gallery_choice import CHOSEN
from similarity.storage.current import live_state


def _page() -> None:
    from similarity.app.map import page as map_page

    map_page.show()


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> AppTest:
    return draw_alone(_page, monkeypatch)


@pytest.fixture
def mine(own_pictures: Path, empty_home: Path) -> Gallery:
    return Gallery.build(own_pictures, empty_home / "galleries" / "mine", model=MODEL)


def drawn(page: AppTest) -> dict[str, Any]:
    """What the map was told to draw."""
    (told,) = components(page, "similarity_atlas")
    return told


def numbers(text: str, kind: str = "<u2") -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), kind)


def select(page: AppTest, gallery: Gallery, places: Sequence[int]) -> None:
    """As a lasso does it."""
    page.session_state[selection.SELECTED] = (map_making.sheets_name(gallery), tuple(places))
    page.run()
    assert not page.exception


def button(page: AppTest, label: str) -> Any:
    return next(one for one in page.button if one.label == label)


def test_all_pictures_are_on_the_map_with_their_labels(page: AppTest, shapes: Gallery) -> None:
    page.run()
    assert not page.exception
    told = drawn(page)
    assert told["labels"] == ["dots", "rings", "stripes"]
    assert (
        len(told["names"]) == len(numbers(told["points"])) / 2 == len(numbers(told["sizes"], "u1")) / 2 == len(shapes)
    )
    assert numbers(told["labelOf"]).tolist() == [told["labels"].index(item.label) for item in shapes.items]
    assert "15 pictures" in texts(page)


@pytest.mark.usefixtures("shapes")
def test_the_map_is_described_for_who_cannot_see_it(page: AppTest) -> None:
    page.run()
    assert drawn(page)["alt"].startswith("Map of the 15 pictures of shapes")


def test_each_picture_has_the_address_of_its_thumbnail_and_of_its_sheet(page: AppTest, shapes: Gallery) -> None:
    page.run()
    told = drawn(page)
    assert told["picture"] == "/pictures/shapes/{sha256}.jpg"
    assert numbers(told["hashes"], "u1").tobytes().hex() == "".join(item.sha256 for item in shapes.items)
    assert told["names"][0] == "dots-0.jpg"
    (sheet,) = told["sheets"]
    assert sheet_routes.find("shapes", sheet.rsplit("/", 1)[1].removesuffix(".webp"))


def test_groups_have_names_of_their_own() -> None:
    places = np.split(np.arange(8), 4)
    middle = np.zeros(2, np.float32)
    groups = [Cluster(label, 0, own, middle) for label, own in zip(("a", "a", "", ""), places, strict=True)]
    names, mixed = message._names(groups, ["a", "a", "a", "a", "b", "c", "c", "d"])
    assert names == ["a 1", "a 2", "", ""]
    assert mixed == ["", "", "b, c", "c, d"]


def test_the_groups_of_a_map_are_listed_with_their_labels_and_have_all_pictures(page: AppTest, shapes: Gallery) -> None:
    page.run()
    groups = drawn(page)["clusters"]
    assert sum(group["count"] for group in groups) == len(shapes)
    assert {group["name"].rstrip(" 0123456789") for group in groups} <= {"dots", "rings", "stripes", ""}
    assert len(set(numbers(drawn(page)["clusterOf"]).tolist())) == len(groups)


def test_the_last_query_is_on_the_map_and_leads_back_to_its_results(page: AppTest, shapes: Gallery) -> None:
    parameters = {"gallery": "shapes", "like": ["item:dots/dots-1.jpg"]}
    jpeg = shapes.thumbnail(shapes.items[1])
    page.session_state["last_search"] = navigation.LastSearch(
        "shapes", live_state(shapes.directory), parameters, shapes.vectors[1], jpeg
    )
    page.run()
    assert not page.exception
    query = drawn(page)["query"]
    assert [query["x"], query["y"]] == pytest.approx(numbers(drawn(page)["points"])[2:4].tolist(), abs=650)
    assert query["nearest"][0] == 1, "its own picture is ringed first"
    button(page, "Back to the results").click().run()
    assert page.session_state["went"] == ("search", parameters)


def test_a_query_of_another_state_of_the_gallery_is_not_on_the_map(page: AppTest, shapes: Gallery) -> None:
    page.session_state["last_search"] = navigation.LastSearch("shapes", "older", {}, shapes.vectors[1], b"")
    page.run()
    assert drawn(page)["query"] is None


@pytest.mark.usefixtures("shapes")
def test_a_picture_that_is_found_by_name_is_the_one_that_the_map_shows(page: AppTest) -> None:
    page.run()
    assert drawn(page)["highlight"] is None
    page.selectbox[1].select_index(7).run()
    assert not page.exception
    assert drawn(page)["names"][drawn(page)["highlight"]] == "rings-2.jpg"


@pytest.mark.usefixtures("shapes")
def test_a_picture_that_is_chosen_on_the_map_is_searched_with(page: AppTest) -> None:
    page.session_state["map_opened"] = 7
    page.run()
    assert page.session_state["went"] == ("search", {"gallery": "shapes", "like": ["item:rings/rings-2.jpg"]})


def test_a_few_selected_pictures_are_all_searched_with(page: AppTest, shapes: Gallery) -> None:
    select(page, shapes, [5, 7, 8])
    assert "3 selected" in texts(page)
    assert message.decode_places(drawn(page)["selected"], 15) == (5, 7, 8)
    button(page, "Search with them").click().run()
    went, parameters = page.session_state["went"]
    assert went == "search"
    assert sorted(parameters["like"]) == [f"item:rings/rings-{number}.jpg" for number in (0, 2, 3)]


def test_of_many_selected_pictures_the_most_typical_are_searched_with(page: AppTest, shapes: Gallery) -> None:
    select(page, shapes, range(15))
    button(page, "Search with the 12 most typical").click().run()
    assert len(page.session_state["went"][1]["like"]) == 12


def test_a_selection_is_exported_as_results_are(page: AppTest, shapes: Gallery) -> None:
    select(page, shapes, [0, 1])
    labels = [one.proto.label for one in page.get("download_button")]
    assert labels == ["Table (CSV)", "Data (JSON)", "Pictures (ZIP)"]


def test_a_selection_can_be_cleared(page: AppTest, shapes: Gallery) -> None:
    select(page, shapes, [0, 1])
    button(page, "Clear").click().run()
    assert "selected" not in texts(page)
    assert message.decode_places(drawn(page)["selected"], 15) == ()


def test_a_selection_of_another_map_is_not_shown(page: AppTest, shapes: Gallery) -> None:
    page.session_state[selection.SELECTED] = ("of another", (1, 2))
    page.run()
    assert len(shapes) == 15
    assert "selected" not in texts(page)


def test_who_manages_galleries_labels_selected_pictures_and_undoes_it(page: AppTest, mine: Gallery) -> None:
    select(page, mine, [0, 6])
    page.selectbox(key=selection.LABEL_KEY).select("stripes")
    button(page, "Label 2 pictures").click().run()
    assert not page.exception
    assert [item.label for item in Gallery.open(mine.directory).items.at([0, 6])] == ["stripes", "stripes"]
    assert "now labelled" in texts(page)
    button(page, "Undo").click().run()
    assert [item.label for item in Gallery.open(mine.directory).items.at([0, 6])] == ["dots", "rings"]


def test_who_only_searches_can_export_but_not_label(
    page: AppTest, shapes: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("similarity.app.serving.access.may_manage", lambda: False)
    select(page, shapes, [0, 1])
    assert "Label 2 pictures" not in [one.label for one in page.button]
    assert page.get("download_button")


def test_the_gallery_is_in_the_address_and_an_unknown_one_is_said(page: AppTest, mine: Gallery) -> None:
    shutil.copytree(mine.directory, mine.directory.with_name("another"))
    page.query_params["gallery"] = "mine"
    page.run()
    assert page.selectbox[0].value == "mine"
    page.selectbox[0].select("another").run()
    assert page.query_params["gallery"] in ("another", ["another"])
    page.query_params["gallery"] = "<b>gone"
    page.run()
    assert not page.exception
    assert "There is no gallery named <b>gone." in texts(page)
    assert drawn(page)


def test_the_gallery_that_was_chosen_last_on_another_page_comes_first(page: AppTest, mine: Gallery) -> None:
    shutil.copytree(mine.directory, mine.directory.with_name("another"))
    page.session_state[CHOSEN] = "mine"
    page.run()
    assert page.selectbox[0].value == "mine"


@pytest.mark.usefixtures("empty_home")
def test_without_a_gallery_the_page_says_where_to_make_one(
    page: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("similarity.sample.FOLDER", tmp_path)
    page.run()
    assert not page.exception
    assert page.subheader[0].value == "There is no gallery yet"
    page.button[0].click().run()
    assert page.session_state["went"] == ("galleries", None)


def test_a_gallery_of_one_picture_has_a_map_of_one_point(page: AppTest, own_pictures: Path, empty_home: Path) -> None:
    Gallery.build(own_pictures / "dots", empty_home / "galleries" / "mine", model=MODEL).remove(
        ids=[f"dots-{number}.jpg" for number in range(1, 5)]
    )
    page.run()
    assert not page.exception
    assert "1 picture: add more, and see which are alike." in texts(page)
    assert numbers(drawn(page)["points"]).tolist() == pytest.approx([32768, 32768], abs=1)
    assert drawn(page)["labels"] == []
    assert [group["count"] for group in drawn(page)["clusters"]] == [1]


def test_of_a_large_gallery_a_part_is_shown_which_is_said(
    page: AppTest, mine: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "MAX_POINTS", 5)
    page.run()
    assert not page.exception
    assert f"5 of its {len(mine)} pictures are on the map" in texts(page)
    assert len(drawn(page)["names"]) == 5


def test_a_damaged_gallery_gets_a_plain_sentence(page: AppTest, mine: Gallery) -> None:
    (mine.directory / "generations" / "000001" / "index.faiss").write_bytes(b"damage")
    page.run()
    assert not page.exception
    assert "is damaged or missing" in errors(page)
    assert str(mine.directory) not in errors(page)


def test_a_map_that_cannot_be_made_gets_a_plain_sentence_and_is_tried_again(
    page: AppTest, mine: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(mine) == 15

    def fail(_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(layout, "lay_out", fail)
        page.run()
    assert not page.exception
    assert "The map could not be made" in errors(page)
    next(button for button in page.button if button.label == "Try again").click().run()
    assert not errors(page)
    assert drawn(page)


def test_while_the_map_is_made_the_page_says_how_long_it_takes(
    page: AppTest, mine: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    is_told = threading.Event()
    caption = map_making.st.caption

    def lay_out(vectors: np.ndarray) -> layout.Points:
        assert is_told.wait(30)
        return np.asarray(vectors[:, :2] ** 2)

    def tell(text: str, **more: Any) -> object:
        told.append(text)
        if "takes about" in text:
            is_told.set()
        return caption(text, **more)

    monkeypatch.setattr(map_making, "TICK", 0.001)
    monkeypatch.setattr(layout, "lay_out", lay_out)
    monkeypatch.setattr(map_making.st, "caption", tell)
    page.run()
    assert not page.exception
    assert any("takes about 2 seconds" in text for text in told)
    assert drawn(page)
    assert not page.status, "what was said meanwhile is gone"
    assert len(mine) == 15


def test_two_visitors_who_come_at_once_get_one_map_made_once(mine: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    lay_out, begin = layout.lay_out, threading.Event()

    def slow(vectors: np.ndarray) -> layout.Points:
        begin.wait(10)
        made.append(len(vectors))
        return lay_out(vectors)

    monkeypatch.setattr(layout, "lay_out", slow)
    maker = map_making.MapMaker()
    asked = [maker.start_map(mine) for _ in range(5)]
    begin.set()
    assert len({id(one.result.result(10)) for one in asked}) == 1
    assert made == [15]
    assert maker.start_map(mine) is asked[0]


def test_only_a_few_maps_are_kept_in_memory(mine: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "lay_out", lambda vectors: vectors[:, :2] ** 2)
    maker = map_making.MapMaker()
    for number in range(2 * map_making.MAX_CACHED):
        monkeypatch.setattr(layout, "file_name", lambda _, number=number: f"{number}.npy")
        maker.start_map(mine).result.result(10)
    assert len(maker._computations) <= map_making.MAX_CACHED + 1
