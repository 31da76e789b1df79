"""The results: filters, the ranked grid and the detail dialog, drawn again without the rest of the page."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from similarity.app.components import copy_link, skeleton, tile_size, tiles
from similarity.app.search import (
    detail,
    exports,
    feedback,
    filters,
    notices,
    query_strip,
    ranked,
    rankings,
    selection,
    tally,
    turns,
    verdicts,
)
from similarity.app.search.query_parts import Example, query_vector
from similarity.app.search.ranked import MAX_RESULTS
from similarity.app.search.rankings import Ranking
from similarity.app.serving import access, drawing, resources
from similarity.app.shell import links, navigation, parameters
from similarity.app.shell.navigation import LastSearch
from similarity.app.shell.parameters import Link
from similarity.app.wording import messages
from similarity.errors import SearchError, SimilarityError, StoreError
from similarity.gallery import Gallery
from similarity.vectors.arrays import Vectors

GRID = "results"
# Stands where the verdict comes, which takes a second look.
LOOKING = "Looking for your very picture among the results …"

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Rest:
    """What is still to be done when results are drawn, which a page puts off until it has drawn all else.

    Attributes:
        is_put_off: whether it waits for `finish`; it does not when the results are drawn again alone.
        work: what it is, if there is anything.
    """

    is_put_off: bool = True
    work: Callable[[], None] | None = None

    def finish(self) -> None:
        """Do it."""
        self.is_put_off = False
        if self.work:
            self.work()


@drawing.fragment
def show(gallery: Gallery, like: Sequence[Example], unlike: Sequence[Example], rest: Rest) -> None:
    """Draw the results for at least one example, and counter-examples, and leave the `rest` to the page."""
    feedback.rerun_after_feedback()
    link, vector = links.read(), query_vector(gallery, like, unlike)
    _remember(gallery, link, vector, like[0].preview)
    toolbar, verdict = _make_places()
    with verdict:
        said = st.container(horizontal=True, vertical_alignment="center", gap="small", key="verdict")
        query_strip.show(like, unlike, link)
    try:
        with skeleton.shown(), said:
            ranking = rankings.rank(gallery, like, unlike, vector, link)
    except (StoreError, SearchError) as error:
        _show_failure(gallery, error)
        return
    if (asked := ranking.asked).turned:
        _remember(gallery, link, asked.vector, asked.like[0].cropped)
    with toolbar:
        st.markdown(_count(gallery, ranking, link), width="content")
        controls = st.container(horizontal=True, vertical_alignment="center", gap="xsmall", width="content")
    with said:
        place = st.empty()
    if _is_settled(ranking, link):
        _show_verdict(place, ranking, link)
    else:
        place.caption(LOOKING)
    _say_if_nothing_is_found(ranking)
    _show_grid(gallery, ranking, link)
    if rest.is_put_off:
        drawing.let_browser_draw()
    with controls:
        _show_controls(gallery, ranking, link, unlike)
    selection.show(gallery, ranking.ordered, asked, ranking.found, link)
    detail.show_if_open(gallery, ranking.ordered, asked.like, asked.chances, ranking.found)
    if ranking.ordered:  # else it is said that filters are on
        notices.show(gallery, link)
    rest.work = partial(_look_again, place, gallery, ranking, link)
    if not rest.is_put_off:
        rest.finish()


def _make_places() -> tuple[DeltaGenerator, DeltaGenerator]:
    """Return the places of the controls and of the verdict, made before there is anything in them: nothing jumps."""
    row = partial(st.container, horizontal=True, vertical_alignment="center")
    return row(horizontal_alignment="distribute", key="toolbar"), row(gap="small", key="verdict-row")


def _look_again(place: DeltaGenerator, gallery: Gallery, ranking: Ranking, link: Link) -> None:
    """Look for the query's very picture among the results, if that is due, and say what is known then."""
    if rankings.look_again(gallery, ranking, link):
        st.rerun()
    if not _is_settled(ranking, link):
        _show_verdict(place, ranking, link)


def _is_settled(ranking: Ranking, link: Link) -> bool:
    """Whether what is known of the results stands, though they may still be looked at a second time."""
    hits, chances, found = ranking.ordered, ranking.asked.chances, ranking.found
    return not ranking.is_due or verdicts.is_lasting(hits, chances, link.precision, found)


def _show_failure(gallery: Gallery, error: SimilarityError) -> None:
    """Say why there are no results, and draw the way on."""
    messages.show_error(error)
    if isinstance(error, StoreError):
        logger.warning("%s cannot be searched: %s", gallery.directory, error)
        st.button("Try again", icon=":material/refresh:", key="search-again")
    else:
        st.button("Clear all filters", key="clear-wrong-filters", on_click=filters.clear_filters)


def _show_verdict(place: DeltaGenerator, ranking: Ranking, link: Link) -> None:
    """Say how sure the results are, and in which turn of the query they were found."""
    with place.container(horizontal=True, vertical_alignment="center", gap="small", key="said"):
        verdicts.show(ranking.ordered, link, ranking.asked.chances, ranking.found)
        turns.show(ranking.asked)


def _show_controls(gallery: Gallery, ranking: Ranking, link: Link, unlike: Sequence[Example]) -> None:
    """Draw what changes or takes away the results."""
    counts, parts = tally.of_results(gallery, ranking, link, unlike), gallery.manifest.parts
    filters.show(resources.facets(gallery), link, counts, is_exact=gallery.is_exact, has_parts=parts)
    if ranking.ordered:
        selected = selection.selected(gallery)
        exports.show(gallery, ranking.ordered, ranking.asked, ranking.found, link, selected=selected)
    copy_link.show(has_upload=parameters.has_upload(link), key="copy-link", has_word=True)
    tile_size.show()


def _show_grid(gallery: Gallery, ranking: Ranking, link: Link) -> None:
    """Draw the results that are wanted: the first ones, or those that the browser has asked for."""
    start = tiles.wanted_start(GRID)
    shown, redact = ranking.ordered[start : start + tiles.chunk(start)], access.redactor()
    chances, found = ranking.asked.chances, ranking.found
    drawn = (ranked.tile(gallery, hit, chances, link.precision, found, redact) for hit in shown)
    tiles.show(
        (feedback.with_feedback(tile, link) for tile in drawn),
        detail.open_after_rerun,
        partial(feedback.give, gallery),
        key=GRID,
        listing=rankings.listing(ranking, link, start),
        on_select=partial(selection.select, gallery),
        selected=selection.selected(gallery),
    )


def _say_if_nothing_is_found(ranking: Ranking) -> None:
    place = st.empty()  # of its own, so that it is gone at once when there are results
    if not ranking.ordered:
        with place.container():
            st.info("No picture meets these conditions.", icon=":material/filter_alt_off:")
            st.button("Clear all filters", icon=":material/close:", key="clear-all", on_click=filters.clear_filters)


def _remember(gallery: Gallery, link: Link, vector: Vectors, picture: bytes) -> None:
    navigation.remember_search(LastSearch(gallery.name, gallery.state, link.parameters(), vector, picture))


def _count(gallery: Gallery, ranking: Ranking, link: Link) -> str:
    """Return the heading: how many results there are, and in which order."""
    is_moved, count = ranking.is_moved, len(ranking.ordered)
    order = filters.describe_order(resources.facets(gallery), link, has_copies=is_moved)
    if len(gallery) > MAX_RESULTS and count > MAX_RESULTS // 2:  # of those, filters may have left some out
        further = f", {order}" if link.sort else ", copies first" if is_moved else ""
        return f"**The {count:,} most similar** of {len(gallery):,} pictures{further}"
    pictures = "picture" if count == 1 else "pictures"
    if count == len(gallery):
        return f"**{order[:1].upper()}{order[1:]}**"  # their number stands beside the gallery
    return f"**{count:,} {pictures}** of {len(gallery):,}, {order}"
