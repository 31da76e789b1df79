"""Grey boxes in the place of results that are searched for: nothing else is there to look at yet."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

# Pixels, as pictures of several shapes have them; see `style.py` for the rest.
WIDTHS = (150, 113, 200, 150, 100, 150, 200, 113, 150, 150, 113, 200, 150, 150, 100)
BOXES = "".join(f'<i style="flex: {width} 1 {width}px; max-width: {2 * width}px"></i>' for width in WIDTHS)


@contextmanager
def shown() -> Iterator[None]:
    """Show the boxes for as long as the work inside takes; they move nothing, and results of before stay instead."""
    place = st.empty()
    with place.container(key="skeleton"):
        st.html(f'<div class="skeleton" aria-hidden="true">{BOXES}</div>')
    try:
        yield
    finally:
        place.empty()
