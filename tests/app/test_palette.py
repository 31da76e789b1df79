"""The palette on every page: what it offers to whom, and what choosing does. Keys are tried in `e2e`."""

from typing import Any

import pytest
from pages import components, draw_alone, open_app
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from similarity import Gallery
from similarity.app.components import palette as component
from similarity.app.serving import probes
from similarity.app.shell import parameters
from similarity.app.shell.parameters import Link, Part


def _page() -> None:
    import streamlit as st

    from similarity.app.search import page as search_page
    from similarity.app.shell import palette

    pages = {
        "search": st.Page(search_page.show, title="Search", default=True),
        "train": st.Page(search_page.show, title="Train", url_path="train", visibility="hidden"),
    }
    palette.show(pages)
    st.write("drawn")


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, shapes: Gallery) -> AppTest:
    assert shapes
    drawn = draw_alone(_page, monkeypatch)
    drawn.session_state["on_page"] = ""
    return drawn


def offered(page: AppTest) -> list[dict[str, Any]]:
    (data,) = components(page, "similarity_palette")
    entries: list[dict[str, Any]] = data["entries"]
    return entries


def choose(page: AppTest, monkeypatch: pytest.MonkeyPatch, kind: str, value: str) -> AppTest:
    monkeypatch.setattr(component, "show", lambda _entries: (kind, value))
    return page.run()


def test_the_palette_offers_the_galleries_actions_and_only_pages_that_the_visitor_may_see(page: AppTest) -> None:
    entries = offered(page.run())
    assert {"kind": "gallery", "value": "shapes", "group": "Galleries", "name": "shapes"} in entries
    assert [entry["name"] for entry in entries if entry["kind"] == "page"] == ["Search"]
    assert "Start over" in [entry["name"] for entry in entries]


def test_every_page_of_the_app_has_one_palette(shapes: Gallery) -> None:
    assert shapes
    app = open_app(gallery="shapes").run()
    assert not app.exception
    assert {"Search", "Map", "Galleries"} <= {entry["name"] for entry in offered(app) if entry["kind"] == "page"}


def test_a_gallery_is_opened_with_the_query_and_without_the_filters_of_the_one_before(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.query_params.update({"gallery": "other", "like": ["url:http://a/b.jpg", "item:x"], "where.label": "dots"})
    choose(page, monkeypatch, "gallery", "shapes")
    assert not page.exception
    assert page.query_params == {"gallery": "shapes", "like": "url:http://a/b.jpg"}


def test_from_a_page_without_a_gallery_one_is_opened_in_the_search(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.session_state["on_page"] = "about"
    choose(page, monkeypatch, "gallery", "shapes")
    assert page.session_state["went"] == ("search", {"gallery": "shapes"})


@pytest.mark.parametrize("value", ["nowhere", "../etc"])
def test_what_is_not_offered_is_not_opened(page: AppTest, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    for kind in ("gallery", "page", "action"):
        choose(page, monkeypatch, kind, value)
        assert "went" not in page.session_state
        assert not page.query_params


def test_start_over_leaves_the_gallery_and_nothing_else(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    page.query_params.update({"gallery": "shapes", "like": "item:x", "min": "0.5"})
    choose(page, monkeypatch, "action", "start-over")
    assert page.session_state["went"] == ("search", {"gallery": "shapes"})


def test_a_search_moves_to_another_gallery_without_what_only_the_first_one_has() -> None:
    link = Link(
        "a",
        like=(Part(parameters.ITEM, "1"), Part(parameters.TEXT, "red")),
        where={"label": ("x",)},
        sort="-year",
        page=3,
    )
    assert parameters.in_gallery(link, "b") == Link("b", like=(Part(parameters.TEXT, "red"),))


@pytest.mark.parametrize(
    "message", [None, "x", {"kind": "page"}, {"kind": 1, "value": "x"}, {"kind": "p", "value": []}]
)
def test_a_message_that_the_palette_never_sends_chooses_nothing(message: Any) -> None:
    assert component._choice(message) is None


def test_a_page_that_looks_for_its_server_below_its_own_address_is_sent_on_without_an_error() -> None:
    client = TestClient(Starlette(routes=probes.routes()))
    for probe in ("health", "host-config"):
        assert client.get(f"/map/_stcore/{probe}").status_code == 300
        assert client.get(f"/_stcore/{probe}").status_code == 404, "it is Streamlit's own"
