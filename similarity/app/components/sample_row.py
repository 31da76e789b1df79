"""One row of pictures to try, with a button that shows the rest."""

from collections.abc import Callable, Sequence

import streamlit as st

from similarity.app.components.loading import load
from similarity.app.components.tiles import Tile
from similarity.text.plain import LONGEST

_mount = load(
    "sample_row",
    '<div class="samples"><div class="head"><h2>Try one of these</h2>'
    '<button type="button" class="more" aria-controls="samples"></button></div><ul id="samples"></ul></div>',
)


def show(samples: Sequence[Tile], on_open: Callable[[str], None], *, key: str) -> None:
    """Draw the row; `on_open` is called with the id of a clicked picture, before anything is drawn again."""
    shown = [{"id": one["id"], "src": one["src"], "alt": one["alt"], "name": one["label"]} for one in samples]

    def opened() -> None:
        value = st.session_state[key].open
        if isinstance(value, str) and len(value) <= LONGEST:
            on_open(value)

    _mount(key=key, data={"samples": shown, "more": "Show more", "less": "Show less"}, on_open_change=opened)
