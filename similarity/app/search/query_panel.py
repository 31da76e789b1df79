"""The query panel: the pictures and words that make up the query, and inputs for more."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import streamlit as st

from similarity.app.components import cropper
from similarity.app.search import feedback, filters, objects, query_input, query_parts, turns
from similarity.app.search.query_parts import Example
from similarity.app.serving.access import text_for_visitor
from similarity.app.shell import links
from similarity.app.shell.links import ITEM, TEXT, Link, Part
from similarity.app.wording import messages
from similarity.errors import SimilarityError
from similarity.gallery import Gallery
from similarity.images.picture import Box

ALSO, NOT = "Also like it", "Not like it"
ROLE = "role"
HINT = ":material/crop: Drag a rectangle on the picture to search with a part of it. Click on a result to look closer."
REFINE = ":material/thumb_up: :material/thumb_down: refine results."


def show(
    gallery: Gallery, link: Link, *, can_group: bool = False, can_refine: bool = True
) -> tuple[list[Example], list[Example]]:
    """Draw the parts of the query, and inputs for more.

    Args:
        can_group: whether the page can group results by the objects in the query's only picture.
        can_refine: whether results of the page can be marked.

    Returns:
        Examples and counter-examples; for those that cannot be loaded, the page shows an error.
    """
    can_group = can_group and len(link.like) == 1 and not link.unlike
    like = [_show_part(gallery, part, is_first=not at, can_group=can_group) for at, part in enumerate(link.like)]
    unlike = [_show_part(gallery, part, is_wanted=False) for part in link.unlike]
    turns.show_switch(link)
    feedback.show_notice()
    if any(part.kind == ITEM and not part.box for part in (*link.like[1:], *link.unlike)):
        st.caption(feedback.storage_note(link))
    elif can_refine and link.like and not (can_group and objects.are_grouped(gallery, like[0], link)):
        st.caption(REFINE)
    if link.like or link.unlike:
        st.button("Start over", icon=":material/restart_alt:", on_click=_start_over, width="stretch")
        with st.expander("Add a picture or words" if gallery.understands_text else "Add a picture"):
            st.session_state.setdefault(ROLE, ALSO)
            st.segmented_control(
                "What it is for",
                [ALSO, NOT],
                key=ROLE,
                required=True,
                width="stretch",
                label_visibility="collapsed",
            )
            query_input.show(_add_part, understands_text=gallery.understands_text)
    else:
        st.markdown("**Search by image or words**" if gallery.understands_text else "**Search by image**")
        query_input.show(_add_part, understands_text=gallery.understands_text)
    return [example for example in like if example], [example for example in unlike if example]


def _start_over() -> None:
    filters.clear_filters()
    links.set_query((), ())


def _add_part(part: Part) -> None:
    """Add a part to the query, in the role that was chosen for it."""
    role, link = st.session_state.get(ROLE, ALSO), links.read()
    st.session_state[ROLE] = ALSO
    if role == NOT:
        links.set_query(link.like, (*link.unlike, part))
    else:
        links.set_query((*link.like, part), link.unlike)


def _show_part(
    gallery: Gallery, part: Part, *, is_first: bool = False, can_group: bool = False, is_wanted: bool = True
) -> Example | None:
    """Load and draw a part of the query; if it cannot be loaded, show an error and return None."""
    try:
        with st.spinner("Reading the words …" if part.kind == TEXT else "Looking at the picture …"):
            example = query_parts.load(gallery, part)
    except SimilarityError as error:
        messages.show_error(error)
        st.button("Remove it", icon=":material/close:", key=f"remove-{part}", on_click=_remove, args=(gallery, part))
        return None
    if is_first:
        _show_first(gallery, example, can_group=can_group)
    else:
        _show_further(gallery, example, is_wanted=is_wanted)
    return example


def _show_first(gallery: Gallery, example: Example, *, can_group: bool) -> None:
    part = example.part
    if part.kind == TEXT:
        st.markdown(f":material/format_quote: **{messages.as_markdown(example.title)}**")
        _small_button("Remove", ":material/close:", f"remove-{part}", _remove, gallery, part)
        return
    key = f"crop-{part.kind}-{part.value}"
    cropper.show(
        example.preview,
        f"Your picture: {text_for_visitor(example.title)}",
        part.box,
        lambda box: _crop(part, box),
        key=key,
    )
    objects.show_chips(gallery, example, partial(_crop, part), can_group=can_group)
    st.caption(messages.as_markdown(example.title))
    is_grouped = can_group and objects.are_grouped(gallery, example, links.read())
    if part.box or is_grouped:
        icon, use = ":material/crop_free:", _ungroup if is_grouped else partial(_crop, part, None)
        st.button("Use the whole picture", icon=icon, on_click=use, width="stretch")
    else:
        st.caption(HINT)


def _show_further(gallery: Gallery, example: Example, *, is_wanted: bool) -> None:
    part = example.part
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=f"part-{part}"):
        if part.kind == TEXT:
            st.markdown(f":material/format_quote: {messages.as_markdown(example.title)}", width="content")
        else:
            st.image(example.cropped, alt=text_for_visitor(example.title), width=48)
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


def _ungroup() -> None:
    links.ask_with_objects(False)


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
