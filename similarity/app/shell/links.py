"""The search in the address of the page, where alone it is stored: widgets are set from it and change it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from similarity.app.shell.parameters import ITEM, Link, Part, in_gallery, is_too_long, parse
from similarity.text.plain import LONGEST

TOO_LONG = (
    f"The address of this page is too long: each part of it has {LONGEST:,} characters at most. Start again here."
)
SEEN, SEEN_STATES = "seen", "seen_states"
# The query that was chosen last on a page: one that the browser went back to was not.
CHOSEN = "chosen_query"


def read() -> Link:
    """Read the search in the address of the page; an empty one if the address is too long."""
    parameters = {name: st.query_params.get_all(name) for name in st.query_params}
    return Link() if is_too_long(parameters) else parse(parameters)


def refuse_too_long() -> None:
    """Clear the address of the page and show an error if it is too long."""
    if is_too_long({name: st.query_params.get_all(name) for name in st.query_params}):
        st.query_params.clear()
        st.error(TOO_LONG, icon=":material/link_off:")


def write(link: Link) -> None:
    """Put a search into the address of the page; the browser can go back to the previous one."""
    if link.parameters() != read().parameters():
        st.query_params.from_dict(link.parameters())


def change(**changes: Any) -> None:
    """Change fields of the search, and return to the first page of results; a picture that is open is closed."""
    fields: dict[str, Any] = {"page": 1, "open": ""} | changes
    write(replace(read(), **fields))


def open_item(item_id: str) -> None:
    """Look closely at a result, or at none if it is empty; the search stays."""
    write(replace(read(), open=item_id))


def change_where(condition: str, values: tuple[str, ...]) -> None:
    """Change the values of one condition; without any, it is dropped."""
    where = dict(read().where) | {condition: values}
    change(where={name: chosen for name, chosen in where.items() if chosen})


def change_gallery(name: str) -> None:
    """Run the same search in another gallery, without filters and pictures of the previous one."""
    write(in_gallery(read(), name))


def set_query(like: tuple[Part, ...], unlike: tuple[Part, ...], **changes: Any) -> None:
    """Change the query; the address records the state of the gallery that the visitor saw.

    Args:
        changes: other fields that change with it, in the same entry of the browser's history.
    """
    gallery, generation, model = st.session_state.get(SEEN, (None, None, None))
    link, first = read(), [part.value for part in like[:1]]
    turned = link.turned if first == [part.value for part in link.like[:1]] else None  # it is about one picture
    gallery = gallery or link.gallery
    _note_choice(like)
    change(
        like=like,
        unlike=unlike,
        each=(),
        gallery=gallery,
        generation=generation,
        model=model,
        turned=turned,
        objects=False,
        **changes,
    )


def change_galleries(chosen: Sequence[str], against: Sequence[str]) -> None:
    """Show other galleries beside each other; the pictures of the first that are part of the query leave with it."""
    link, first = read(), next(iter(chosen), None)
    like, unlike = link.like, link.unlike
    if first != link.gallery:  # ids of pictures mean nothing in another gallery
        like, unlike = (tuple(part for part in parts if part.kind != ITEM) for parts in (like, unlike))
    change(gallery=first, against=tuple(against), like=like, unlike=unlike)


def set_each(parts: tuple[Part, ...]) -> None:
    """Make several pictures queries of their own, in place of the query."""
    gallery, generation, model = st.session_state.get(SEEN, (None, None, None))
    gallery = gallery or read().gallery
    _note_choice(parts)
    change(like=(), unlike=(), each=parts, gallery=gallery, generation=generation, model=model, objects=False)


def was_chosen(query: tuple[str, str] | None) -> bool:
    """Whether a query was chosen on a page since it was last asked, by the kind and the value of its first part."""
    return query is not None and st.session_state.pop(CHOSEN, None) == query


def _note_choice(parts: tuple[Part, ...]) -> None:
    st.session_state[CHOSEN] = next(((part.kind, part.value) for part in parts), None)


def ask_with_objects() -> None:
    """Search with each object in the query's first picture, whose marks are about the whole."""
    change(like=tuple(replace(part, box=None) for part in read().like[:1]), unlike=(), objects=True)


def remember_gallery(gallery: str, generation: int, model: str) -> None:
    """Remember the state of the gallery that the visitor sees."""
    st.session_state[SEEN] = (gallery, generation, model)
    st.session_state.setdefault(SEEN_STATES, set()).add((gallery, generation))


def has_seen(gallery: str, generation: int) -> bool:
    """Whether the visitor saw this state of the gallery in this tab: it has changed while they looked on."""
    return (gallery, generation) in st.session_state.get(SEEN_STATES, ())
