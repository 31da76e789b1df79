"""A grid of pictures, each of which can be clicked on; one element, since a hundred of Streamlit's take long."""

from collections.abc import Callable, Iterable
from typing import Any, NotRequired, TypedDict

import streamlit as st

from similarity.app.components.loading import load
from similarity.app.serving import access, pictures
from similarity.gallery import Gallery
from similarity.search import Hit
from similarity.sources import Item
from similarity.sources.originals import file_name
from similarity.text.plain import LONGEST

_mount = load("tiles", '<ul class="tiles"></ul>')


class Tile(TypedDict):
    """What is shown of a picture.

    Attributes:
        id: what `on_open` is told.
        src: the picture's address.
        alt: what is to be seen, for who cannot see it.
        rank, score, label, name, note: on it and below it, where there is one.
        mark: right, wrong, shared or query, if it is marked as one.
        hint: what a click does.
        chance: how sure it is, if that is known.
        unsure: whether it is less sure than was asked for.
        wanted: what it is marked as, if it can be: more like this, not like this, or None for neither.
    """

    id: str
    src: str
    alt: str
    rank: str
    score: float | None
    label: str
    name: str
    note: str
    mark: str
    hint: str
    chance: NotRequired[str]
    unsure: NotRequired[bool]
    wanted: NotRequired[bool | None]


def show(
    tiles: Iterable[Tile],
    on_open: Callable[[str], None],
    on_mark: Callable[[str, bool | None], None] | None = None,
    *,
    key: str,
    is_small: bool = False,
) -> bool:
    """Draw the grid.

    Args:
        on_open: called with the id of a tile that is clicked on, before anything is drawn again.
        on_mark: likewise with that of one that is marked, and what it is marked as from now on.
        is_small: whether more of them are to stand side by side.

    Returns:
        Whether one has just been clicked on: inside a fragment, what is around it has not been drawn again then.
    """
    clicked = _mount(
        key=key,
        data={"tiles": list(tiles), "small": is_small},
        on_open_change=lambda: _open(on_open, st.session_state[key].open),
        on_mark_change=lambda: _pass_on_mark(on_mark, st.session_state[key].mark),
    )
    return bool(clicked.open)


def _open(on_open: Callable[[str], None], told: Any) -> None:
    """Likewise."""
    if isinstance(told, str) and len(told) <= LONGEST:
        on_open(told)


def _pass_on_mark(on_mark: Callable[[str, bool | None], None] | None, told: Any) -> None:
    """Pass on what a browser says, if it makes sense."""
    match told:
        case {"id": str(marked), "wanted": True | False | None as wanted} if on_mark and len(marked) <= LONGEST:
            on_mark(marked, wanted)


def of_hit(gallery: Gallery, hit: Hit) -> Tile:
    """A result."""
    item, name = access.item_for_visitor(hit.item), access.text_for_visitor(file_name(hit.item))
    return Tile(
        id=item.public_id,
        src=pictures.address(gallery.name, item.sha256),
        alt=access.text_for_visitor(f"Rank {hit.rank}: {item.label or name}"),
        rank=str(hit.rank),
        score=hit.score,
        label=access.text_for_visitor(", ".join(item.labels)),
        name=name,
        note=_note(item),
        mark="",
        hint=f"{name}: look closer",
    )


def of_item(gallery: Gallery, item: Item) -> Tile:
    """A picture of the gallery, to start from."""
    item, name = access.item_for_visitor(item), access.text_for_visitor(file_name(item))
    return Tile(
        id=item.public_id,
        src=pictures.address(gallery.name, item.sha256),
        alt=access.text_for_visitor(f"In the gallery: {item.label or name}"),
        rank="",
        score=None,
        label=access.text_for_visitor(", ".join(item.labels)),
        name=name,
        note=_note(item),
        mark="",
        hint=f"{name}: find what is like it",
    )


def of_sample(item: Item, source: str) -> Tile:
    """A sample, to start from; its picture is at `source`."""
    name = access.text_for_visitor((item.label or "picture").replace("-", " ").capitalize())
    return Tile(
        id=item.id,
        src=source,
        alt=f"Sample: {name}",
        rank="",
        score=None,
        label=name,
        name="",
        note="",
        mark="",
        hint=f"{name}: find what is like it",
    )


def _note(item: Item) -> str:
    copies = {0: "", 1: "1 exact copy"}.get(len(item.copies), f"{len(item.copies)} exact copies")
    return " · ".join(filter(None, ("the file is gone" if item.is_gone else "", copies)))
