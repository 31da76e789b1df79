"""The grid of pictures without a browser: what their names are, and which messages of a browser are understood."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import streamlit as st

from similarity.app.components import tiles
from similarity.app.components.titles import title_of
from similarity.sources import Item


@pytest.mark.parametrize(
    ("path", "columns", "title"),
    [
        ("/a/shoe.jpg", {}, "shoe.jpg"),
        ("/a/red running shoe 2.jpg", {"price": "9"}, "red running shoe 2.jpg"),
        ("/a/IMG_20240131_120000.jpg", {}, "IMG_20240131_120000.jpg"),
        ("/a/0546d34a-a369-4723-8d3a-74c0f51af26c.jpg", {}, ""),
        ("/a/3cf68a4283e84efab96d5a7cfc61885e6a2376f8.jpg", {}, ""),
        ("/a/a7Gk29fLx0Qw83hZpT5v.jpg", {}, ""),
        ("/a/1634872210034.jpg", {}, ""),
        ("/a/0546d34a-a369-4723-8d3a-74c0f51af26c.jpg", {"Product Name": "Red dress"}, "Red dress"),
        ("/a/shoe.jpg", {"TITLE": "A shoe", "name": ""}, "A shoe"),
        ("https://a.test/pictures/boots.jpg?v=2", {}, "boots.jpg"),
    ],
)
def test_a_picture_is_called_what_people_call_it(path: str, columns: dict[str, str], title: str) -> None:
    assert title_of(Item("x", path, metadata=columns)) == title


@pytest.fixture
def mounted(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Callable[[], None]]]:
    """What is called when a browser sends something, by its kind; what it sends is put into `st.session_state["g"]`."""
    calls: dict[str, Callable[[], None]] = {}

    class Nothing:
        open = None

    def mount(**options: Any) -> Nothing:
        calls.update({name: call for name, call in options.items() if name.startswith("on_")})
        return Nothing()

    monkeypatch.setattr(tiles, "_mount", mount)
    yield calls
    st.session_state.clear()


class Sent:
    """What a browser has sent."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)


def test_only_what_can_be_a_selection_is_taken_for_one(mounted: dict[str, Callable[[], None]]) -> None:
    chosen: list[list[str]] = []
    tiles.show([], lambda _: None, key="g", on_select=lambda ids: chosen.append(list(ids)))
    for sent in (["a", "b", "a"], [], ["a", 5, {}], "ab", None, ["x"] * (tiles.MOST_SELECTED + 1)):
        st.session_state["g"] = Sent(select=sent)
        mounted["on_select_change"]()
    assert chosen == [["a", "b"], [], ["a"]]


def test_more_tiles_are_given_once_from_the_place_that_was_asked_for(mounted: dict[str, Callable[[], None]]) -> None:
    tiles.show([], lambda _: None, key="g")
    for sent, start in ((100, 100), (400.0, 400), (-1, 0), (1e12, 0), ("7", 0), (None, 0), (float("nan"), 0)):
        st.session_state["g"] = Sent(more=sent)
        mounted["on_more_change"]()
        assert tiles.wanted_start("g") == start
        assert tiles.wanted_start("g") == 0, "drawn again for another reason, the grid begins with its first tiles"
    assert tiles.chunk(0) < tiles.chunk(100)
