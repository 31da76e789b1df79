"""Objects in the query's picture, as chips to search with, and the results of each one."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

import streamlit as st

from similarity.app.components import chips, tiles
from similarity.app.search import detail, filters, query_parts
from similarity.app.search.query_parts import Example
from similarity.app.serving import drawing, query_objects, resources
from similarity.app.shell import links, navigation
from similarity.app.shell.links import TEXT, Link
from similarity.app.shell.navigation import LastSearch
from similarity.app.wording import messages
from similarity.errors import SimilarityError
from similarity.gallery import Gallery
from similarity.images.picture import Box, QueryFile
from similarity.search import Hit

TITLE, ALL = "Search with an object in it", "All of them"
# Results of each object when all are searched with, and the object whose result is looked at.
SHOWN, OPENED = 10, "opened_object"
# How far two boxes may differ and be the same: an address keeps four digits.
SAME_BOX = 0.002

logger = logging.getLogger(__name__)


def find(gallery: Gallery, example: Example) -> list[Box]:
    """Find the objects in a picture of the query; none in words, or if this model cannot tell."""
    if example.part.kind == TEXT:
        return []
    try:
        return query_objects.find(gallery, QueryFile(example.preview, example.title))
    except SimilarityError as error:
        logger.info("No objects in a query of %s: %s", gallery.name, error)
        return []


def show_chips(gallery: Gallery, example: Example, on_crop: Callable[[Box | None], None], *, can_group: bool) -> None:
    """Draw a chip for each object in a picture, if there are any.

    Args:
        on_crop: called with the box of an object that was tapped, or None if it is the one searched with.
        can_group: whether all objects can be searched with at once.
    """
    boxes = find(gallery, example)
    if not boxes:
        return
    is_all = can_group and is_grouped(links.read())
    active = next((at for at, box in enumerate(boxes) if _is_same(box, example.part.box)), None)

    def choose(place: int) -> None:
        if place == len(boxes):
            links.ask_with_objects(not is_all)
        else:
            on_crop(None if place == active else boxes[place])

    chips.show(
        query_objects.thumbnails(example.preview, boxes),
        [_name(number, boxes) for number in range(1, len(boxes) + 1)],
        len(boxes) if is_all else active,
        choose,
        title=TITLE,
        key=f"objects-{example.part.kind}-{example.part.value}",
        further=ALL if can_group and len(boxes) > 1 else "",
    )


def is_grouped(link: Link) -> bool:
    """Whether a search asks for results of each object in its only picture."""
    return link.objects and len(link.like) == 1 and not link.unlike and link.like[0].box is None


@drawing.fragment
def show_results(gallery: Gallery, example: Example, boxes: Sequence[Box]) -> None:
    """Draw a row of results for each object in a picture."""
    link = links.read()
    last = LastSearch(gallery.name, gallery.state, link.parameters(), example.vector, example.preview)
    navigation.remember_search(last)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key="toolbar"):
        objects = "object" if len(boxes) == 1 else "objects"
        st.markdown(f"**{len(boxes)} {objects}** in your picture", width="content")
        filters.show(resources.facets(gallery), link, is_exact=gallery.is_exact)
    try:
        parts = [query_parts.load(gallery, replace(example.part, box=box)) for box in boxes]
        found = [_search(gallery, part, link) for part in parts]
    except SimilarityError as error:
        messages.show_error(error)
        return
    for number, (part, hits) in enumerate(zip(parts, found, strict=True), 1):
        _show_row(gallery, part, hits, number, boxes)
    opened = st.session_state.get(OPENED, 0)
    if opened < len(parts):
        detail.show_if_open(gallery, found[opened], [parts[opened]])


def _show_row(gallery: Gallery, part: Example, hits: Sequence[Hit], number: int, boxes: Sequence[Box]) -> None:
    """Draw an object, a button that searches with it alone, and its first results."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"part-object-{number}"):
        st.image(query_objects.thumbnails(part.preview, [boxes[number - 1]])[0], alt="", width=56)
        st.markdown(f"**Object {number:d} of {len(boxes)}**", width="content")
        st.button(
            "More like it",
            icon=":material/search:",
            key=f"open-object-{number}",
            on_click=links.set_query,
            args=((part.part,), ()),
        )
    if hits:
        drawn = (tiles.of_hit(gallery, hit) for hit in hits)
        tiles.show(drawn, lambda item_id: _open(number - 1, item_id), key=f"object-{number}", is_small=True)
    else:
        st.caption("No picture meets these conditions.")


def _open(place: int, item_id: str) -> None:
    st.session_state[OPENED] = place
    detail.open_after_rerun(item_id)


def _search(gallery: Gallery, part: Example, link: Link) -> list[Hit]:
    return gallery.search_vector(
        part.vector,
        SHOWN,
        where=resources.facets(gallery).original(link.where),
        min_score=link.min_score or -1.0,
        distinct=link.distinct,
        one_per_product=link.one_per_product,
        accuracy=link.accuracy,
    )


def _name(number: int, boxes: Sequence[Box]) -> str:
    return f"Object {number:d} of {len(boxes)}"


def _is_same(one: Box, other: Box | None) -> bool:
    if other is None:
        return False
    pairs = ((one.left, other.left), (one.top, other.top), (one.right, other.right), (one.bottom, other.bottom))
    return all(abs(first - second) < SAME_BOX for first, second in pairs)
