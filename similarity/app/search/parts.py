"""Parts of pictures among the results: the choice to search them, and the words on a page."""

import streamlit as st

from similarity.app.components.tiles import Tile
from similarity.app.shell import links
from similarity.app.shell.parameters import Link
from similarity.gallery import Gallery
from similarity.query.copies import Copy
from similarity.search import Hit

KEY = "parts"
# Beside a result with an outline.
OUTLINED = "The outline shows the part that looks most like your picture."


def are_searched(gallery: Gallery, link: Link) -> bool:
    """Whether parts are asked for, and the gallery has them."""
    return link.parts and gallery.manifest.parts


def prepare(gallery: Gallery, link: Link) -> None:
    """Prepare parts that are searched for the first time, which takes minutes in a gallery of 10,000 pictures."""
    if are_searched(gallery, link):
        with st.spinner("Preparing the parts of pictures, once after pictures have changed …"):
            gallery.prepare_parts()


def choose(link: Link) -> None:
    """Draw the choice; a change goes into the address."""
    st.session_state[KEY] = link.parts
    st.toggle(
        "Search in parts of pictures",
        key=KEY,
        on_change=lambda: links.change(parts=st.session_state[KEY]),
        help="Finds pictures in which your thing is one of several. The part that was found is outlined in a closer "
        "look.",
    )


def hint_at(tile: Tile, hit: Hit, copy: Copy | None) -> Tile:
    """Say in the hint of a result that it was found by a part of it; of a copy, more is known.

    Not on the tile: a part is a little better than the whole of most pictures.
    """
    if hit.part is None or copy:
        return tile
    return tile | {"hint": f"{tile['hint']} (a part of it is most like your picture)"}
