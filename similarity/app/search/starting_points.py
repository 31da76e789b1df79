"""Starting points: pictures to click on while there is no query."""

import base64
import hashlib
from collections.abc import Callable

import streamlit as st

from similarity.app.components import sample_row, tile_size, tiles
from similarity.app.components.tiles import Listing, Tile
from similarity.app.search import filters, query_strip, rankings, tally
from similarity.app.serving import access, previews, resources
from similarity.app.shell import links
from similarity.app.shell.parameters import ITEM, SAMPLE, Link, Part
from similarity.app.wording import wording
from similarity.gallery import Gallery
from similarity.sample import SAMPLE as SAMPLE_GALLERY
from similarity.sample import sample_queries
from similarity.sources import Item

PICTURES = "gallery-pictures"


def show(gallery: Gallery) -> None:
    """Draw the samples, if this is the sample gallery, and the gallery's own pictures."""
    if gallery.name == SAMPLE_GALLERY and (samples := sample_queries()):
        sample_row.show([_of_sample(sample) for sample in samples], _search_with(SAMPLE), key="samples")
    st.subheader("The pictures of this gallery", anchor=False)
    st.caption("Choose one to find similar ones.")
    _browse(gallery)


def _browse(gallery: Gallery) -> None:
    """Draw the gallery's pictures, of which more are drawn while they are scrolled."""
    link, start = links.read(), tiles.wanted_start(PICTURES)
    facets = resources.facets(gallery)
    rows = facets.rows(facets.known(link.where))
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key="toolbar"):
        st.markdown(f"**{wording.pictures(len(rows))}**", width="content")
        query_strip.show((), (), link)
        with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
            filters.show(facets, link, tally.of_gallery(gallery, facets, link), is_sorted=False)
            tile_size.show()
    shown = gallery.items.at(rows[start : start + tiles.chunk(start)])
    drawn = (tiles.of_item(gallery, item) for item in shown)
    tiles.show(drawn, _search_with(ITEM), key=PICTURES, listing=_listing(gallery, link, len(rows), start))


def _listing(gallery: Gallery, link: Link, total: int, start: int) -> Listing:
    """Return what the grid shows of the gallery's pictures from a place on, from 0."""
    shown = repr((gallery.name, gallery.state, sorted(link.where.items()), access.may_manage()))
    at = rankings.first_place(link, total)
    return Listing(hashlib.sha256(shown.encode()).hexdigest(), total=total, start=start, at=at)


def _of_sample(item: Item) -> Tile:
    jpeg = base64.b64encode(previews.sample_thumbnail(item.path)).decode()
    return tiles.of_sample(item, f"data:image/jpeg;base64,{jpeg}")


def _search_with(kind: str) -> Callable[[str], None]:
    """Return a callback that makes a clicked picture the query."""
    return lambda value: links.set_query((Part(kind, value),), ())
