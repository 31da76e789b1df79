"""The face-off page: the same query in galleries of different models, side by side."""

from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st

from similarity.app.components import tiles
from similarity.app.faceoff import comparison, pairing, summary
from similarity.app.faceoff.comparison import Side
from similarity.app.galleries import job_strip
from similarity.app.search import query_panel, starting_points
from similarity.app.serving import access, resources
from similarity.app.serving.session_uploads import keep_upload
from similarity.app.shell import gallery_choice, links, navigation
from similarity.app.shell.parameters import ITEM, Link, Part
from similarity.app.wording import messages, wording
from similarity.errors import SimilarityError
from similarity.gallery import Gallery
from similarity.search import Hit
from similarity.sources.originals import read_original

MAX_GALLERIES, CHOSEN, BY_HAND = 3, "faceoff_chosen", "faceoff_chosen_by_hand"
CHOOSE = "Choose two or three galleries. To compare models, make a gallery of the same pictures with another model."
NO_PAIR = (
    "No two of the galleries have the same pictures and different models: make one that has, or choose two or three "
    "yourself."
)
# What somebody sees who has no two galleries yet.
EXAMPLE = """
##### What you will see
One query, and its results in each gallery side by side. For example:

| | EfficientNet-Lite2 | ResNet-50 |
|:--|:--|:--|
| Results in both, marked with = | 7 of 10 | 7 of 10 |
| First result | at rank 3 in the other | only here |
| Right at rank 1, over all labelled pictures | 0.912 | 0.947 |
"""


def show() -> None:
    """Draw the page."""
    st.title("Face-off", anchor=False)
    st.caption("One query in galleries of different models. Which model is best for your pictures?")
    directories = gallery_choice.available_galleries()
    if not directories:
        return
    link = links.read()
    left, right = st.columns([2, 5], gap="large")
    try:
        with left:
            chosen = _choose(directories, link)
            galleries = [resources.load_gallery(directory) for directory in chosen]
        with right:
            if len(galleries) < 2:
                _say_how_to_get_two(directories, is_none=not galleries)
                return
        _show(galleries, link, left, right)
    except SimilarityError as error:
        with right:
            messages.show_error(error)


def _choose(directories: list[Path], link: Link) -> list[Path]:
    """Draw the choice of up to three galleries; the default is those in the address, or of the same pictures."""
    names = {directory.name: directory for directory in directories}
    wanted = [name for name in dict.fromkeys((link.gallery, *link.against)) if name in names]
    if not link.against:
        before: list[str] | None = st.session_state.get(BY_HAND)
        if before is not None and wanted in ([], before[:1]):
            wanted = [name for name in before if name in names]
        else:
            wanted = pairing.find_comparable(wanted[0] if wanted else None, names)
    st.session_state[CHOSEN] = wanted[:MAX_GALLERIES]
    chosen = st.multiselect(
        "Galleries",
        list(names),
        format_func=access.text_for_visitor,
        key=CHOSEN,
        max_selections=MAX_GALLERIES,
        on_change=_on_change,
        help="Those of the same pictures, made with different models, can be compared best.",
    )
    job_strip.show([names[name] for name in chosen])
    return [names[name] for name in chosen]


def _on_change() -> None:
    chosen: list[str] = st.session_state[CHOSEN]
    st.session_state[BY_HAND] = list(chosen)
    links.change_galleries(chosen, chosen[1:])


def _say_how_to_get_two(directories: list[Path], *, is_none: bool) -> None:
    st.info(NO_PAIR if is_none and len(directories) > 1 else CHOOSE, icon=":material/compare:")
    st.markdown(EXAMPLE)
    if len(directories) < 2 and st.button("Make another gallery", icon=":material/add:", type="primary"):
        navigation.go("galleries", {"new": "1"})


def _show(
    galleries: Sequence[Gallery],
    link: Link,
    left: st.delta_generator.DeltaGenerator,
    right: st.delta_generator.DeltaGenerator,
) -> None:
    first = galleries[0]
    links.remember_gallery(first.name, first.manifest.generation, first.manifest.model)
    with left:
        loaded = query_panel.load(first, link)
        query_panel.show(first, link, loaded, can_refine=False)
    with right:
        if not loaded.like:
            starting_points.show(galleries[0])
            return
        with st.spinner("Searching …"):
            sides = comparison.search_all(galleries, link)
        if link.where or link.min_score or link.distinct:
            st.caption(":material/filter_alt_off: Filters are not applied here.")
        _show_sides(sides)
        summary.show(galleries)


def _show_sides(sides: Sequence[Side]) -> None:
    common = comparison.common_pictures(sides)
    if shortest := min(len(side.hits) for side in sides):
        everywhere = "both" if len(sides) == 2 else "all three"
        st.markdown(f"**{len(common)} of {shortest} results are in {everywhere}** (marked with =)")
    for column, side in zip(st.columns(len(sides), gap="medium"), sides, strict=True):
        with column:
            manifest = side.gallery.manifest
            st.markdown(f"**{messages.as_markdown(side.gallery.name)}**")
            refined = "" if manifest.refinement == "none" else f" · {messages.as_markdown(manifest.refinement)}"
            model = messages.as_markdown(wording.model_title(manifest.model))
            st.caption(f"{model}{refined} · {wording.pictures(manifest.count)}")
            if side.error:
                messages.show_error(side.error)
            others = [other for other in sides if other is not side]
            drawn = [_tile(side, hit, others, is_common=hit.item.sha256 in common) for hit in side.hits]
            tiles.show(drawn, _search_with(side, sides[0].gallery), key=f"side-{side.gallery.name}")


def _tile(side: Side, hit: Hit, others: Sequence[Side], *, is_common: bool) -> tiles.Tile:
    tile = tiles.of_hit(side.gallery, hit)
    ranks = [(other, other.rank_of(hit.item.sha256)) for other in others]
    positions = [
        f"{rank:d}" if len(others) == 1 else f"{access.text_for_visitor(other.gallery.name)} {rank:d}"
        for other, rank in ranks
        if rank
    ]
    tile["name"], tile["note"] = "", f"also at rank {', '.join(positions)}" if positions else "only here"
    if is_common:
        tile["mark"] = "shared"
        tile["alt"] += ", found by all"
    tile["hint"] = f"{access.text_for_visitor(tile['label'] or 'This picture')}: search with it"
    return tile


def _search_with(side: Side, first: Gallery) -> Callable[[str], None]:
    """Return a callback that makes a result the query."""

    def search(item_id: str) -> None:
        content = side.gallery.find(item_id).sha256
        row = first.items.find(content)
        if row is not None:
            links.change(like=(Part(ITEM, first.items[row].public_id),), unlike=())
            return
        try:  # the first gallery does not have it
            part = keep_upload(read_original(side.gallery.find(content), fetch=resources.fetch_picture))
        except SimilarityError as error:
            messages.show_error(error)
            return
        links.change(like=(part,), unlike=())

    return search
