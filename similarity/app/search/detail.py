"""The detail dialog: one picture beside the query, its facts, and further searches with it."""

from collections.abc import Callable, Sequence
from shlex import quote
from typing import Any

import streamlit as st

from similarity.app.components import tiles
from similarity.app.search import confidence, copies, explanation, feedback, parts
from similarity.app.search.copies import NOT_LOOKED, Found
from similarity.app.search.query_parts import Example
from similarity.app.serving import previews, visitors
from similarity.app.serving.access import item_for_visitor, may_manage, place_for_visitor, text_for_visitor
from similarity.app.shell import links
from similarity.app.shell.links import ITEM, Part
from similarity.app.wording import wording
from similarity.app.wording.messages import as_markdown, escape_markdown, show_error
from similarity.errors import SimilarityError
from similarity.evaluation.confidence.estimate import Chances
from similarity.gallery import Gallery
from similarity.images.exif import PLACE
from similarity.query.copies import Copy
from similarity.search import Hit
from similarity.service.visitor import Visitor
from similarity.sources import Item
from similarity.sources.locations import is_remote
from similarity.sources.originals import file_name
from similarity.text import plain

LOOKED_AT, IS_OPEN = "looked_at", "detail_is_open"
SHOWN_DUPLICATES = 24


def open_after_rerun(item_id: str) -> None:
    """Open the dialog for a picture when the page is drawn; for a callback."""
    st.session_state[LOOKED_AT] = item_id
    st.session_state[IS_OPEN] = True


def show_if_open(
    gallery: Gallery,
    hits: Sequence[Hit],
    like: Sequence[Example],
    chances: Chances | None = None,
    found: Found = NOT_LOOKED,
) -> None:
    """Draw the dialog on top of the page, if it was opened."""
    if st.session_state.pop(IS_OPEN, False):
        ranked = {hit.item.id: hit for hit in hits}
        st.dialog("A closer look", width="large")(_show)(gallery, ranked, like, chances, found)


def _show(
    gallery: Gallery, hits: dict[str, Hit], like: Sequence[Example], chances: Chances | None, found: Found
) -> None:
    try:
        item = gallery.find(st.session_state[LOOKED_AT])
        hit = hits.get(item.id)
        copy = found.of(item.id)
        sure = confidence.describe(hit, chances) if hit and chances and not copy else ""
        _show_pictures(gallery, item, hit, like, sure, copy)
        _show_actions(gallery, item)
        _show_facts(gallery, item)
        _show_near_identical(gallery, item)
    except SimilarityError as error:
        show_error(error)


def _show_pictures(
    gallery: Gallery, item: Item, hit: Hit | None, like: Sequence[Example], sure: str, copy: Copy | None
) -> None:
    item, name = item_for_visitor(item), text_for_visitor(file_name(item))
    caption = f"Rank {hit.rank}, score {hit.score:.3f}: {name}" if hit else name
    with st.container(key="compare"):
        part = hit.part if hit and not copy else None
        is_drawn = explanation.show_if_on(gallery, item, like, caption, copy)
        left, right = st.columns(2) if like else (None, st.container())
        if left and not is_drawn:
            own = copies.outlined(like[0].cropped, copies.query_box(copy, like[0]) if copy else None)
            left.image(own, alt=f"Your query: {text_for_visitor(like[0].described)}", width="stretch")
            left.caption(f"Your query: {as_markdown(like[0].described)}")
        if left:
            with left:
                explanation.show_switch()
        if not is_drawn:
            right.image(
                copies.outlined(previews.preview_of_item(gallery, item), copy.result_box if copy else part),
                alt=f"Result: {text_for_visitor(item.label or name)}",
                width="stretch",
            )
            right.caption(escape_markdown(f"{caption}{parts.OUTLINED if part else ''}"))
        if copy:
            st.markdown(copies.explain(copy))
        if sure:
            right.markdown(
                f"**{escape_markdown(sure)}**" + (f" ({as_markdown(item.labels[0])})" if item.labels else "")
            )


def _show_actions(gallery: Gallery, item: Item) -> None:
    """Draw buttons for further searches, each of which draws the whole page again, and for a download."""
    part, link, visitor = Part(ITEM, item.public_id), links.read(), visitors.current()
    searches: list[tuple[str, str, Callable[..., None], tuple[Any, ...]]] = [
        ("Search with it", ":material/search:", links.set_query, ((part,), ()))
    ]
    if part not in link.like[:1]:  # the query itself
        searches += [
            ("More like this", ":material/thumb_up:", feedback.give, (gallery, item.public_id, True)),
            ("Not like this", ":material/thumb_down:", feedback.give, (gallery, item.public_id, False)),
        ]
    with st.container(horizontal=True, gap="small", horizontal_alignment="right"):  # below the result
        for label, icon, search, arguments in searches:
            if st.button(label, icon=icon, on_click=search, args=arguments):
                st.rerun()
        st.download_button(
            "Download",
            lambda: _download(item, visitor),
            file_name=plain.entry(text_for_visitor(file_name(item))),
            icon=":material/download:",
            on_click="ignore",
            disabled=item.is_gone,
        )


def _download(item: Item, visitor: Visitor) -> bytes:
    """Read the file of a picture; called outside of a page, where the visitor has to be given."""
    with visitors.acting_for(visitor):
        return previews.original(item)


def _show_facts(gallery: Gallery, item: Item) -> None:
    place = place_for_visitor(item)
    st.caption("Address" if is_remote(item.path) else "File")
    st.code(text_for_visitor(place), language=None, wrap_lines=True)
    if item.is_gone:
        st.caption(":material/link_off: The file is gone; this small picture was made when it was indexed.")
        if may_manage():
            st.caption("If it has moved, sync the gallery with its new place. This command forgets it:")
            command = f"python -m similarity remove --gallery {quote(gallery.name)} --path {quote(item.path)}"
            st.code(text_for_visitor(command), language="bash", wrap_lines=True)
    item = item_for_visitor(item)
    facts = {"Label": item.label or "", "Size": f"{item.width:,} × {item.height:,} pixels, {wording.size(item.size)}"}
    facts |= {name.capitalize(): item.exif.get(name, "") for name in ("taken", "camera", *PLACE)}
    facts |= {name.capitalize(): value for name, value in item.metadata.items()}
    facts |= {"Exact copies": ", ".join(place_for_visitor(copy) for copy in item.copies)}
    st.table({as_markdown(name): as_markdown(value) for name, value in facts.items() if value}, border="horizontal")


def _show_near_identical(gallery: Gallery, item: Item) -> None:
    if near := gallery.near_identical(item.id, SHOWN_DUPLICATES):
        st.markdown("**Copies of this picture**")
        tiles.show((tiles.of_hit(gallery, hit) for hit in near), _look_at, key="near-identical")


def _look_at(item_id: str) -> None:
    st.session_state[LOOKED_AT] = item_id
