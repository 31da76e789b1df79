"""Feedback on results, "more like this" or "not like this": it refines the search, and is stored for training.

Only the feedback of visitors who may manage galleries is stored.
"""

import logging
import secrets
from dataclasses import dataclass

import streamlit as st

from similarity.app.components.tiles import Tile
from similarity.app.search import facts
from similarity.app.search.query_parts import picture_file
from similarity.app.serving import query_vectors
from similarity.app.serving.access import item_for_visitor, may_manage
from similarity.app.shell import links
from similarity.app.shell.parameters import ITEM, MAX_PARTS, TEXT, Link, Part
from similarity.app.wording.messages import error_as_markdown
from similarity.errors import SimilarityError
from similarity.gallery import Gallery
from similarity.sources.originals import file_name
from similarity.storage.feedback import FeedbackQuery, add_feedback, forget_feedback

NOTICE, HAS_CHANGED, CHANGE = "marking_notice", "marking_has_changed", "marking_change"
FULL = f"A search has room for {MAX_PARTS} examples and {MAX_PARTS} counter-examples: take one of them back first."
KEPT = "Marks are kept with the gallery, to be exported or learned from."
NOT_KEPT = "Marks count for this search only: they are not kept."
NOT_KEPT_FOR_WORDS = "Marks are kept only of searches that begin with a picture, not with words."

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Change:
    """The last change of feedback on a result.

    Attributes:
        item_id: the result.
        before: the feedback before it.
        query: the examples and counter-examples after it.
        text: what it has done, in a sentence.
        name: tells it from an earlier one.
    """

    item_id: str
    before: bool | None
    query: tuple[tuple[Part, ...], tuple[Part, ...]]
    text: str
    name: str


def with_feedback(tile: Tile, link: Link) -> Tile:
    """Let a visitor give feedback on a result, unless that is the query itself; returns the tile."""
    part = Part(ITEM, tile["id"])
    if part == link.like[0]:
        return tile
    return tile | {"wanted": True if part in link.like else False if part in link.unlike else None}


def give(gallery: Gallery, item_id: str, wanted: bool | None) -> None:
    """Make a result an example or a counter-example of the query, or neither; for a callback."""
    part, link = Part(ITEM, item_id), links.read()
    if part in link.like[:1]:
        return
    before = True if part in link.like else False if part in link.unlike else None
    like, unlike = (tuple(other for other in parts if other != part) for parts in (link.like, link.unlike))
    if wanted:
        like = (*like, part)
    elif wanted is False:
        unlike = (*unlike, part)
    st.session_state[HAS_CHANGED] = True
    if max(len(like), len(unlike)) > MAX_PARTS:
        st.session_state[NOTICE] = FULL
        return
    store(gallery, part, wanted)
    links.set_query(like, unlike)
    text = _describe(gallery, item_id, wanted)
    st.session_state[CHANGE] = Change(item_id, before, (like, unlike), text, secrets.token_hex(4))


def last_change(link: Link) -> Change | None:
    """Return the last change of feedback, if the search is still as it has left it."""
    change: Change | None = st.session_state.get(CHANGE)
    return change if change and change.query == (link.like, link.unlike) else None


def undo(gallery: Gallery, change: Change) -> None:
    """Take back a change of feedback; for a callback."""
    give(gallery, change.item_id, change.before)
    st.session_state.pop(CHANGE, None)


def store(gallery: Gallery, part: Part, wanted: bool | None) -> None:
    """Store feedback on a result, or delete it if `wanted` is None; for a callback.

    Call it before the address changes, since the feedback belongs to the query in the address.
    """
    link = links.read()
    if part.kind != ITEM or part.box or not link.like or part == link.like[0] or not may_manage():
        return
    try:
        query = _feedback_query(gallery, link.like[0])
        if query is None:
            return
        item = gallery.find(part.value)
        if wanted is None:
            forget_feedback(gallery.directory, query, item)
        else:
            add_feedback(gallery.directory, gallery.manifest, query, item, wanted=wanted)
    except SimilarityError as error:
        logger.warning("Feedback is not stored: %s (%r)", error, error.__cause__)
        st.session_state[NOTICE] = f"This mark is not kept. {error_as_markdown(error)}"


def rerun_after_feedback() -> None:
    """Draw the whole page again after feedback: the query is outside of the fragment of the results."""
    if st.session_state.pop(HAS_CHANGED, False):
        st.rerun()


def show_notice() -> None:
    """Show once why feedback could not be given or stored."""
    if notice := st.session_state.pop(NOTICE, None):
        st.toast(notice, icon=":material/error:", duration="long")


def storage_note(link: Link) -> str:
    """Return a sentence that says whether feedback on the results of a search is stored."""
    if not may_manage():
        return NOT_KEPT
    return NOT_KEPT_FOR_WORDS if link.like and link.like[0].kind == TEXT else KEPT


def _describe(gallery: Gallery, item_id: str, wanted: bool | None) -> str:
    try:
        name = facts.spoken_name(item_for_visitor(gallery.find(item_id)))
    except SimilarityError:  # it has left the gallery meanwhile
        name = facts.THIS
    if wanted is None:
        return f"Ranked again, without your mark on {name}"
    return f"Ranked again: {'more' if wanted else 'less'} like {name}"


def _feedback_query(gallery: Gallery, part: Part) -> FeedbackQuery | None:
    """Return the first part of the query, to which feedback belongs; None for words, whose feedback is not stored."""
    if part.kind == TEXT:
        return None
    if part.kind == ITEM and not part.box:
        item = gallery.find(part.value)
        return FeedbackQuery(file_name(item), item.sha256)
    file = picture_file(gallery, part)
    return FeedbackQuery(file.name, file.sha256, part.box, query_vectors.embed_picture(gallery, file, part.box))
