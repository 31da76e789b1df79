"""Marks on results, on the search page and the galleries page, driven without a browser."""

from pathlib import Path

import pytest
from conftest import MODEL
from pages import address, draw_alone, open_app, ranking, texts, tiles
from streamlit.testing.v1 import AppTest
from test_search_page import button

from similarity import Gallery
from similarity.app.components.tiles import _pass_on_feedback
from similarity.app.search import feedback
from similarity.storage.feedback import FeedbackQuery, add_feedback, read_feedback


@pytest.fixture
def mine(own_pictures: Path, empty_home: Path) -> Gallery:
    return Gallery.build(own_pictures, empty_home / "galleries" / "mine", model=MODEL)


def opened(**query: str | list[str]) -> AppTest:
    page = open_app(gallery="mine", **query).run()
    assert not page.exception
    return page


def look_closer(page: AppTest, item: str) -> None:
    page.query_params["open"] = item
    page.run()


def kept(gallery: Gallery) -> list[tuple[str, str, bool]]:
    return [(mark.query.title, mark.item, mark.wanted) for mark in read_feedback(gallery.directory)]


@pytest.mark.usefixtures("mine")
def test_results_are_marked_as_the_search_has_them_and_the_query_itself_cannot_be() -> None:
    page = opened(
        **{"like": ["item:dots/dots-0.jpg", "item:dots/dots-1.jpg"], "not": "item:dots/dots-2.jpg", "k": "20"}
    )
    marked = {tile["name"]: tile["wanted"] for tile in ranking(page) if "wanted" in tile}
    assert "dots-0.jpg" not in marked
    assert "dots-2.jpg" not in marked, "it is not among the results"
    assert marked.pop("dots-1.jpg") is True
    assert set(marked.values()) == {None}
    assert feedback.KEPT in texts(page)


@pytest.mark.usefixtures("mine")
def test_pictures_to_start_from_and_nearly_identical_ones_cannot_be_marked() -> None:
    page = opened()
    assert tiles(page)
    look_closer(page, "dots/dots-3.jpg")
    assert not any("wanted" in tile for tile in tiles(page))


@pytest.mark.exhaustive
def test_marks_are_kept_changed_and_forgotten_as_the_search_changes(mine: Gallery) -> None:
    page = opened(like="item:dots/dots-0.jpg")
    look_closer(page, "dots/dots-3.jpg")
    button(page, "More like this").click().run()
    look_closer(page, "rings/rings-3.jpg")
    button(page, "Not like this").click().run()
    assert not page.exception
    assert address(page)["like"] == ["item:dots/dots-0.jpg", "item:dots/dots-3.jpg"]
    assert address(page)["not"] == ["item:rings/rings-3.jpg"]
    assert kept(mine) == [("dots-0.jpg", "dots/dots-3.jpg", True), ("dots-0.jpg", "rings/rings-3.jpg", False)]
    button(page, "Make it a counter-example").click().run()
    assert ("dots-0.jpg", "dots/dots-3.jpg", False) in kept(mine)
    button(page, "Remove").click().run()
    button(page, "Remove").click().run()
    assert kept(mine) == []
    assert address(page)["like"] == ["item:dots/dots-0.jpg"]


@pytest.mark.exhaustive
def test_a_query_from_elsewhere_or_a_part_of_one_is_kept_as_its_embedding(mine: Gallery) -> None:
    for like in ("sample:mug-01-q", "item:dots/dots-0.jpg@0,0,50,50"):
        page = opened(like=like)
        look_closer(page, "dots/dots-3.jpg")
        button(page, "Not like this").click().run()
        assert not page.exception
    sample, part = read_feedback(mine.directory)
    assert sample.query.embedding is not None
    assert sample.query.embedding.shape == (mine.manifest.dim,)
    assert part.query.sha256 == mine.items[0].sha256
    assert part.query.box is not None
    assert part.query.embedding is not None


def test_whoever_may_only_search_leaves_no_marks_and_is_told_so(mine: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMILARITY_MANAGE", "nobody")
    page = opened(like="item:dots/dots-0.jpg")
    look_closer(page, "rings/rings-3.jpg")
    button(page, "Not like this").click().run()
    assert address(page)["not"] == ["item:rings/rings-3.jpg"]
    assert feedback.NOT_KEPT in texts(page)
    assert kept(mine) == []


def test_when_there_is_no_room_for_another_mark_it_says_so_and_nothing_changes(mine: Gallery) -> None:
    full = [f"item:{item.id}" for item in mine.items[:12]]
    page = opened(like=full)
    look_closer(page, mine.items[12].id)
    button(page, "More like this").click().run()
    assert [toast.value for toast in page.toast] == [feedback.FULL]
    assert address(page)["like"] == full
    assert kept(mine) == []


@pytest.mark.usefixtures("mine")
def test_a_mark_that_cannot_be_kept_ranks_anew_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("similarity.storage.feedback.MAX_ENTRIES", 0)
    page = opened(like="item:dots/dots-0.jpg")
    look_closer(page, "rings/rings-3.jpg")
    button(page, "Not like this").click().run()
    assert "This mark is not kept" in page.toast[0].value
    assert address(page)["not"] == ["item:rings/rings-3.jpg"]


@pytest.mark.parametrize("told", [None, "x", {"id": 3, "wanted": True}, {"id": "x", "wanted": "y"}, {"id": "x"}])
def test_what_is_no_mark_is_passed_over(told: object) -> None:
    _pass_on_feedback(lambda *_: pytest.fail("it was taken for one"), told)


def script() -> None:
    from similarity.app.galleries import page as galleries_page

    galleries_page.show()


def test_marks_are_counted_and_forgotten_on_the_galleries_page_after_a_second_question(
    mine: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = draw_alone(script, monkeypatch)
    page.query_params["gallery"] = "mine"
    page.run()
    assert "are kept here" in texts(page)
    for item in mine.items[:3]:
        add_feedback(mine.directory, mine.manifest, FeedbackQuery("boot.jpg", "a" * 64), item, wanted=True)
    page.run()
    assert "3 marks kept." in texts(page)
    assert "Download (JSON)" in [one.label for one in page.get("download_button")]
    button(page, "Forget all …").click().run()
    assert "3 marks of mine would be gone for good" in texts(page).replace("*", "")
    assert len(kept(mine)) == 3
    button(page, "Forget them").click().run()
    assert not page.exception
    assert kept(mine) == []
    assert "are kept here" in texts(page)
