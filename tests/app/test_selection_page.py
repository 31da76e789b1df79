"""Selected results on the search page: a gallery of them, their export, and taking them out of the gallery."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import MODEL
from pages import address, components, forget, open_app, ranking, texts
from streamlit.testing.v1 import AppTest
from test_search_page import button

from similarity import Gallery
from similarity.app.components import histogram
from similarity.app.search import exports, filters
from similarity.app.search.selection import SELECTION, Selection
from similarity.app.shell import parameters
from similarity.service.jobs import shared_jobs

CHOSEN = ("dots/dots-1.jpg", "rings/rings-0.jpg", "stripes/stripes-2.jpg")


@pytest.fixture
def mine(own_pictures: Path, empty_home: Path) -> Gallery:
    return Gallery.build(own_pictures, empty_home / "galleries" / "mine", model=MODEL)


def selecting(gallery: Gallery, ids: tuple[str, ...] = CHOSEN, **query: str) -> AppTest:
    """The results of a search, some of which are selected."""
    page = open_app(**{"gallery": gallery.name, "like": "item:dots/dots-0.jpg"} | query)
    page.session_state[SELECTION] = Selection(gallery.directory, gallery.state, ids)
    page.run()
    assert not page.exception
    return page


def labels(page: AppTest) -> list[str]:
    return [one.label for one in page.button]


def selected(page: AppTest) -> list[str]:
    return next(data["selected"] for data in components(page, "similarity_tiles") if data["selects"])


def made(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The functions that make the files of a page, by the key of the button."""
    found: dict[str, Any] = {}
    monkeypatch.setattr("streamlit.download_button", lambda _, data, *, key, **__: found.update({key: data}))
    return found


def test_a_selection_is_kept_over_reruns_and_other_searches_and_dropped_with_another_gallery(
    mine: Gallery, own_pictures: Path, empty_home: Path
) -> None:
    page = selecting(mine)
    assert "3 selected" in texts(page)
    assert selected(page) == list(CHOSEN)
    page.query_params["like"] = "item:rings/rings-3.jpg"
    assert selected(page.run()) == list(CHOSEN)
    other = Gallery.build(own_pictures, empty_home / "galleries" / "other", model=MODEL)
    page.query_params["gallery"] = other.name
    page.run()
    assert selected(page) == []
    assert "selected" not in texts(page)


def test_whoever_may_not_manage_galleries_exports_a_selection_and_no_more(
    mine: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIMILARITY_MANAGE", "nobody")
    page = selecting(mine)
    assert "Clear" in labels(page)
    assert not {"Make a gallery", "Remove from the gallery"} & set(labels(page))
    button(page, "Clear").click().run()
    assert selected(page) == []


def test_selected_pictures_leave_the_gallery_after_a_question_and_come_back(mine: Gallery) -> None:
    page = selecting(mine, k="20")
    button(page, "Remove from the gallery").click().run()
    assert "3 pictures would leave **mine**" in texts(page)
    button(page, "Keep them").click().run()
    assert len(Gallery.open(mine.directory)) == 15
    button(page, "Remove from the gallery").click().run()
    button(page, "Remove 3 pictures").click().run()
    left = {item.id for item in Gallery.open(mine.directory).items}
    assert len(left) == 12
    assert not left & set(CHOSEN)
    assert "3 files removed" in texts(page)
    assert len(ranking(page)) == 12
    assert not page.info, "the address names the new state"
    button(page, "Undo").click().run()
    assert len(Gallery.open(mine.directory)) == 15
    assert "3 files are in the gallery again" in texts(page)
    assert not page.info
    button(page, "Dismiss").click().run()
    assert "gallery again" not in texts(page)
    assert not page.exception


def test_what_was_taken_out_elsewhere_meanwhile_is_selected_no_longer(mine: Gallery) -> None:
    page = selecting(mine)
    mine.remove(ids=[CHOSEN[0]])
    page.run()
    assert not page.exception
    assert selected(page) == list(CHOSEN[1:])


def test_a_gallery_of_them_is_made_under_a_name_that_is_free_and_opened(mine: Gallery, empty_home: Path) -> None:
    page = selecting(mine)
    button(page, "Make a gallery").click().run()
    page.text_input(key="collection_name").set_value("mine")
    button(page, "Make it").click().run()
    assert "already" in page.error[0].value
    page.text_input(key="collection_name").set_value("few of mine")
    button(page, "Make it").click().run()
    assert not page.exception
    collection = Gallery.open(empty_home / "galleries" / "few of mine")
    assert [item.id for item in collection.items] == list(CHOSEN)
    assert collection.manifest.collected_from == "mine"
    assert selected(page) == []
    button(page, "Open it").click().run()
    assert address(page) == {"gallery": ["few of mine"]}
    assert not shared_jobs().active(collection.directory)


def test_all_results_or_the_selected_ones_are_exported_with_chances_and_conditions(
    mine: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = made(monkeypatch)
    page = selecting(mine, **{"where.label": "rings", "min": "0.05", "sort": "-width", "k": "10"})
    for key in ("export-json", "selection-json"):
        assert [hit["id"] for hit in json.loads(files[key]())["hits"]] == ["rings/rings-0.jpg"]
    assert "1 of 3: the others are not among these results" in texts(page)
    next(group for group in page.get("button_group") if group.label == "Export").set_value("all").run()
    facts = json.loads(files["export-json"]())
    assert len(facts["hits"]) == 5
    assert facts["conditions"] == exports.conditions_of(filters.Link()) | {
        "where": {"label": ["rings"]},
        "min_score": 0.05,
        "sort": "-width",
    }
    assert {"query", "gallery", "model", "belongs", "verdict", "hits"} <= set(facts)
    assert all("probability" in hit for hit in facts["hits"])
    head, first, *_ = files["export-csv"]().decode("utf-8-sig").splitlines()
    assert head.startswith("rank,score,label,id,path,")
    assert head.endswith(",conditions")
    assert first.endswith(",label=rings; min_score=0.05; sort=-width")


@pytest.mark.usefixtures("mine")
def test_the_query_is_left_out_of_its_results_where_that_is_wanted() -> None:
    page = open_app(gallery="mine", like="item:dots/dots-0.jpg", k="20").run()
    assert ranking(page)[0]["id"] == "dots/dots-0.jpg"
    page.toggle(key="exclude_query").set_value(True).run()
    assert address(page)["exclude_query"] == ["1"]
    assert "dots/dots-0.jpg" not in [tile["id"] for tile in ranking(page)]
    assert len(ranking(page)) == 14
    button(page, "Clear all filters").click().run()
    assert "exclude_query" not in address(page)


@pytest.mark.parametrize("message", [None, "x", {"column": "label"}, {"column": "label", "value": "no"}, {"value": 3}])
def test_a_click_on_no_bar_that_was_drawn_is_passed_over(message: object) -> None:
    histogram._pass_on(lambda *_: pytest.fail("it was taken for one"), {"label": {"dots"}}, message)


def test_a_bar_filters_and_a_second_click_takes_that_back(monkeypatch: pytest.MonkeyPatch) -> None:
    link = filters.Link(where={"label": ("dots",)})
    changed: list[tuple[str, tuple[str, ...]]] = []
    monkeypatch.setattr(filters.links, "read", lambda: link)
    monkeypatch.setattr(filters.links, "change_where", lambda *change: changed.append(change))
    for value in ("rings", "dots"):
        histogram._pass_on(filters._toggle, {"label": {"dots", "rings"}}, {"column": "label", "value": value})
    assert changed == [("label", ("dots", "rings")), ("label", ())]


def test_the_link_to_copy_says_so_if_it_lacks_an_upload() -> None:
    forget()
    assert parameters.has_upload(parameters.parse({"like": ["upload:" + 64 * "a"]}))
    assert not parameters.has_upload(parameters.parse({"like": ["item:a.jpg"]}))
