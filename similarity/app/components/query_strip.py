"""A strip above the results: small pictures of the query, filters that can be removed, and a button for the panel.

On a wide screen, where the panel is in sight, only the filters are shown.
"""

from collections.abc import Callable, Sequence
from typing import TypedDict

import streamlit as st

from similarity.app.components.loading import load

KEY = "query-strip"
_mount = load(
    "query_strip",
    '<div class="strip empty"><button type="button" class="query"></button>'
    '<ul class="filters" aria-label="Filters"></ul>'
    '<button type="button" class="change" aria-expanded="false"></button></div>',
)


class Thumb(TypedDict):
    """A small picture: its address, its alternative text, and whether results should be like it."""

    src: str
    alt: str
    wanted: bool


def show(thumbs: Sequence[Thumb], filters: Sequence[str], on_remove: Callable[[int], None], *, query: str) -> None:
    """Draw the strip.

    Args:
        thumbs: the parts of the query, the first one larger.
        filters: those that are set, in a few words each.
        on_remove: called with the place of a filter that was removed, before anything is drawn again.
        query: another one than before closes the panel.
    """

    def removed() -> None:
        place = st.session_state[KEY].remove
        if isinstance(place, int | float) and 0 <= place < len(filters):
            on_remove(int(place))

    words = {"change": "Change", "done": "Done", "query": "Change the query", "remove": "Remove filter"}
    data = {"thumbs": list(thumbs), "filters": list(filters), "id": query, "words": words}
    _mount(key=KEY, data=data, on_remove_change=removed)
