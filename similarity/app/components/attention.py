"""Scrolling to a fault in a form, at the field that it is about, and to the top of a view that one has gone to."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from similarity.app.components.loading import load
from similarity.app.wording.messages import error_as_markdown
from similarity.errors import SimilarityError

KEY, TURN = "attention", "attention_turn"
CSS = f"""<style>
[class*="st-key-{KEY}"] {{ position: absolute; }}
[data-testid="stTextInputRootElement"]:has([aria-invalid="true"]) {{
  outline: 2px solid light-dark(#b3261e, #ff8a80); outline-offset: -1px; }}
</style>"""

_mount = load("attention", "<span hidden></span>")


def show_fault(place: DeltaGenerator, error: SimilarityError, *, field: str = "") -> None:
    """Show an error, and bring it or its field into sight.

    Args:
        place: where it is said, a place of one element.
        field: the key of the field that it is about, if it is about one.
    """
    with place.container():
        st.error(error_as_markdown(error), icon=":material/error:")
        bring_into_sight(field)


def bring_into_sight(field: str = "") -> None:
    """Bring a field into sight, or what has just been drawn in the same container."""
    turn = st.session_state[TURN] = st.session_state.get(TURN, 0) + 1  # the same fault once more is shown once more
    _mount(key=KEY, data={"field": field, "turn": turn})


def begin_at_top(view: str) -> None:
    """Show the page from its top if it has another view now than before."""
    _mount(key=f"{KEY}-view", data={"view": view})
