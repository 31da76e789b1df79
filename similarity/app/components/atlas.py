"""The map of a gallery as one element: thousands of pictures to move among, to zoom into and to select."""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from similarity.app.components.loading import load
from similarity.text.plain import LONGEST

HTML = """
<div class="atlas">
  <div class="stage">
    <div class="tools">
      <select class="labels" aria-label="Show a label" hidden></select><span class="gap"></span>
      <button type="button" class="tool lassoing" aria-pressed="false"
        title="Draw around pictures, or drag with Shift">Lasso</button>
      <button type="button" class="tool query" hidden>Show my query</button>
      <button type="button" class="tool fit">Fit</button>
      <button type="button" class="tool farther" aria-label="Zoom out">−</button>
      <button type="button" class="tool nearer" aria-label="Zoom in">+</button>
    </div>
    <div class="window">
      <div class="view" tabindex="0" role="application" aria-describedby="atlas-keys">
        <canvas class="pictures" aria-hidden="true"></canvas><canvas class="over" aria-hidden="true"></canvas>
      </div>
      <div class="tip" hidden></div>
      <div class="card" role="dialog" hidden></div>
    </div>
  </div>
  <div class="side">
    <h2>Groups</h2>
    <ul class="groups"></ul>
  </div>
  <p class="hidden" id="atlas-keys">Arrow keys move the map, plus and minus zoom, 0 shows all of it, Enter opens the
  picture in the middle.</p>
  <p class="hidden said" aria-live="polite"></p>
</div>
"""
SCRIPTS = ("camera", "sprites", "flat", "sharp", "overlay", "gestures", "panel")
_mount = load("atlas", HTML, scripts=[*(f"atlas_{part}" for part in SCRIPTS), "atlas", "atlas_actions"])


def show(
    message: Mapping[str, Any],
    on_open: Callable[[int], None],
    on_select: Callable[[str], None],
    *,
    key: str,
) -> None:
    """Draw the map.

    Args:
        message: what to draw, see `map/message.py`: places of pictures are numbers from 0.
        on_open: called with the place of a picture to search with, before anything is drawn again.
        on_select: called with which pictures are selected, as `message.encode_places` writes it, likewise.
    """
    _mount(
        key=key,
        data=dict(message),
        on_open_change=lambda: _pass_on_place(on_open, st.session_state[key].open, len(message["names"])),
        on_select_change=lambda: _pass_on_selection(on_select, st.session_state[key].select, message["id"]),
    )


def _pass_on_place(on_open: Callable[[int], None], value: Any, count: int) -> None:
    """Call back with the place of a picture, if the browser's message is valid."""
    if isinstance(value, int | float) and 0 <= value < count:
        on_open(int(value))


def _pass_on_selection(on_select: Callable[[str], None], value: Any, shown: str) -> None:
    """Call back with a selection, if the browser's message is valid and about the map that is shown."""
    match value:
        case {"of": str(of), "places": str(places)} if of == shown and len(places) <= LONGEST:
            on_select(places)
