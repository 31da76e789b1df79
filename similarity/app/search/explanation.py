"""The explanation of a result: a heat map on it and on the query, and the parts of the score in words."""

from collections.abc import Sequence

import streamlit as st

from similarity.app.components import heat
from similarity.app.search import copies
from similarity.app.search.query_parts import Example, picture_file
from similarity.app.serving import previews, query_vectors, resources
from similarity.app.serving.access import text_for_visitor
from similarity.app.shell.links import TEXT
from similarity.app.wording.messages import escape_markdown, show_error
from similarity.errors import SimilarityError
from similarity.gallery import Gallery
from similarity.query.copies import Copy
from similarity.query.explain import Explanation
from similarity.sources import Item

SWITCH = "why-is-it-similar"


def show_switch() -> None:
    """Draw the switch; nothing is computed until it is on."""
    st.toggle("Why is it similar?", key=SWITCH)


def show_if_on(gallery: Gallery, item: Item, like: Sequence[Example], caption: str, copy: Copy | None = None) -> bool:
    """Draw the first picture of the query and a result, with heat over both, if the switch is on.

    Args:
        caption: the text below the result.
        copy: what a second look found of it, if it is the query's very picture; its outlines are drawn, too.

    Returns:
        Whether the pictures are drawn; if they cannot be, the page says why.
    """
    if not (like and st.session_state.get(SWITCH)):
        return False
    if like[0].part.kind == TEXT:
        st.info("Words have no regions that could match: show it a picture to see why a result is similar.")
        return False
    if item.is_gone:
        st.info("The file of this picture is gone, so it cannot be said why it is similar.", icon=":material/link_off:")
        return False
    try:
        with st.spinner("Comparing regions …"):
            explanation = _explain(gallery, item, like[0])
    except SimilarityError as error:
        show_error(error)
        return False
    _draw(gallery, item, like[0], explanation, caption, copy)
    st.caption(_caption(explanation, is_alone=len(like) == 1))
    return True


def _explain(gallery: Gallery, item: Item, example: Example) -> Explanation:
    file = picture_file(gallery, example.part)
    look = query_vectors.look(gallery, file, example.part.box, example.turned)
    return gallery.explain(look, item.id, fetch=resources.fetch_picture)


def _draw(
    gallery: Gallery, item: Item, example: Example, explanation: Explanation, caption: str, copy: Copy | None
) -> None:
    title = f"Your query: {text_for_visitor(example.described)}"
    left = heat.picture(example.cropped, explanation.query, alt=f"{title}, with heat", caption=title)
    left |= {"match": heat.edges(copies.query_box(copy, example)) if copy else None}
    preview = previews.preview_of_item(gallery, item)
    alt = f"Result: {text_for_visitor(item.label or caption)}, with heat"
    right = heat.picture(preview, explanation.result, alt=alt, caption=text_for_visitor(caption))
    right |= {"match": heat.edges(copy.result_box) if copy else None}
    heat.show(left, right, explanation, key="heat")


def _caption(explanation: Explanation, *, is_alone: bool) -> str:
    """Return a caption on the parts of the score and the meaning of the colours."""
    summary = escape_markdown(explanation.summary)
    if not is_alone:
        summary = f"Your query has several parts; this compares its first picture with the result. Alone: {summary}"
    colours = "The warmer a region, the more it adds to the score; parts that the model does not see have no colour."
    return " ".join([summary, colours, *([] if explanation.is_exact else [escape_markdown(explanation.note)])])
