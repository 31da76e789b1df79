"""The results: filters, the ranked grid, its pages and the detail dialog, drawn again without the rest of the page."""

import logging
import math
from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import streamlit as st

from similarity.app.components import tiles
from similarity.app.components.tiles import Tile
from similarity.app.search import copies, detail, exports, feedback, filters, ranked, turns, verdicts
from similarity.app.search.copies import Found
from similarity.app.search.query_parts import Example, query_vector
from similarity.app.search.ranked import MAX_RESULTS
from similarity.app.serving import drawing, resources
from similarity.app.shell import links, navigation
from similarity.app.shell.links import PAGE_SIZES, Link
from similarity.app.shell.navigation import LastSearch
from similarity.app.wording import messages
from similarity.errors import SearchError, StoreError
from similarity.evaluation.confidence.estimate import Chances
from similarity.gallery import Gallery
from similarity.search import Hit
from similarity.vectors.arrays import Vectors

logger = logging.getLogger(__name__)


@drawing.fragment
def show(gallery: Gallery, like: Sequence[Example], unlike: Sequence[Example]) -> None:
    """Draw the results for at least one example, and counter-examples."""
    feedback.rerun_after_feedback()
    link, vector = links.read(), query_vector(gallery, like, unlike)
    _remember(gallery, link, vector, like[0].preview)
    try:
        asked = turns.choose(gallery, like, unlike, vector, link)
        like, chances = asked.like, asked.chances
        if asked.turned:
            _remember(gallery, link, asked.vector, like[0].cropped)
        hits, found = copies.put_first(gallery, ranked.search(gallery, asked.vector, link, like, unlike), like, link)
        ordered = ranked.in_order(gallery, hits, link.sort)
    except StoreError as error:
        logger.warning("%s cannot be searched: %s", gallery.directory, error)
        messages.show_error(error)
        st.button("Try again", icon=":material/refresh:", key="search-again")
        return
    except SearchError as error:
        messages.show_error(error)
        st.button("Clear all filters", key="clear-wrong-filters", on_click=filters.clear_filters)
        return
    pages = max(1, math.ceil(len(hits) / link.k))
    page = min(link.page, pages)
    shown = ordered[(page - 1) * link.k : page * link.k]
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key="toolbar"):
        st.markdown(_count(gallery, hits, link, found), width="content")
        with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
            filters.show(resources.facets(gallery), link, is_exact=gallery.is_exact, has_parts=gallery.manifest.parts)
            if shown:
                exports.show(gallery, shown, asked, found)
            choose_page_size(link)
    if not shown:
        _say_nothing_found()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="verdict"):
        verdicts.show(ordered, link, page, chances, found)
        turns.show(asked)
    drawn = (_tile(gallery, hit, link, chances, found) for hit in shown)
    tiles.show(drawn, detail.open_after_rerun, partial(feedback.give, gallery), key="results", query=str(link.like[0]))
    choose_page(page, pages)
    detail.show_if_open(gallery, ordered, like, chances, found)


def _say_nothing_found() -> None:
    st.info("No picture meets these conditions.", icon=":material/filter_alt_off:")
    st.button("Clear all filters", icon=":material/close:", key="clear-all", on_click=filters.clear_filters)


def choose_page_size(link: Link) -> None:
    """Draw the choice of the number of results on a page."""
    st.session_state["k"] = link.k
    st.selectbox(
        "Results on a page",
        PAGE_SIZES,
        format_func=lambda k: f"{k:d} a page",
        key="k",
        on_change=lambda: links.change(k=st.session_state["k"]),
        label_visibility="collapsed",
        width=130,
    )


def choose_page(page: int, pages: int) -> None:
    """Draw the choice of a page, if there is more than one."""
    if pages > 1:
        # A new key for every page, since the value of this widget cannot be set from outside.
        key = f"page-{page}-of-{pages}"
        with st.container(horizontal_alignment="center"):
            st.pagination(pages, default=page, key=key, on_change=partial(_turn_to, key))


def _turn_to(key: str) -> None:
    links.change(page=st.session_state[key])


def _remember(gallery: Gallery, link: Link, vector: Vectors, picture: bytes) -> None:
    navigation.remember_search(LastSearch(gallery.name, gallery.state, link.parameters(), vector, picture))


def _tile(gallery: Gallery, hit: Hit, link: Link, chances: Chances | None, found: Found) -> Tile:
    return feedback.with_feedback(ranked.tile(gallery, hit, chances, link.precision, found), link)


def _count(gallery: Gallery, hits: Sequence[Hit], link: Link, found: Found) -> str:
    """Return the heading: how many results there are, and in which order."""
    # Copies that are the most similar anyway need no word.
    is_moved = bool(found.proven) and any(one.score < other.score for one, other in pairwise(hits))
    order = filters.describe_order(resources.facets(gallery), link, has_copies=is_moved)
    if len(gallery) > MAX_RESULTS and len(hits) > MAX_RESULTS // 2:  # of those, filters may have left some out
        further = f", {order}" if link.sort else ", copies first" if is_moved else ""
        return f"**The {len(hits):,} most similar** of {len(gallery):,} pictures{further}"
    pictures = "picture" if len(hits) == 1 else "pictures"
    if len(hits) == len(gallery):
        return f"**{len(hits):,} {pictures},** {order}"
    return f"**{len(hits):,} {pictures}** of {len(gallery):,}, {order}"
