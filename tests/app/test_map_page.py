"""The map page, driven without a browser."""

import json
import shutil
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import MODEL
from pages import draw_alone, errors, texts
from streamlit.testing.v1 import AppTest

from similarity import Gallery
from similarity.app.map import background as map_making
from similarity.app.map import chart as map_chart
from similarity.app.map import layout
from similarity.app.map.layout import GalleryMap
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


def option(page: AppTest) -> dict[str, Any]:
    """What the chart was told to draw."""
    (chart,) = page.get("echarts_chart")
    drawn: dict[str, Any] = json.loads(chart.proto.spec)
    return drawn


def names(page: AppTest) -> list[str]:
    return [series["name"] for series in option(page)["series"]]


def test_all_pictures_are_on_the_map_coloured_by_label(page: AppTest, shapes: Gallery) -> None:
    page.run()
    assert not page.exception
    drawn = option(page)
    assert names(page) == ["dots", "rings", "stripes"]
    assert sum(len(series["data"]) for series in drawn["series"]) == len(shapes)
    assert len({series["itemStyle"]["color"] for series in drawn["series"]}) == 3
    assert drawn["legend"]["show"]
    assert "15 pictures" in texts(page)


@pytest.mark.usefixtures("shapes")
def test_the_map_is_described_for_who_cannot_see_it(page: AppTest) -> None:
    page.run()
    (chart,) = page.get("echarts_chart")
    assert chart.proto.alt.startswith("Map of the 15 pictures of shapes")


def test_each_point_has_the_address_of_its_thumbnail(page: AppTest, shapes: Gallery) -> None:
    page.run()
    series = option(page)["series"][0]
    assert series["data"][0][2:] == [shapes.items[0].sha256, "dots-0.jpg", "dots"]
    assert 'src="/pictures/shapes/{@[2]}.jpg"' in series["tooltip"]["formatter"]


def test_the_last_query_is_on_the_map_and_leads_back_to_its_results(page: AppTest, shapes: Gallery) -> None:
    parameters = {"gallery": "shapes", "like": ["item:dots/dots-1.jpg"]}
    jpeg = shapes.thumbnail(shapes.items[1])
    page.session_state["last_search"] = navigation.LastSearch(
        "shapes", live_state(shapes.directory), parameters, shapes.vectors[1], jpeg
    )
    page.run()
    assert not page.exception
    assert names(page)[-1] == "Your query"
    point = option(page)["series"][-1]["data"][0]
    own = next(row for series in option(page)["series"] for row in series["data"] if row[3:4] == ["dots-1.jpg"])
    assert point == pytest.approx(own[:2], abs=0.01)
    next(button for button in page.button if button.label == "Back to the results").click().run()
    assert page.session_state["went"] == ("search", parameters)


def test_a_query_of_another_state_of_the_gallery_is_not_on_the_map(page: AppTest, shapes: Gallery) -> None:
    page.session_state["last_search"] = navigation.LastSearch("shapes", "older", {}, shapes.vectors[1], b"")
    page.run()
    assert "Your query" not in names(page)


@pytest.mark.usefixtures("shapes")
def test_a_picture_can_be_found_by_name_and_searched_with(page: AppTest) -> None:
    page.run()
    page.selectbox[1].select_index(7).run()
    assert not page.exception
    assert names(page)[-1] == "rings-2.jpg"
    next(button for button in page.button if button.label == "Search with it").click().run()
    assert page.session_state["went"] == ("search", {"gallery": "shapes", "like": ["item:rings/rings-2.jpg"]})


@pytest.mark.usefixtures("shapes")
def test_the_whole_map_can_be_shown_again(page: AppTest) -> None:
    page.run()
    before = page.get("echarts_chart")[0].proto.id
    next(button for button in page.button if button.label == "Show the whole map").click().run()
    assert page.get("echarts_chart")[0].proto.id != before


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
    assert page.get("echarts_chart")


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
    assert option(page)["series"][0]["data"][0][:2] == [0.5, 0.5]
    assert not option(page)["legend"]["show"]


def test_of_a_large_gallery_a_part_is_shown_which_is_said(
    page: AppTest, mine: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "MAX_POINTS", 5)
    page.run()
    assert not page.exception
    assert f"5 of its {len(mine)} pictures are on the map" in texts(page)
    assert sum(len(series["data"]) for series in option(page)["series"]) == 5


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
    assert page.get("echarts_chart")


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
    assert page.get("echarts_chart")
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


def crowd(labels: list[str | None]) -> tuple[Any, GalleryMap]:
    """A gallery that has these labels, as far as a chart looks at it."""
    from types import SimpleNamespace

    from similarity import Item

    class Listed(list):  # type: ignore[type-arg]
        def at(self, rows: Iterable[int]) -> list[Item]:
            return [self[row] for row in rows]

    items = Listed(Item(f"{n}.jpg", f"/x/{n}.jpg", label, sha256=f"{n:064x}") for n, label in enumerate(labels))
    points = np.linspace(0, 1, 2 * len(items), dtype=np.float32).reshape(-1, 2)
    return SimpleNamespace(name="crowd", items=items), GalleryMap(np.arange(len(items)), points)


def test_rare_labels_share_one_colour_and_each_point_keeps_its_picture() -> None:
    labels = [f"label {number}" for number in range(30) for _ in range(30 - number)] + [None]
    gallery, on = crowd(labels)
    chart = map_chart.draw(gallery, on)
    series = chart.option["series"]
    assert len(series) == map_chart.MAX_LABELS + 2
    assert [one["name"] for one in series[-2:]] == ["14 other labels", "no label"]
    looks = [(one["symbol"], one["itemStyle"]["color"]) for one in series[: map_chart.MAX_LABELS]]
    assert len(set(looks)) == map_chart.MAX_LABELS, "no two look the same"
    assert sorted(place for places in chart.shown for place in places) == list(range(len(labels)))
    for one, places in zip(series, chart.shown, strict=True):
        assert [row[3] for row in one["data"]] == [f"{place}.jpg" for place in places]


def test_pictures_without_labels_have_one_colour_and_no_legend() -> None:
    chart = map_chart.draw(*crowd([None, None, ""]))
    assert [series["name"] for series in chart.option["series"]] == ["Pictures"]
    assert not chart.option["legend"]["show"]


def test_what_the_browser_takes_for_markup_is_ours_alone() -> None:
    chart = map_chart.draw(*crowd(["<img src=x onerror=alert(1)>", "{@[2]}", '"><script>']))
    markup = {series["tooltip"]["formatter"] for series in chart.option["series"]}
    assert len(markup) == 1
    assert "onerror" not in markup.pop()


@pytest.mark.parametrize("background", ["#ffffff", "#111715"])
def test_the_colours_stand_out_from_the_light_and_the_dark_background(background: str) -> None:
    """WCAG 2.2, 1.4.11: a contrast of at least 3."""

    def luminance(colour: str) -> float:
        channels = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
        linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    for colour in (*map_chart.COLOURS, map_chart.GREY):
        low, high = sorted([luminance(colour), luminance(background)])
        assert (high + 0.05) / (low + 0.05) >= 3
