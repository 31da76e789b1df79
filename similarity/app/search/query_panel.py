"""The query panel: the pictures and words that make up the query, and inputs for more."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import streamlit as st

from similarity.app.components import another_picture, cropper
from similarity.app.components.drop_target import MORE
from similarity.app.search import feedback, filters, objects, query_input, query_parts, turns
from similarity.app.search.query_parts import Example
from similarity.app.serving.access import text_for_visitor
from similarity.app.shell import links
from similarity.app.shell.parameters import TEXT, Link, Part
from similarity.app.wording import messages
from similarity.errors import SimilarityError
from similarity.gallery import Gallery
from similarity.images.picture import Box

ALSO, NOT = "Also like it", "Not like it"
ROLE = "role"
HINT = ":material/crop: Drag a rectangle on the picture to search with a part of it."
CLOSER = f"{HINT} Choose a result to look closer."
REFINE = ":material/thumb_up: and :material/thumb_down: on a result refine the search."


@dataclass(frozen=True, slots=True)
class Loaded:
    """The parts of a query, in their order; of one that cannot be loaded, why.

    Attributes:
        likes, unlikes: the examples and counter-examples, or the error in place of each.
    """

    likes: Sequence[Example | SimilarityError]
    unlikes: Sequence[Example | SimilarityError]

    @property
    def like(self) -> list[Example]:
        """The examples that could be loaded."""
        return [example for example in self.likes if isinstance(example, Example)]

    @property
    def unlike(self) -> list[Example]:
        """The counter-examples that could be loaded."""
        return [example for example in self.unlikes if isinstance(example, Example)]

    @property
    def failure(self) -> SimilarityError | None:
        """Why the only part of the query cannot be loaded; None if it can, or has others beside it."""
        match [*self.likes, *self.unlikes]:
            case [SimilarityError() as error]:
                return error
        return None


def load(gallery: Gallery, link: Link) -> Loaded:
    """Load and embed the parts of the query; the page says so while that takes long."""
    likes, unlikes = ([_load(gallery, part) for part in parts] for parts in (link.like, link.unlike))
    return Loaded(likes, unlikes)


def show(gallery: Gallery, link: Link, loaded: Loaded, *, can_group: bool = False, can_refine: bool = True) -> None:
    """Draw the parts of the query, and inputs for more.

    Args:
        can_group: whether the page can group results by the objects in the query's only picture, with marks or without.
        can_refine: whether results of the page can be marked and looked at, and the query be turned.
    """
    another_picture.show()
    further, like = (*link.like[1:], *link.unlike), loaded.like
    can_group = can_group and bool(link.like) and all(part.is_mark for part in further)
    for at, (part, example) in enumerate(zip(link.like, loaded.likes, strict=True)):
        hint = CLOSER if can_refine else HINT
        _show_part(gallery, part, example, first_hint="" if at else hint, can_group=can_group)
    for part, example in zip(link.unlike, loaded.unlikes, strict=True):
        _show_part(gallery, part, example, is_wanted=False)
    if like and can_refine:
        turns.show_switch(link)
    feedback.show_notice()
    if any(part.is_mark for part in further):
        st.caption(feedback.storage_note(link))
    elif can_refine and like and not (can_group and objects.are_grouped(gallery, like[0], link)):
        st.caption(REFINE)
    if link.like or link.unlike:
        st.button("Start over", icon=":material/restart_alt:", on_click=start_over, width="stretch")
        title = "Add a picture or words" if gallery.understands_text else "Add a picture"
        with st.container(key=MORE), st.expander(title):
            st.session_state.setdefault(ROLE, ALSO)
            st.segmented_control(
                "What it is for",
                [ALSO, NOT],
                key=ROLE,
                required=True,
                width="stretch",
                label_visibility="collapsed",
            )
            query_input.show(add_part, understands_text=gallery.understands_text)
    else:
        st.markdown("**Search by image or words**" if gallery.understands_text else "**Search by image**")
        query_input.show(add_part, understands_text=gallery.understands_text)


def start_over() -> None:
    """Drop the query and its filters; for a callback."""
    links.set_query((), (), **filters.NO_FILTERS)


def add_part(part: Part) -> None:
    """Add a part to the query, in the role that was chosen for it."""
    role, link = st.session_state.get(ROLE, ALSO), links.read()
    st.session_state[ROLE] = ALSO
    if role == NOT:
        links.set_query(link.like, (*link.unlike, part))
    else:
        links.set_query((*link.like, part), link.unlike)


def _load(gallery: Gallery, part: Part) -> Example | SimilarityError:
    try:
        with st.spinner("Reading the words …" if part.kind == TEXT else "Looking at the picture …"):
            return query_parts.load(gallery, part)
    except SimilarityError as error:
        return error


def _show_part(
    gallery: Gallery,
    part: Part,
    example: Example | SimilarityError,
    *,
    first_hint: str = "",
    can_group: bool = False,
    is_wanted: bool = True,
) -> None:
    """Draw a part of the query, or why it could not be loaded; the first part is large, with a hint."""
    if isinstance(example, SimilarityError):
        messages.show_error(example)
        st.button("Remove it", icon=":material/close:", key=f"remove-{part}", on_click=_remove, args=(gallery, part))
    elif first_hint:
        _show_first(gallery, example, first_hint, can_group=can_group)
    else:
        _show_further(gallery, example, is_wanted=is_wanted)


def _show_first(gallery: Gallery, example: Example, hint: str, *, can_group: bool) -> None:
    part = example.part
    if part.kind == TEXT:
        st.markdown(f":material/format_quote: **{messages.as_markdown(example.title)}**")
        _small_button("Remove", ":material/close:", f"remove-{part}", _remove, gallery, part)
        return
    key = f"crop-{part.kind}-{part.value}"
    cropper.show(
        example.preview,
        text_for_visitor(f"Your picture: {example.name}") if example.name else "Your picture",
        part.box,
        lambda box: _crop(part, box),
        key=key,
    )
    has_chips = objects.show_chips(gallery, example, partial(_crop, part), can_group=can_group)
    if example.name:
        st.caption(messages.as_markdown(example.name))
    if part.box and not has_chips:
        use = partial(_crop, part, None)
        st.button("Use the whole picture", icon=":material/crop_free:", on_click=use, width="stretch")
    else:
        st.caption(hint)


def _show_further(gallery: Gallery, example: Example, *, is_wanted: bool) -> None:
    part = example.part
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=f"part-{part}"):
        if part.kind == TEXT:
            st.markdown(f":material/format_quote: {messages.as_markdown(example.title)}", width="content")
        else:
            st.image(example.cropped, alt=text_for_visitor(example.name or "A picture"), width=48)
        if is_wanted:
            st.badge("also like it", color="primary")
        else:
            st.badge("not like it", color="red")
        turn = "Make it a counter-example" if is_wanted else "Make it an example"
        _small_button(turn, ":material/swap_vert:", f"turn-{part}", _turn, gallery, part)
        _small_button("Remove", ":material/close:", f"remove-{part}", _remove, gallery, part)


def _small_button(
    label: str, icon: str, key: str, do: Callable[[Gallery, Part], None], gallery: Gallery, part: Part
) -> None:
    # Its words are for whoever hears the page; `style.py` shows the icon alone.
    st.button(label, icon=icon, help=label, key=f"icon-{key}", on_click=do, args=(gallery, part), type="tertiary")


def _crop(part: Part, box: Box | None) -> None:
    link = links.read()
    links.set_query(tuple(replace(other, box=box) if other == part else other for other in link.like), link.unlike)


def _remove(gallery: Gallery, part: Part) -> None:
    feedback.store(gallery, part, None)
    link = links.read()
    links.set_query(*(tuple(other for other in parts if other != part) for parts in (link.like, link.unlike)))


def _turn(gallery: Gallery, part: Part) -> None:
    link = links.read()
    was_wanted = part in link.like
    feedback.store(gallery, part, not was_wanted)
    like, unlike = (tuple(other for other in parts if other != part) for parts in (link.like, link.unlike))
    links.set_query(like if was_wanted else (*like, part), (*unlike, part) if was_wanted else unlike)
