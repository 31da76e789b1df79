"""Turns of the query: tried if its switch is on, or if it looks like nothing in the gallery as it is."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from similarity.app.search import confidence, feedback
from similarity.app.search.query_parts import Example, picture_file, query_vector
from similarity.app.serving import query_vectors
from similarity.app.shell import links
from similarity.app.shell.parameters import TEXT, Link
from similarity.app.wording.messages import error_as_markdown
from similarity.errors import FetchError, ImageError, SimilarityError
from similarity.evaluation.confidence.estimate import Chances
from similarity.gallery import Gallery
from similarity.query.turns import choose_turn, describe, name
from similarity.vectors.arrays import Vectors

SWITCH = "turned"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """A query in the turn that is searched with.

    Attributes:
        like: its examples; the first picture is in that turn.
        vector: the vector to search with, float32 (dim,).
        chances: the probabilities of its results, if they are known.
        turned: the degrees clockwise that it is turned by; None if no other turn was tried.
        problem: why it cannot be turned, if that was requested.
    """

    like: Sequence[Example]
    vector: Vectors
    chances: Chances | None
    turned: int | None = None
    problem: SimilarityError | None = None


def show_switch(link: Link) -> None:
    """Draw the switch, if any example is a picture; it goes into the address."""
    if all(part.kind == TEXT for part in link.like):
        return
    st.session_state[SWITCH] = bool(link.turned)
    st.toggle(
        "Try it turned",
        key=SWITCH,
        on_change=lambda: links.change(turned=st.session_state[SWITCH]),
        help="For a picture that is sideways or upside down: it is turned the way that fits this gallery best.",
    )


def choose(gallery: Gallery, like: Sequence[Example], unlike: Sequence[Example], vector: Vectors, link: Link) -> Asked:
    """Return a query as it is, or in the turn that looks most like the gallery.

    Args:
        vector: of the query as it is.
        link: says whether it is to be turned, must not be, or may be if it looks like nothing in the gallery. Then it
            must not be doubtful in its turn either: by chance, one of three further tries comes near more often.

    Raises:
        SearchError: a filter makes no sense. StoreError: the gallery's store cannot be asked.
    """
    chances = confidence.estimate(gallery, like, unlike, vector, link)
    upright = Asked(like, vector, chances)
    is_stranger = chances is not None and chances.is_stranger
    if link.turned is False or not (link.turned or is_stranger) or all(one.part.kind == TEXT for one in like):
        return upright
    try:
        turned = _turn(gallery, like)
    except (ImageError, FetchError) as error:
        logger.info("A query cannot be turned: %r", error)
        return replace(upright, problem=error if link.turned else None)
    if turned is like:
        return upright if is_stranger else replace(upright, turned=0)
    vector = query_vector(gallery, turned, unlike)
    found = confidence.estimate(gallery, turned, unlike, vector, link)
    if found is not None and (found.is_stranger or (is_stranger and not link.turned and found.is_doubtful)):
        return upright
    return Asked(turned, vector, found, max(one.turned for one in turned))


def show(asked: Asked) -> None:
    """Draw the sentence that says in which turn it was searched, with the way back."""
    if asked.problem:
        st.caption(f"This picture cannot be tried turned. {error_as_markdown(asked.problem)}")
    if asked.turned is None:
        return
    icon = {0: "check", 90: "rotate_right", 180: "swap_vert", 270: "rotate_left"}[asked.turned]
    if not asked.turned:
        st.markdown(f":material/{icon}: {describe(asked.turned)}", width="content")
        return
    # Short, so that it stands beside the verdict, and the button beside it on a phone.
    st.markdown(f":material/{icon}: {name(asked.turned).capitalize()}", width="content")
    label, icon, why = "Search it as it is", ":material/undo:", describe(asked.turned)
    st.button(label, icon=icon, key="search-as-it-is", help=why, on_click=_undo)


def _undo() -> None:
    links.change(turned=False)
    st.session_state[feedback.HAS_CHANGED] = True  # the switch is outside of the fragment of the results


def _turn(gallery: Gallery, like: Sequence[Example]) -> Sequence[Example]:
    """Return examples with the first picture in the turn that is nearest to the gallery; the same if it is upright."""
    place = next(place for place, example in enumerate(like) if example.part.kind != TEXT)
    first = like[place]
    if first.embedding is None:
        return like
    embeddings = query_vectors.embed_turns(gallery, picture_file(gallery, first.part), first.part.box)
    degrees = choose_turn(gallery, np.concatenate([first.embedding[np.newaxis], embeddings]))
    if not degrees:
        return like
    embedding = embeddings[degrees // 90 - 1]
    vector = gallery.refine(embedding[np.newaxis])[0]
    turned = replace(first, vector=vector, embedding=embedding, turned=degrees)
    return [*like[:place], turned, *like[place + 1 :]]
