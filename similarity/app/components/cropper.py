"""The query's picture, on which the part to search with is selected by dragging."""

import base64
import io
from collections.abc import Callable

import streamlit as st
from PIL import Image

from similarity.app.components.loading import load
from similarity.images.picture import Box

_mount = load(
    "crop",
    '<div class="crop"><img draggable="false"><div class="box" tabindex="0" role="group" '
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
    _mount(key=key, data=data, on_box_change=changed)
