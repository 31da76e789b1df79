"""The lightbox: one picture beside the query, what is known of it, and the way to the next one.

Which picture it shows stands in the page's address, as `open`. The browser takes it out of there when the dialog is
closed: going back one step in its history, if that is where it was opened from, so that closing leaves no trace there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from similarity.app.components import copy_link, lightbox, tiles
from similarity.app.components.lightbox import Picture, Step, Strip
from similarity.app.search import confidence, copies, explanation, facts, feedback, parts
from similarity.app.search.copies import NOT_LOOKED, Found
from similarity.app.search.query_parts import Example
from similarity.app.serving import pictures, previews, visitors
from similarity.app.serving.access import item_for_visitor, text_for_visitor
from similarity.app.shell import links, parameters
from similarity.app.shell.parameters import ITEM, Part
from similarity.app.wording.messages import as_markdown, escape_markdown, show_error
from similarity.errors import SimilarityError
from similarity.evaluation.confidence.estimate import Chances
from similarity.gallery import Gallery
from similarity.query.copies import Copy
from similarity.search import Hit
from similarity.service.visitor import Visitor
from similarity.sources import Item
from similarity.sources.originals import file_name
from similarity.text import plain

JUST_OPENED, SHOWN_DUPLICATES = "detail_just_opened", 24
# Results on either side that one can go on to before the page has answered.
AHEAD = 8
# Where the query is somebody else's upload.
PRIVATE = "The picture searched with is private to its sender, so it is not shown."


@dataclass(frozen=True, slots=True)
class Results:
    """The results that the lightbox goes through.

    Attributes:
        hits: in the order that the visitor sees.
        like: the query's examples.
        chances: how likely they are right, if that is known.
        found: what a second look found of them.
    """

    gallery: Gallery
    hits: Sequence[Hit]
    like: Sequence[Example]
    chances: Chances | None
    found: Found

    def place_of(self, item_id: str) -> int:
        """The place of a picture among them, from 0; -1 if it is none of them."""
        return next((place for place, hit in enumerate(self.hits) if hit.item.id == item_id), -1)

    def confidence_in(self, hit: Hit | None) -> str:
        """How likely a result is right, in words; of a copy, more is known."""
        if not hit or not self.chances or self.found.of(hit.item.id):
            return ""
        return confidence.describe(hit, self.chances)


def open_after_rerun(item_id: str) -> None:
    """Open the lightbox for a picture when the page is drawn; for a callback."""
    st.session_state[JUST_OPENED] = True
    links.open_item(item_id)


def show_if_open(
    gallery: Gallery,
    hits: Sequence[Hit],
    like: Sequence[Example],
    chances: Chances | None = None,
    found: Found = NOT_LOOKED,
) -> None:
    """Draw the lightbox on top of the page, if the address names a picture."""
    link, is_new = links.read(), bool(st.session_state.pop(JUST_OPENED, False))
    lightbox.watch_closing(is_new=is_new)
    if link.open and link.gallery in (None, gallery.name):  # a gallery that is gone has no pictures to show
        # Its heading is in the dialog itself, since it changes with the picture.
        st.dialog("Picture", width="large")(_show)(Results(gallery, hits, like, chances, found))


def _show(results: Results) -> None:
    if not links.read().open:  # a button has begun another search
        st.rerun()
    item, error = _find(results.gallery, links.read().open)
    place = results.place_of(item.id) if item else -1
    hit = results.hits[place] if place >= 0 else None
    strip = _strip(results, place)
    with st.container(key="lightbox"):
        view = _show_heading(item, results.like)
        left, right = st.columns([7, 2], gap="medium")
        with left:
            _show_pictures(results, item, hit, strip, view)
            if error:
                show_error(error)
        if item:
            with right:
                _show_findings(results, item, hit)
                _show_actions(results.gallery, item, can_mark=bool(results.like))
                facts.show(results.gallery, item)
            _show_near_identical(results.gallery, item)


def _find(gallery: Gallery, item_id: str) -> tuple[Item | None, SimilarityError | None]:
    """Find the picture that the address names; a link may name one that is not in the gallery any more."""
    try:
        return gallery.find(item_id), None
    except SimilarityError as error:
        return None, error


def _strip(results: Results, place: int) -> Strip:
    """Return the results around a place."""
    if place < 0:
        return Strip()
    link = links.read()
    first = max(0, place - AHEAD)
    around = results.hits[first : place + AHEAD + 1]
    steps = [
        Step(
            id=hit.item.public_id,
            src=pictures.address(results.gallery.name, hit.item.sha256),
            ratio=hit.item.width / max(1, hit.item.height) or 1.0,
            position=f"{number:,} of {len(results.hits):,}",
            query=replace(link, open=hit.item.public_id).query_string,
        )
        for number, hit in enumerate(around, first + 1)
    ]
    return Strip(steps, place - first)


def _show_heading(item: Item | None, like: Sequence[Example]) -> str:
    """Draw what stays in sight: the picture's name, the choice of a view and a link to it; returns the view."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key="heading"):
        name = as_markdown(facts.name_of(item_for_visitor(item))) if item else "Not here any more"
        st.subheader(name, anchor=False, width="stretch")
        view = explanation.choose_view() if item and explanation.can_compare(like) else lightbox.SIDE
        if item:
            copy_link.show(has_upload=parameters.has_upload(links.read()), key="copy-link-to-it")
    return view


def _show_pictures(results: Results, item: Item | None, hit: Hit | None, strip: Strip, view: str) -> None:
    with st.container(key="stage"):
        heat = st.container()
        is_drawn = False
        if item and view == explanation.WHY:
            copy = results.found.of(item.id)
            with heat:
                is_drawn = explanation.show(results.gallery, item, results.like, _caption(item, hit), copy)
        shown = _pictures(results, item, hit) if item and not is_drawn else []
        view = view if view == lightbox.SLIDER else lightbox.SIDE
        lightbox.show(shown, strip, links.open_item, view=view, key="lightbox-pictures")


def _pictures(results: Results, item: Item, hit: Hit | None) -> list[Picture]:
    """Return the query's first picture, if there is one, and the result, with outlines of what both show."""
    gallery, copy = results.gallery, results.found.of(item.id)
    part = hit.part if hit and not copy else None
    result = copies.outlined(previews.preview_of_item(gallery, item), copy.result_box if copy else part)
    seen = item_for_visitor(item)
    alt = text_for_visitor(f"Result: {seen.label or facts.name_of(seen)}")
    shown = [lightbox.picture(result, alt=alt, caption=_caption(item, hit))]
    for example in results.like[:1]:
        own = copies.outlined(example.cropped, copies.query_box(copy, example) if copy else None)
        title = text_for_visitor(f"Your query: {example.described}")
        shown.insert(0, lightbox.picture(own, alt=title, caption=explanation.caption_of(example)))
    return shown


def _caption(item: Item, hit: Hit | None) -> str:
    return (
        f"Rank {hit.rank:,}, score {hit.score:.3f}" if hit else text_for_visitor(facts.name_of(item_for_visitor(item)))
    )


def _show_findings(results: Results, item: Item, hit: Hit | None) -> None:
    """Say how likely the picture is right, or what makes it the query's very picture."""
    copy: Copy | None = results.found.of(item.id)
    if not results.like:
        st.caption(PRIVATE)
    if copy:
        st.markdown(copies.explain(copy))
    elif hit and hit.part:
        st.caption(parts.OUTLINED)
    if sure := results.confidence_in(hit):
        st.markdown(f"**{escape_markdown(sure)}**" + (f" ({as_markdown(item.labels[0])})" if item.labels else ""))


def _show_actions(gallery: Gallery, item: Item, *, can_mark: bool) -> None:
    """Draw buttons for further searches, each of which draws the whole page again, and what one can take along."""
    part, visitor = Part(ITEM, item.public_id), visitors.current()
    with st.container(key="actions"):
        _search_button("Search with it", "search", links.set_query, ((part,), ()), kind="primary")
        if can_mark and part not in links.read().like[:1]:  # the query itself
            with st.container(horizontal=True, gap="small", key="thumbs"):
                _search_button("More like this", "thumb_up", _mark, (gallery, item.public_id, True))
                _search_button("Not like this", "thumb_down", _mark, (gallery, item.public_id, False))
        st.download_button(
            "Download",
            lambda: _download(item, visitor),
            file_name=plain.entry(text_for_visitor(file_name(item))),
            icon=":material/download:",
            on_click="ignore",
            disabled=item.is_gone,
            width="stretch",
        )


def _search_button(
    label: str, icon: str, search: Callable[..., None], arguments: tuple[Any, ...], *, kind: Any = "secondary"
) -> None:
    name = f"do-{icon}"
    st.button(label, icon=f":material/{icon}:", on_click=search, args=arguments, type=kind, width="stretch", key=name)


def _mark(gallery: Gallery, item_id: str, wanted: bool) -> None:
    """Give feedback, and close the lightbox: the results, or why they stay as they are, are behind it."""
    feedback.give(gallery, item_id, wanted)
    links.open_item("")


def _download(item: Item, visitor: Visitor) -> bytes:
    """Read the file of a picture; called outside of a page, where the visitor has to be given."""
    with visitors.acting_for(visitor):
        return previews.original(item)


def _show_near_identical(gallery: Gallery, item: Item) -> None:
    if near := gallery.near_identical(item.id, SHOWN_DUPLICATES):
        st.markdown("**Copies of this picture**")
        tiles.show((tiles.of_hit(gallery, hit) for hit in near), links.open_item, key="near-identical")
