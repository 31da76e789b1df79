"""The page as a place to drop, paste, choose or photograph pictures, with one large target where there is no query."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from similarity.app.components.loading import load
from similarity.text.plain import LONGEST

# The uploaders that it fills: a container with one of these keys is around each, see `drop_target.js`.
PAGE, MORE = "page-upload", "query-more"
PICTURE = (
    '<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.6" aria-hidden="true">'
    '<rect x="3" y="4" width="18" height="16" rx="2.5"/><circle cx="8.5" cy="9.5" r="1.6"/>'
    '<path d="m4 18 5.5-5.5 3.5 3.5 3-3L20.5 17"/></svg>'
)
CAMERA = (
    '<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" aria-hidden="true">'
    '<path d="M4 8h3l1.6-2.5h6.8L17 8h3a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V9a1 1 0 0 1 1-1z"/>'
    '<circle cx="12" cy="13" r="3.6"/></svg>'
)
HTML = (
    f'<div class="drop"><button type="button" class="target">{PICTURE}'
    '<strong><span class="mouse">Drop a picture here</span><span class="touch">Choose a picture</span></strong>'
    '<span class="mouse">Click to choose, or paste with <kbd class="paste"></kbd>. Several? Each gets its own results.'
    '</span><span class="touch">Several? Each gets its own results.</span></button>'
    f'<button type="button" class="photograph">{CAMERA}Take a photo</button>'
    '<input class="chooser" type="file" multiple hidden>'
    '<input class="camera" type="file" accept="image/*" capture="environment" hidden>'
    '<div class="status" role="status"></div><div class="overlay" aria-hidden="true" hidden>Drop to search</div></div>'
)

KEY = "drop-target"
# More files than anybody drops; a browser may send any number, also none that is finite.
MOST_FILES = 1e6

_mount = load("drop_target", HTML)


@dataclass(frozen=True, slots=True)
class Limits:
    """Files that are taken at once: how many, and the bytes of the largest and of all."""

    files: int
    largest: int
    total: int


def show(
    on_text: Callable[[str, bool], None], on_left_out: Callable[[int, int], None], *, is_large: bool, limits: Limits
) -> None:
    """Listen on the whole page, and draw the target if there is room for it.

    Args:
        on_text: called with a text that was pasted or an address that was dropped, and whether it is to be added to the
            query, before anything is drawn again.
        on_left_out: called with how many files were taken, and how many were too large, if some were left out.
        is_large: whether the target is drawn.
    """
    words = {"taken": "Sending …", "pasted": "Pasted picture"}
    sizes = {"most": limits.files, "largest": limits.largest, "bytes": limits.total}
    _mount(
        key=KEY,
        data={"large": is_large, "longest": LONGEST, "words": words} | sizes,
        on_text_change=lambda: _pass_text(on_text, st.session_state[KEY].text),
        on_left_out_change=lambda: _pass_left_out(on_left_out, st.session_state[KEY].left_out),
    )


def _pass_text(on_text: Callable[[str, bool], None], value: object) -> None:
    """Call back with a text, if the browser's message is valid."""
    match value:
        case {"text": str(text), "adding": bool(is_adding)} if text and len(text) <= LONGEST + 1:
            on_text(text, is_adding)


def _pass_left_out(on_left_out: Callable[[int, int], None], value: object) -> None:
    """Call back with numbers of files, if the browser's message is valid."""
    match value:
        case {"taken": int() | float() as taken, "large": int() | float() as large} if (
            0 <= taken < MOST_FILES and 0 <= large < MOST_FILES
        ):
            on_left_out(int(taken), int(large))
