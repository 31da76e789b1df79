"""Marks on results, more like this or not like this: the search follows at once, and they are kept to be learned from.

They are kept where galleries may be changed; whoever may only search leaves nothing behind.
"""

import logging

import streamlit as st

from similarity.app.components.tiles import Tile
from similarity.app.search.query_parts import picture_file
from similarity.app.serving import query_vectors
from similarity.app.serving.access import may_manage
from similarity.app.shell import links
from similarity.app.shell.links import ITEM, MAX_PARTS, TEXT, Link, Part
from similarity.app.wording.messages import error_as_markdown
from similarity.errors import SimilarityError
from similarity.gallery import Gallery
from similarity.sources.originals import file_name
from similarity.storage.feedback import Asked, add_mark, forget_mark

NOTICE, HAS_CHANGED = "marking_notice", "marking_has_changed"
FULL = f"A search has room for {MAX_PARTS} examples and {MAX_PARTS} counter-examples: take one of them back first."
KEPT = "Marks are kept with the gallery, to be exported or learned from."
NOT_KEPT = "Marks count for this search only: they are not kept."
NOT_KEPT_FOR_WORDS = "Marks are kept only of searches that begin with a picture, not with words."

logger = logging.getLogger(__name__)


def mark_tile(tile: Tile, link: Link) -> Tile:
    """A result that can be marked, unless it is the query itself."""
    part = Part(ITEM, tile["id"])
    if part == link.like[0]:
        return tile
    return tile | {"wanted": True if part in link.like else False if part in link.unlike else None}


def mark(gallery: Gallery, item_id: str, wanted: bool | None) -> None:
    """Make a result an example or a counter-example of the search, or take that back; for a callback."""
    part, link = Part(ITEM, item_id), links.read()
    if part in link.like[:1]:
        return
    like, unlike = (tuple(one for one in parts if one != part) for parts in (link.like, link.unlike))
    if wanted:
        like = (*like, part)
    elif wanted is False:
        unlike = (*unlike, part)
    st.session_state[HAS_CHANGED] = True
    if max(len(like), len(unlike)) > MAX_PARTS:
        st.session_state[NOTICE] = FULL
        return
    keep(gallery, part, wanted)
    links.set_query(like, unlike)


def keep(gallery: Gallery, part: Part, wanted: bool | None) -> None:
    """Keep what a part of the search is from now on, or forget it, if it is a mark on a result; for a callback.

    To be called before the search in the address is changed, since that is what the mark is about.
    """
    link = links.read()
    if part.kind != ITEM or part.box or not link.like or part == link.like[0] or not may_manage():
        return
    try:
        asked = _asked(gallery, link.like[0])
        if asked is None:
            return
        item = gallery.find(part.value)
        if wanted is None:
            forget_mark(gallery.directory, asked, item)
        else:
            add_mark(gallery.directory, gallery.manifest, asked, item, wanted=wanted)
    except SimilarityError as error:
        logger.warning("A mark is not kept: %s (%r)", error, error.__cause__)
        st.session_state[NOTICE] = f"This mark is not kept. {error_as_markdown(error)}"


def draw_again_if_marked() -> None:
    """Draw the whole page if something has just been marked: results are a fragment, and the query is outside it."""
    if st.session_state.pop(HAS_CHANGED, False):
        st.rerun()


def show_notice() -> None:
    """Say it if a mark could not be made or kept."""
    if notice := st.session_state.pop(NOTICE, None):
        st.toast(notice, icon=":material/error:", duration="long")


def storage_note(link: Link) -> str:
    """What becomes of marks on the results of a search, in a sentence."""
    if not may_manage():
        return NOT_KEPT
    return NOT_KEPT_FOR_WORDS if link.like and link.like[0].kind == TEXT else KEPT


def _asked(gallery: Gallery, part: Part) -> Asked | None:
    """What results are marked for, which is the first part of the search; None of words, which are not kept."""
    if part.kind == TEXT:
        return None
    if part.kind == ITEM and not part.box:
        item = gallery.find(part.value)
        return Asked(file_name(item), item.sha256)
    file = picture_file(gallery, part)
    return Asked(file.name, file.sha256, part.box, query_vectors.embed_picture(gallery, file, part.box))
