"""The query's picture, on which the part to search with is selected by dragging."""

import base64
import io
from collections.abc import Callable

import streamlit as st
from PIL import Image

from similarity.app.components.loading import load
from similarity.images.picture import Box

# Places as high as pictures of many shapes, before the script runs that draws one: nothing is moved by it. In percent
# of their width.
HEIGHTS, STEP = range(8, 164, 4), 4
CSS = (
    "<style>[class*='st-key-crop-place-'] { max-height: var(--crop-high); }"
    + "".join(f".st-key-crop-place-{height} {{ aspect-ratio: 100 / {height}; }}" for height in HEIGHTS)
    + "</style>"
)
# A picture that is narrower, in pixels, does not fill its place.
NARROW = 300
_mount = load(
    "crop",
    '<div class="crop"><img alt="" draggable="false"><div class="box" tabindex="0" role="group" '
    'aria-label="The part that is searched with: move it with the arrow keys, size it with Shift and the arrow keys">'
    '<span class="handle"></span></div></div>',
)


def show(picture: bytes, alt: str, box: Box | None, on_change: Callable[[Box], None], *, key: str) -> None:
    """Draw a picture with a selectable part.

    Args:
        picture: a JPEG.
        alt: the alternative text.
        box: the selected part.
        on_change: called with a newly selected part.
        key: a different one for every picture.
    """

    def changed() -> None:
        match st.session_state[key].box:
            case [int() | float(), int() | float(), int() | float(), int() | float()] as edges:
                on_change(Box(*(round(float(edge), 4) for edge in edges)))

    source = f"data:image/jpeg;base64,{base64.b64encode(picture).decode()}"
    edges = [box.left, box.top, box.right, box.bottom] if box else None
    with Image.open(io.BytesIO(picture)) as image:
        size = image.size
    data = {"src": source, "alt": alt, "size": size, "box": edges}
    with st.container(key=_place(*size)):
        _mount(key=key, data=data, on_box_change=changed)


def _place(width: int, height: int) -> str:
    """Return the key of a place that is as high as a picture of such a size."""
    if width < NARROW and height < NARROW:
        return "crop-place"
    percent = round(100 * height / width / STEP) * STEP
    return f"crop-place-{min(max(percent, HEIGHTS[0]), HEIGHTS[-1])}"
