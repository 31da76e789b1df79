"""A grid of clickable pictures, as one element: a hundred of Streamlit's own are slow."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NotRequired, TypedDict

import streamlit as st

from similarity.app.components.loading import load
from similarity.app.components.titles import title_of
from similarity.app.serving import access, pictures
from similarity.gallery import Gallery
from similarity.search import Hit
from similarity.sources import Item
from similarity.text.plain import LONGEST

_mount = load(
    "tiles",
    '<ul class="tiles"></ul>',
    scripts=("tiles_layout", "tiles_one", "tiles", "tiles_moves"),
)
# Pictures of the first chunk of a long listing, and of the others; the maximum number that can be selected at once.
FIRST, FURTHER, MOST_SELECTED = 100, 300, 10_000
LOOK = "look closer"


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
        ratio: width / height of the picture; of a square one unless given.
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
    ratio: NotRequired[float]
    wanted: NotRequired[bool | None]


@dataclass(frozen=True, slots=True)
class Listing:
    """What a grid shows a chunk of: more tiles are asked for while it is scrolled.

    Attributes:
        name: changes whenever any of its tiles does; the browser forgets the tiles that it has of another one.
        query: another one than before scrolls up to the grid.
        total: the number of its tiles.
        start: the place of the first tile that is given, from 0.
        at: the place that is scrolled to in the beginning, from 0.
        ratios: width / height of each of its pictures; empty if they are not known beforehand.
        is_captioned: whether all texts of a tile are below it, rather than the score and the label in one line.
    """

    name: str
    query: str = ""
    total: int = 0
    start: int = 0
    at: int = 0
    ratios: Sequence[float] = ()
    is_captioned: bool = False


def show(
    tiles: Iterable[Tile],
    on_open: Callable[[str], None],
    on_feedback: Callable[[str, bool | None], None] | None = None,
    *,
    key: str,
    is_small: bool = False,
    listing: Listing | None = None,
    on_select: Callable[[Sequence[str]], None] | None = None,
    selected: Sequence[str] = (),
) -> bool:
    """Draw the grid.

    Args:
        on_open: called with the id of a clicked tile, before anything is drawn again.
        on_feedback: called with the id of a tile and the new feedback on it, before anything is drawn again.
        is_small: whether to draw smaller pictures, in one line where there is room.
        listing: what the tiles are a chunk of; by default they are all, and have all of their texts below them.
        on_select: called with the ids of all selected tiles when they change, before anything is drawn again; without
            it, none can be selected.
        selected: ids of the tiles that are selected; they may be of tiles that are not given.

    Returns:
        Whether a tile has just been clicked; inside a fragment, the rest of the page is not yet drawn again then.
    """
    clicked = _mount(
        key=key,
        data={
            "tiles": list(tiles),
            "small": is_small,
            "listing": asdict(listing) if listing else None,
            "selects": on_select is not None,
            "selected": list(selected),
        },
        on_open_change=lambda: _pass_on_click(on_open, st.session_state[key].open),
        on_mark_change=lambda: _pass_on_feedback(on_feedback, st.session_state[key].mark),
        on_select_change=lambda: _pass_on_selection(on_select, st.session_state[key].select),
        on_more_change=lambda: _note_start(key, st.session_state[key].more),
    )
    return bool(clicked.open)


def wanted_start(key: str) -> int:
    """Return the place of the first tile that the browser has just asked for, from 0; 0 if it has not."""
    return int(st.session_state.pop(f"{key}-start", 0))


def chunk(start: int) -> int:
    """Return how many tiles of a long listing are to be given from a place on."""
    return FURTHER if start else FIRST


def _note_start(key: str, value: Any) -> None:
    """Note from which place on more tiles are asked for, if the browser's message is valid."""
    if isinstance(value, int | float) and 0 <= value < 1e9:
        st.session_state[f"{key}-start"] = int(value)


def _pass_on_click(on_open: Callable[[str], None], value: Any) -> None:
    """Call back with the id of a clicked tile, if the browser's message is valid."""
    if isinstance(value, str) and len(value) <= LONGEST:
        on_open(value)


def _pass_on_feedback(on_feedback: Callable[[str, bool | None], None] | None, value: Any) -> None:
    """Call back with the id of a tile and the feedback on it, if the browser's message is valid."""
    match value:
        case {"id": str(tile_id), "wanted": True | False | None as wanted} if on_feedback and len(tile_id) <= LONGEST:
            on_feedback(tile_id, wanted)


def _pass_on_selection(on_select: Callable[[Sequence[str]], None] | None, value: Any) -> None:
    """Call back with the ids of the selected tiles, each once, if the browser's message is valid."""
    if on_select and isinstance(value, list) and len(value) <= MOST_SELECTED:
        on_select(list(dict.fromkeys(one for one in value if isinstance(one, str) and len(one) <= LONGEST)))


def of_hit(gallery: Gallery, hit: Hit, redact: Callable[[str], str] | None = None, effect: str = LOOK) -> Tile:
    """Make the tile of a result.

    Args:
        redact: what `access.redactor` returned, for many tiles; it is called unless given.
        effect: what a click does.
    """
    item = access.item_for_visitor(hit.item, redact)
    name = access.text_for_visitor(title_of(item))
    return Tile(
        id=item.public_id,
        src=pictures.address(gallery.name, item.sha256),
        alt=access.text_for_visitor(f"Rank {hit.rank}: {item.label or name or 'a picture'}"),
        rank=str(hit.rank),
        score=hit.score,
        label=access.text_for_visitor(", ".join(item.labels)),
        name=name,
        note=_note(item),
        mark="",
        hint=access.text_for_visitor(hint(name, effect)),
        ratio=ratio(item),
    )


def of_item(gallery: Gallery, item: Item) -> Tile:
    """Make the tile of a picture of the gallery."""
    item = access.item_for_visitor(item)
    name = access.text_for_visitor(title_of(item))
    return Tile(
        id=item.public_id,
        src=pictures.address(gallery.name, item.sha256),
        alt=access.text_for_visitor(f"In the gallery: {item.label or name or 'a picture'}"),
        rank="",
        score=None,
        label=access.text_for_visitor(", ".join(item.labels)),
        name=name,
        note=_note(item),
        mark="",
        hint=access.text_for_visitor(hint(name, "find similar ones")),
        ratio=ratio(item),
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


def hint(name: str, effect: str) -> str:
    """Return what a click on a picture does, after its name if it has one."""
    return f"{name}: {effect}" if name else effect.capitalize()


def ratio(item: Item) -> float:
    """Return width / height of a picture, in thousandths; 1 if its size is not known."""
    return round(item.width / item.height, 3) if item.width and item.height else 1.0


def _note(item: Item) -> str:
    copies = {0: "", 1: "1 exact copy"}.get(len(item.copies), f"{len(item.copies)} exact copies")
    return " · ".join(filter(None, ("the file is gone" if item.is_gone else "", copies)))
