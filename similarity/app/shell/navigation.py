"""Navigation between pages, and the last search, which pages share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from similarity.app.shell.parameters import ITEM, OPEN, Link, Part, parse
from similarity.errors import SimilarityError
from similarity.sources import Item
from similarity.storage.inventory import list_galleries
from similarity.vectors.arrays import Vectors

# Parameters of a page's address: name -> value or values.
Parameters = Mapping[str, str | Sequence[str]]
ON, LAST = "on_page", "last_search"


@dataclass(frozen=True, slots=True)
class LastSearch:
    """The last search of this session, for the other pages.

    Attributes:
        gallery: its name.
        state: its state, see `current.live_state`.
        parameters: parameters of the search page's address.
        vector: the vector of the query, float32 (dim,), of unit length.
        preview: the query, a small JPEG.
    """

    gallery: str
    state: str
    parameters: Parameters
    vector: Vectors
    preview: bytes


def register(pages: dict[str, StreamlitPage]) -> None:
    """Register the pages by name, so that no page has to import another."""
    st.session_state["pages"] = pages


def restore_last_search(page: StreamlitPage) -> None:
    """Note which page the visitor has opened, and restore the last search on pages that show it."""
    before, now = st.session_state.get(ON), page.url_path
    st.session_state[ON] = now
    last: LastSearch | None = st.session_state.get(LAST)
    if not last or before in (None, now) or st.query_params:
        return
    if now in ("", "faceoff", "everywhere"):
        st.query_params.from_dict({name: value for name, value in last.parameters.items() if name != OPEN})


def has_several_galleries() -> bool:
    """Whether there are several galleries, as far as they can be listed."""
    try:
        return len(list_galleries()) > 1
    except SimilarityError:  # the page says what is wrong
        return False


def go(page: str, parameters: Parameters | None = None) -> NoReturn:
    """Go to a page: search, map, evaluate, train, faceoff, duplicates, galleries,
    everywhere or about."""
    known: dict[str, Any] = st.session_state["pages"]
    st.switch_page(known[page], query_params=dict(parameters or {}))


def go_to_item(gallery: str, item: Item) -> NoReturn:
    """Search a gallery with one of its own pictures."""
    go("search", Link(gallery=gallery, like=(Part(ITEM, item.public_id),)).parameters())


def remember_search(search: LastSearch) -> None:
    """Remember the current search."""
    st.session_state[LAST] = search


def forget_search() -> None:
    """Forget the current search."""
    st.session_state.pop(LAST, None)


def last_search(gallery: str, state: str) -> LastSearch | None:
    """Return the last search, if it was in this state of this gallery."""
    search: LastSearch | None = st.session_state.get(LAST)
    return search if search and (search.gallery, search.state) == (gallery, state) else None


def last_link() -> Link:
    """Return the last search as one of an address; an empty one if there was none."""
    search: LastSearch | None = st.session_state.get(LAST)
    if not search:
        return Link()
    return parse({name: [value] if isinstance(value, str) else value for name, value in search.parameters.items()})
