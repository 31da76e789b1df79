"""A grid of clickable pictures, as one element: a hundred of Streamlit's own are slow."""

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
    """A picture in the grid, with its texts.

    Attributes:
        id: passed to `on_open`.
        src: the picture's address.
        alt: the alternative text.
        rank, score, label, name, note: texts on the picture and below it; empty or None for none.
        mark: right, wrong, shared or query; empty for none.
        hint: the effect of a click.
        copy: what makes it the same picture as the query, if it is.
        chance: the probability of being right in words, if it is known.
        unsure: whether that is less than requested.
        wanted: the visitor's feedback, where it can be given: more like this, not like this, or None for neither.
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
    copy: NotRequired[str]
    chance: NotRequired[str]
    unsure: NotRequired[bool]
    wanted: NotRequired[bool | None]


def show(
    tiles: Iterable[Tile],
    on_open: Callable[[str], None],
    on_feedback: Callable[[str, bool | None], None] | None = None,
    *,
    key: str,
    is_small: bool = False,
    page: str = "",
    query: str = "",
) -> bool:
    """Draw the grid.

    Args:
        on_open: called with the id of a clicked tile, before anything is drawn again.
        on_feedback: called with the id of a tile and the new feedback on it, before anything is drawn again.
        is_small: whether to draw smaller pictures.
        page: another one than before scrolls up to the grid; by default the first rank tells whether it is another.
        query: another one than before scrolls a telephone to the grid.

    Returns:
        Whether a tile has just been clicked; inside a fragment, the rest of the page is not yet drawn again then.
    """
    clicked = _mount(
        key=key,
        data={"tiles": list(tiles), "small": is_small, "page": page, "query": query},
        on_open_change=lambda: _pass_on_click(on_open, st.session_state[key].open),
        on_mark_change=lambda: _pass_on_feedback(on_feedback, st.session_state[key].mark),
    )
    return bool(clicked.open)


def _pass_on_click(on_open: Callable[[str], None], value: Any) -> None:
    """Call back with the id of a clicked tile, if the browser's message is valid."""
    if isinstance(value, str) and len(value) <= LONGEST:
        on_open(value)


def _pass_on_feedback(on_feedback: Callable[[str, bool | None], None] | None, value: Any) -> None:
    """Call back with the id of a tile and the feedback on it, if the browser's message is valid."""
    match value:
        case {"id": str(tile_id), "wanted": True | False | None as wanted} if on_feedback and len(tile_id) <= LONGEST:
            on_feedback(tile_id, wanted)


def of_hit(gallery: Gallery, hit: Hit) -> Tile:
    """Make the tile of a result."""
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
    """Make the tile of a picture of the gallery."""
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
        hint=f"{name}: find similar ones",
    )


def of_sample(item: Item, source: str) -> Tile:
    """Make the tile of a sample query whose picture is at `source`."""
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
        hint=f"{name}: find similar ones",
    )


def _note(item: Item) -> str:
    copies = {0: "", 1: "1 exact copy"}.get(len(item.copies), f"{len(item.copies)} exact copies")
    return " · ".join(filter(None, ("the file is gone" if item.is_gone else "", copies)))
