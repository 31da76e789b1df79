"""The views of a result beside its query, and why it is similar: heat on both, and the parts of the score in words."""

from collections.abc import Sequence

import streamlit as st

from similarity.app.components import heat, lightbox
from similarity.app.search import copies
from similarity.app.search.query_parts import Example, picture_file
from similarity.app.serving import previews, query_vectors, resources
from similarity.app.serving.access import item_for_visitor, text_for_visitor
from similarity.app.shell.parameters import TEXT
from similarity.app.wording.messages import escape_markdown, show_error
from similarity.errors import SimilarityError
from similarity.gallery import Gallery
from similarity.query.copies import Copy
from similarity.query.explain import Explanation
from similarity.sources import Item

VIEW, WHY = "compare-view", "why"
VIEWS = {lightbox.SIDE: "Both", lightbox.SLIDER: "Slider", WHY: "Why"}


def can_compare(like: Sequence[Example]) -> bool:
    """Whether the query begins with a picture: words have no regions that could match."""
    return bool(like) and like[0].part.kind != TEXT


def caption_of(example: Example) -> str:
    """Return the text below the query's picture, with its name if that says anything to people."""
    return text_for_visitor(f"Your query: {example.described}") if example.name else "Your query"


def choose_view() -> str:
    """Draw the choice between SIDE, SLIDER and WHY; returns what is chosen."""
    return (
        st.segmented_control(
            "View",
            list(VIEWS),
            format_func=lambda view: VIEWS[view],
            default=lightbox.SIDE,
            required=True,
            key=VIEW,
            label_visibility="collapsed",
            width="content",
        )
        or lightbox.SIDE
    )


def show(gallery: Gallery, item: Item, like: Sequence[Example], caption: str, copy: Copy | None = None) -> bool:
    """Draw the first picture of the query and a result, with heat over both.

    Args:
        caption: the text below the result.
        copy: what a second look found of it, if it is the query's very picture; its outlines are drawn, too.

    Returns:
        Whether the pictures are drawn; if they cannot be, the page says why.
    """
    if item.is_gone:
        st.info("The file of this picture is gone, so it cannot be said why it is similar.", icon=":material/link_off:")
        return False
    try:
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
    left = heat.picture(example.cropped, explanation.query, alt=f"{title}, with heat", caption=caption_of(example))
    left |= {"match": heat.edges(copies.query_box(copy, example)) if copy else None}
    preview = previews.preview_of_item(gallery, item)
    alt = f"Result: {text_for_visitor(item_for_visitor(item).label or caption)}, with heat"
    right = heat.picture(preview, explanation.result, alt=alt, caption=text_for_visitor(caption))
    right |= {"match": heat.edges(copy.result_box) if copy else None}
    heat.show(left, right, explanation, key="heat")


def _caption(explanation: Explanation, *, is_alone: bool) -> str:
    """Return a caption on the parts of the score and the meaning of the colours."""
    summary = escape_markdown(explanation.summary)
    if not is_alone:
        summary = f"Compared with the first picture of your query alone, the score is {explanation.score:.2f}."
    colours = "The model does not see parts without colour."
    return " ".join([summary, colours, *([] if explanation.is_exact else [escape_markdown(explanation.note)])])
