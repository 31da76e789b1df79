"""The pictures of the lightbox: a result beside its query or under it, and the way to the one before and after."""

import base64
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import streamlit as st
from PIL import Image

from similarity.app.components.loading import load
from similarity.text.plain import LONGEST

SIDE, SLIDER, NONE = "side", "slider", "none"
CLOSING = "lightbox-closing"

_mount = load(
    "lightbox",
    '<div class="lightbox"><div class="pictures"></div><div class="strip">'
    '<button type="button" class="previous" aria-label="Previous result" title="Previous (←)"></button>'
    '<p class="position" aria-live="polite"></p>'
    '<button type="button" class="next" aria-label="Next result" title="Next (→)"></button></div></div>',
)
_mount_closing = load("lightbox_closing", "<span hidden></span>")


class Picture(TypedDict):
    """A picture with its texts; see `picture`."""

    src: str
    ratio: float
    alt: str
    caption: str


class Step(TypedDict):
    """A result that one can go to.

    Attributes:
        id: passed to `on_step`.
        src, ratio: the address of its thumbnail, which is shown until the picture is here, and its width / height.
        position: its place among the results, such as `3 of 1,000`.
        query: the page's query string when it is open.
    """

    id: str
    src: str
    ratio: float
    position: str
    query: str


@dataclass(frozen=True, slots=True)
class Strip:
    """The results around the one that is open.

    Attributes:
        steps: some of the results, in the order shown; without the open one, nothing leads on from it.
        at: the place of the open one in `steps`; -1 if it is not there.
    """

    steps: Sequence[Step] = ()
    at: int = -1


def picture(jpeg: bytes, *, alt: str, caption: str) -> Picture:
    """Prepare a picture, with an alternative text and the text below it."""
    with Image.open(io.BytesIO(jpeg)) as image:
        ratio = image.width / image.height
    return {
        "src": f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}",
        "ratio": ratio,
        "alt": alt,
        "caption": caption,
    }


def watch_closing(*, is_new: bool) -> None:
    """Watch for the lightbox to be closed, which may happen before its content is drawn; draws nothing.

    Args:
        is_new: whether it was opened from the page just now, so that going back one step closes it.
    """
    _mount_closing(key=CLOSING, data={"new": is_new})


def show(
    pictures: Sequence[Picture], strip: Strip, on_step: Callable[[str], None], *, view: str = SIDE, key: str
) -> None:
    """Draw the pictures, the query's before the result's, and the buttons beside them.

    Arrow keys and swipes do what the buttons do. The browser changes the page's address at once, without a new entry
    in its history, and clears it when the dialog around this element is closed.

    Args:
        pictures: one or two; none if something else draws them, or there are none.
        on_step: called with the id of another result, before anything is drawn again.
        view: SIDE by side, with a SLIDER between them, or NONE.
    """
    _mount(
        key=key,
        data={
            "pictures": list(pictures),
            "view": view,
            "steps": list(strip.steps),
            "at": strip.at,
        },
        on_step_change=lambda: _pass_on(on_step, st.session_state[key].step),
    )


def _pass_on(on_step: Callable[[str], None], value: Any) -> None:
    """Call back with the id of a result, if the browser's message is valid."""
    if isinstance(value, str) and 0 < len(value) <= LONGEST:
        on_step(value)
