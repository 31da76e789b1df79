"""The lightbox, driven without a browser: what is in the address, what is beside the picture, and in which order."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from pages import address, components, errors, open_app, ranking, texts
from streamlit.testing.v1 import AppTest

from similarity import Gallery
from similarity.app.components import copy_link
from similarity.app.search import detail, facts
from similarity.app.search.copies import NOT_LOOKED
from similarity.app.shell import links, parameters
from similarity.app.shell.parameters import Link, Part
from similarity.search import Hit
from similarity.sources import Item

LIKE = "item:dots/dots-0.jpg"


def drawn(page: AppTest) -> dict[str, Any]:
    """What the lightbox is given to draw."""
    (data,) = components(page, "similarity_lightbox")
    return data


def view_of(page: AppTest) -> Any:
    """The choice of a view."""
    return next(one for one in page.get("button_group") if one.proto.label == "View")


@pytest.mark.usefixtures("shapes")
def test_a_link_opens_the_picture_it_names_with_its_place_among_the_results() -> None:
    page = open_app(like=LIKE).run()
    assert not components(page, "similarity_lightbox")
    third = ranking(page)[2]["id"]
    behind = components(page, "similarity_tiles")[0]["listing"]
    page.query_params["open"] = third
    page.run()
    assert not page.exception
    assert components(page, "similarity_tiles")[0]["listing"] == behind, "the results stay where they are"
    data = drawn(page)
    assert [one["caption"][:12] for one in data["pictures"]] == ["Your query: ", "Rank 3, scor"]
    open_step = data["steps"][data["at"]]
    assert (open_step["id"], open_step["position"]) == (third, "3 of 15")
    assert [step["position"] for step in data["steps"][:3]] == ["1 of 15", "2 of 15", "3 of 15"]
    assert parse_qs(data["steps"][data["at"] + 1]["query"])["open"] == [data["steps"][data["at"] + 1]["id"]]
    assert components(page, "similarity_lightbox_closing") == [{"new": False}], "nobody came from the page"
    assert address(page)["open"] == [third]


@pytest.mark.usefixtures("shapes")
def test_a_link_to_a_picture_that_is_not_there_says_so_and_can_be_closed() -> None:
    page = open_app(like=LIKE, open="dots/none.jpg").run()
    assert not page.exception
    assert "'dots/none.jpg' is not in the gallery" in errors(page)
    assert "Not here any more" in texts(page)
    assert drawn(page)["pictures"] == []


@pytest.mark.usefixtures("shapes")
def test_a_picture_of_a_gallery_that_is_gone_is_not_looked_for_in_another_one() -> None:
    page = open_app(like=LIKE, gallery="gone", open="dots/dots-1.jpg").run()
    assert not components(page, "similarity_lightbox")
    assert "There is no gallery named gone" in texts(page)
    assert not errors(page)


@pytest.mark.usefixtures("shapes")
def test_another_search_closes_the_picture() -> None:
    page = open_app(like=LIKE, open="dots/dots-3.jpg").run()
    next(one for one in page.button if one.label == "Search with it").click().run()
    assert address(page)["like"] == ["item:dots/dots-3.jpg"]
    assert "open" not in address(page)
    assert not components(page, "similarity_lightbox")


@pytest.mark.usefixtures("shapes")
def test_the_view_is_marked_as_chosen_however_often_the_page_is_drawn() -> None:
    page = open_app(like=LIKE, open="dots/dots-3.jpg").run()
    marked = [list(view_of(page).proto.default) for _ in range(2) if page.run()]
    assert marked == [[0], [0]]


@pytest.mark.parametrize(
    ("label", "metadata", "columns"),
    [
        ("lamp", {"category": "Lamp ", "product": "lamp-02"}, ["product"]),
        ("lamp", {"colour": "red", "Title": "Red lamp"}, ["Title", "colour"]),
        (None, {"category": "lamp"}, ["category"]),
    ],
)
def test_a_column_that_only_repeats_the_label_is_left_out(
    label: str | None, metadata: dict[str, str], columns: list[str]
) -> None:
    item = Item("1", "/p/a.jpg", label=label, metadata=metadata)
    assert [name for name, _ in facts.columns_of(item)] == columns


@pytest.mark.usefixtures("shapes")
def test_the_label_is_the_first_fact_and_a_link_says_when_an_upload_is_not_in_it(pictures: Path) -> None:
    page = open_app(like=LIKE, open="dots/dots-3.jpg").run()
    assert components(page, "similarity_copy_link")[-1]["copied"] == copy_link.COPIED
    assert page.table[0].value.index[0] == "Label"
    page = open_app(gallery="shapes").run()
    page.file_uploader[0].upload("a.jpg", (pictures / "dots" / "dots-1.jpg").read_bytes(), "image/jpeg").run()
    page.query_params["open"] = "dots/dots-3.jpg"
    page.run()
    assert components(page, "similarity_copy_link")[-1]["copied"] == copy_link.WITHOUT_UPLOAD


def test_the_open_picture_is_no_part_of_the_search() -> None:
    link = parameters.parse({"like": [LIKE], "open": ["a b/1.jpg"]})
    assert link.open == "a b/1.jpg"
    assert link == replace(link, open="")
    assert link.parameters() != replace(link, open="").parameters()
    assert link.query_string == "like=item%3Adots%2Fdots-0.jpg&open=a+b%2F1.jpg"
    assert Link(like=(Part("item", "1"),)).open == ""


def test_results_around_the_open_one_can_be_gone_on_to(shapes: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "read", lambda: Link(like=(Part("item", "dots/dots-0.jpg"),), open="dots/dots-0.jpg"))
    monkeypatch.setattr(detail.st, "session_state", {})
    hits = [Hit(rank, 1.0, item) for rank, item in enumerate(shapes.items, 1)] * 100
    results = detail.Results(shapes, hits, (), None, NOT_LOOKED)
    for place, first, count in ((0, 0, 9), (700, 692, 17), (1499, 1491, 9)):
        strip = detail._strip(results, place)
        assert (strip.at, len(strip.steps)) == (place - first, count)
        assert strip.steps[strip.at]["position"] == f"{place + 1:,} of 1,500"
    assert not detail._strip(results, -1).steps


@pytest.mark.parametrize(
    ("item", "name"),
    [
        (Item("1", "/p/a.jpg", label="boot", metadata={"Title": "Red boot"}), "Red boot"),
        (Item("1", "/p/a.jpg", label="boot", metadata={"colour": "red"}), "boot"),
        (Item("1", "/p/a.jpg"), "a.jpg"),
        (Item("1", "/p/4285fab0-751a-4b74-8e9b-43af05deee22.jpg"), "Picture"),
        (Item("1", "/p/0123456789abcdef0123456789abcdef.jpg", metadata={"name": " "}), "Picture"),
        (Item("1", "/p/faded.jpg"), "faded.jpg"),
    ],
)
def test_a_picture_is_called_what_a_person_calls_it(item: Item, name: str) -> None:
    assert facts.name_of(item) == name
