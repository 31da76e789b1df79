"""The results of each object in the query's picture: a row for each, found as if it was searched with alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st

from similarity.app.components import tiles
from similarity.app.components.tiles import Tile
from similarity.app.search import copies, detail, filters, query_strip, ranked, turns, verdicts
from similarity.app.search.copies import Found
from similarity.app.search.query_parts import Example, load, query_vector
from similarity.app.search.turns import Asked
from similarity.app.serving import drawing, resources
from similarity.app.shell import links, navigation
from similarity.app.shell.navigation import LastSearch
from similarity.app.shell.parameters import Link
from similarity.app.wording import messages
from similarity.errors import SimilarityError
from similarity.gallery import Gallery
from similarity.images.picture import Box
from similarity.query import copy_facts
from similarity.query.turns import name
from similarity.search import Hit

# Results of each object, and the session's object whose result is looked at.
SHOWN, OPENED = 10, "opened_object"


@dataclass(frozen=True, slots=True)
class Row:
    """What was found with one object.

    Attributes:
        part: the object, as it is.
        asked: the object in the turn that is searched with.
        hits: its first results, in the order that the visitor sees.
        found: what a second look found of them.
    """

    part: Example
    asked: Asked
    hits: Sequence[Hit]
    found: Found


@drawing.fragment
def show(gallery: Gallery, example: Example, boxes: Sequence[Box]) -> None:
    """Draw a row of results for each object in a picture."""
    link = links.read()
    last = LastSearch(gallery.name, gallery.state, link.parameters(), example.vector, example.preview)
    navigation.remember_search(last)
    query_strip.show([example], (), link)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key="toolbar"):
        objects = "object" if len(boxes) == 1 else "objects"
        st.markdown(f"**{len(boxes)} {objects}** in your picture", width="content")
        filters.show(resources.facets(gallery), link, is_exact=gallery.is_exact)
    try:
        rows = [_search(gallery, load(gallery, replace(example.part, box=box)), link) for box in boxes]
    except SimilarityError as error:
        messages.show_error(error)
        return
    for number, row in enumerate(rows, 1):
        _show_row(gallery, row, number, f"Object {number:d} of {len(boxes):d}", link)
    if opened := _opened_row(rows, link.open):
        detail.show_if_open(gallery, opened.hits, opened.asked.like, opened.asked.chances, opened.found)


def _opened_row(rows: Sequence[Row], item_id: str) -> Row | None:
    """Return the row whose result is looked at: the one that was clicked on, or with a link the first that has it."""
    opened = st.session_state.get(OPENED, 0)
    having = [row for row in rows if any(item_id in (hit.item.id, hit.item.public_id) for hit in row.hits)]
    clicked = rows[opened] if opened < len(rows) else None
    return clicked if clicked in having else next(iter(having), clicked)


def _search(gallery: Gallery, part: Example, link: Link) -> Row:
    asked = turns.choose(gallery, [part], (), query_vector(gallery, [part], ()), link)
    hits, found = copies.put_first(
        gallery, ranked.search(gallery, asked.vector, link, most=copies.CANDIDATES), asked.like, link
    )
    shown = hits[:SHOWN]
    kept = {hit.item.id for hit in shown}
    found = replace(found, copies={item: copy for item, copy in found.copies.items() if item in kept})
    return Row(part, asked, ranked.in_order(gallery, shown, link.sort), found)


def _show_row(gallery: Gallery, row: Row, number: int, title: str, link: Link) -> None:
    """Draw an object, what is known of its results, a button that searches with it alone, and its first results."""
    asked = row.asked
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"part-object-{number}"):
        with st.container(width=72):
            st.image(asked.like[0].cropped, alt="", width="stretch")
        with st.container(width="content", gap=None):
            st.markdown(f"**{title}**" + (f", {name(asked.turned)}" if asked.turned else ""))
            hits = sorted(row.hits, key=lambda hit: hit.rank)
            if known := verdicts.summarize(hits, asked.chances, link.precision, row.found):
                st.caption(known)
        st.button(
            "More like it",
            icon=":material/search:",
            key=f"open-object-{number}",
            on_click=links.set_query,
            args=((row.part.part,), ()),
        )
    if row.hits:
        drawn = (ranked.tile(gallery, hit, asked.chances, link.precision, row.found) for hit in row.hits)
        tiles.show(
            map(_shorten, drawn), lambda item_id: _open(number - 1, item_id), key=f"object-{number}", is_small=True
        )
    else:
        st.caption("No picture meets these conditions.")


def _shorten(tile: Tile) -> Tile:
    """Say of a copy only that it is one, which fits a small tile: the edges of an object are no news, anyway."""
    return tile | {"copy": copy_facts.SAME.capitalize()} if "copy" in tile else tile


def _open(place: int, item_id: str) -> None:
    st.session_state[OPENED] = place
    detail.open_after_rerun(item_id)
