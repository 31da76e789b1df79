"""Starting points: pictures to click on while there is no query."""

import base64
import math
from collections.abc import Callable

import streamlit as st

from similarity.app.components import tiles
from similarity.app.components.tiles import Tile
from similarity.app.search import filters, results
from similarity.app.serving import drawing, previews, resources
from similarity.app.shell import links
from similarity.app.shell.links import ITEM, SAMPLE, Part
from similarity.gallery import Gallery
from similarity.sample import SAMPLE as SAMPLE_GALLERY
from similarity.sample import sample_queries
from similarity.sources import Item


def show(gallery: Gallery) -> None:
    """Draw the samples, if this is the sample gallery, and the gallery's own pictures."""
    if gallery.name == SAMPLE_GALLERY and (samples := sample_queries()):
        st.subheader("Try one of these", anchor=False)
        st.caption("Pictures that are not in the gallery. Click on one to search with it.")
        tiles.show(map(_of_sample, samples), _search_with(SAMPLE), key="samples")
        st.subheader("Or start from a picture of the gallery", anchor=False)
    else:
        st.subheader("The pictures of this gallery", anchor=False)
        st.caption("Click on one to find similar ones.")
    _browse(gallery)


@drawing.fragment
def _browse(gallery: Gallery) -> None:
    """Draw the gallery's pictures, page by page."""
    link = links.read()
    facets = resources.facets(gallery)
    rows = facets.rows(facets.known(link.where))
    pages = max(1, math.ceil(len(rows) / link.k))
    page = min(link.page, pages)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key="toolbar"):
        st.markdown(f"**{len(rows):,} pictures**", width="content")
        with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
            filters.show(facets, link)
            results.choose_page_size(link)
    shown = gallery.items.at(rows[(page - 1) * link.k : page * link.k])
    if tiles.show((tiles.of_item(gallery, item) for item in shown), _search_with(ITEM), key="gallery-pictures"):
        st.rerun()
    results.choose_page(page, pages)


def _of_sample(item: Item) -> Tile:
    jpeg = base64.b64encode(previews.sample_thumbnail(item.path)).decode()
    return tiles.of_sample(item, f"data:image/jpeg;base64,{jpeg}")


def _search_with(kind: str) -> Callable[[str], None]:
    """Return a callback that makes a clicked picture the query."""
    return lambda value: links.set_query((Part(kind, value),), ())
