"""The search page with several queries at once, driven without a browser; and filters that are removed one by one."""

import csv
import io
import json
from pathlib import Path

import pytest
from pages import address, components, errors, open_app, ranking, tiles
from streamlit.testing.v1 import AppTest

from similarity import Gallery
from similarity.app.search.active_filters import list_filters
from similarity.app.serving import access
from similarity.app.shell import links
from similarity.app.shell.parameters import MAX_EACH, Link, parse
from similarity.exports import queries
from similarity.exports.queries import Answered

EACH = ["item:dots/dots-1.jpg", "item:rings/gone.jpg", "item:stripes/stripes-3.jpg"]


def own_pictures_of(page: AppTest) -> list[str]:
    return [tile["alt"] for tile in tiles(page) if tile["mark"] == "query"]


@pytest.mark.usefixtures("shapes")
def test_several_files_at_once_are_several_queries_with_five_results_each(pictures: Path) -> None:
    page = open_app().run()
    page.file_uploader[0].set_value(
        [
            (name, (pictures / name.split("-")[0] / name).read_bytes(), "image/jpeg")
            for name in ("dots-1.jpg", "rings-2.jpg")
        ]
    ).run()
    assert not page.exception
    assert len(address(page)["each"]) == 2
    assert "like" not in address(page)
    assert own_pictures_of(page) == ["Your picture: dots-1.jpg", "Your picture: rings-2.jpg"]
    assert [tile["name"] for tile in ranking(page) if tile["rank"] == "1"] == ["dots-1.jpg", "rings-2.jpg"]
    assert len(ranking(page)) == 2 * 5


@pytest.mark.usefixtures("shapes")
def test_of_several_queries_copies_are_marked_unless_that_is_switched_off() -> None:
    assert sum("copy" in tile for tile in ranking(open_app(each=EACH).run())) == 2
    assert not any("copy" in tile for tile in ranking(open_app(each=EACH, copies="0").run()))


@pytest.mark.usefixtures("shapes")
def test_of_several_queries_one_that_fails_says_why_and_the_others_are_answered() -> None:
    page = open_app(each=EACH).run()
    assert not page.exception
    assert len(own_pictures_of(page)) == 2
    assert "gone.jpg" in errors(page)


@pytest.mark.usefixtures("shapes")
def test_one_of_several_queries_is_opened_as_a_search_and_all_of_them_can_be_left() -> None:
    page = open_app(each=EACH).run()
    page.button(key="open-3").click().run()
    assert address(page)["like"] == ["item:stripes/stripes-3.jpg"]
    assert "each" not in address(page)
    assert len(ranking(page)) == 15
    page = open_app(each=EACH).run()
    next(button for button in page.button if button.label == "Start over").click().run()
    assert "each" not in address(page)
    assert components(page, "similarity_drop_target")[0]["large"] is True


def test_more_queries_than_are_searched_at_once_are_cut_off() -> None:
    assert len(parse({"each": [f"item:{number}" for number in range(50)]}).each) == MAX_EACH


def test_several_queries_are_exported_with_their_errors() -> None:
    row = {"rank": 1, "score": 0.5, "id": "a", "path": "/a.jpg", "label": "=1+1", "metadata.colour": "red"}
    answers = [Answered("one.jpg", [row], 0.25), Answered("two.txt", error="This file is not a picture.")]
    table = list(csv.DictReader(io.StringIO(queries.to_csv(answers).decode("utf-8-sig"))))
    assert [line["query"] for line in table] == ["one.jpg", "two.txt"]
    assert (table[0]["label"], table[0]["metadata.colour"], table[1]["error"]) == (
        "'=1+1",
        "red",
        "This file is not a picture.",
    )
    data = json.loads(queries.to_json(answers, "shapes", "light"))
    assert (data["gallery"], data["model"]) == ("shapes", "light")
    assert data["queries"][0] == {"query": "one.jpg", "belongs": 0.25, "hits": [row]}
    assert data["queries"][1] == {"query": "two.txt", "error": "This file is not a picture.", "hits": []}


def test_each_filter_is_told_in_a_few_words_and_removed_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    link = Link(
        where={"label": ("boot", "shoe"), "taken>=": ("2024-05",)}, min_score=0.5, distinct=True, one_per_product=True
    )
    monkeypatch.setattr(access, "may_manage", lambda: True)
    monkeypatch.setattr(links, "read", lambda: link)
    written: list[Link] = []
    monkeypatch.setattr(links, "write", written.append)
    active = list_filters(link)
    texts = ["Label: boot", "Label: shoe", "Taken ≥ 2024-05", "Score ≥ 0.50", "One per product"]
    assert [one.text for one in active] == texts
    for one in active:
        one.remove()
    assert dict(written[0].where) == {"label": ("shoe",), "taken>=": ("2024-05",)}
    assert dict(written[2].where) == {"label": ("boot", "shoe")}
    assert written[3].min_score == 0
    assert not written[4].distinct
    assert not written[4].one_per_product


@pytest.mark.usefixtures("shapes")
def test_the_strip_above_the_results_has_the_query_and_its_filters() -> None:
    like = ["item:dots/dots-0.jpg", "item:rings/rings-0.jpg"]
    page = open_app(**{"like": like, "not": "item:stripes/stripes-0.jpg", "where.label": "dots"}).run()
    (strip,) = components(page, "similarity_query_strip")
    assert [thumb["wanted"] for thumb in strip["thumbs"]] == [True, True, False]
    assert strip["filters"] == ["Label: dots"]


def test_a_manager_makes_a_gallery_from_the_list_of_galleries(shapes: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shapes
    page = open_app().run()
    assert page.selectbox(key="gallery").options[-1] == "New gallery …"
    monkeypatch.setattr(access, "may_manage", lambda: False)
    assert open_app().run().selectbox(key="gallery").options == ["shapes"]
