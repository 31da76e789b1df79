"""The page of all galleries: one query, and one list of results of many galleries."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from similarity.app.components import tiles
from similarity.app.everywhere import finding
from similarity.app.everywhere.finding import Found
from similarity.app.galleries import job_strip
from similarity.app.search import query_panel, starting_points
from similarity.app.serving import access, resources
from similarity.app.shell import gallery_choice, links, navigation
from similarity.app.shell.parameters import Link
from similarity.app.wording import messages, wording
from similarity.errors import SimilarityError
from similarity.gallery import Gallery
from similarity.query.fusion import GalleryHit
from similarity.sources import Item

CHOSEN, OPENED = "everywhere_chosen", "everywhere_opened"
ONE = "There is one gallery only. With more, one picture is searched for in all of them at once."


def show() -> None:
    """Draw the page."""
    st.title("Everywhere", anchor=False)
    st.caption("One query in all galleries at once. A result opens in its own gallery.")
    directories = gallery_choice.available_galleries()
    if not directories:
        return
    _go_to_opened()
    link = links.read()
    left, right = st.columns([2, 5], gap="large")
    try:
        with left:
            chosen = _choose(directories, link)
        galleries, errors = _open(chosen)
        if len(directories) < 2:
            st.info(ONE, icon=":material/photo_library:")
        _show(galleries, errors, link, left, right)
    except SimilarityError as error:
        with right:
            messages.show_error(error)


def _choose(directories: list[Path], link: Link) -> list[Path]:
    """Draw the choice of galleries; all by default, else those in the address."""
    names = {directory.name: directory for directory in directories}
    named = [name for name in dict.fromkeys((link.gallery, *link.against)) if name in names]
    first = [name for name in named[:1] if not link.against]
    wanted = named if link.against else list(dict.fromkeys((*first, *names)))
    st.session_state[CHOSEN] = wanted
    chosen = st.multiselect(
        "Galleries", list(names), format_func=access.text_for_visitor, key=CHOSEN, on_change=_on_change
    )
    job_strip.show([names[name] for name in chosen])
    return [names[name] for name in chosen]


def _on_change() -> None:
    chosen: list[str] = st.session_state[CHOSEN]
    links.change_galleries(chosen, chosen[1:] or chosen)  # one alone is not the first of all


def _open(chosen: Sequence[Path]) -> tuple[list[Gallery], dict[str, SimilarityError]]:
    """Open galleries; those that cannot be opened are named, as long as one can."""
    opened: list[Gallery] = []
    errors: dict[str, SimilarityError] = {}
    for directory in chosen:
        try:
            opened.append(resources.load_gallery(directory))
        except SimilarityError as error:
            errors[directory.name] = error
    if errors and not opened:
        raise next(iter(errors.values()))
    return opened, errors


def _show(
    galleries: Sequence[Gallery],
    errors: dict[str, SimilarityError],
    link: Link,
    left: st.delta_generator.DeltaGenerator,
    right: st.delta_generator.DeltaGenerator,
) -> None:
    if not galleries:
        with right:
            st.info("Choose at least one gallery.", icon=":material/photo_library:")
        return
    first = galleries[0]
    links.remember_gallery(first.name, first.manifest.generation, first.manifest.model)
    with left:
        loaded = query_panel.load(first, link)
        query_panel.show(first, link, loaded, can_refine=False)
    with right:
        if not loaded.like:
            starting_points.show(first)
            return
        with st.spinner("Searching …"):
            found = finding.search(galleries, link)
        if link.where or link.min_score or link.distinct:
            st.caption(":material/filter_alt_off: Filters are not applied here.")
        _show_found(galleries, Found(found.hits, errors | dict(found.errors)))


def _show_found(galleries: Sequence[Gallery], found: Found) -> None:
    for name, error in found.errors.items():
        st.warning(
            f"{messages.as_markdown(name)} is left out. {messages.error_as_markdown(error)}",
            icon=":material/cloud_off:",
        )
    for gallery in galleries:
        messages.show_missing(gallery.name, gallery.left_out)
    answered = len(galleries) - sum(gallery.name in found.errors for gallery in galleries)
    st.markdown(f"**{wording.results(len(found.hits))} of {wording.galleries(answered)}**")
    known = {gallery.name: gallery for gallery in galleries}
    drawn = [_tile(known[hit.gallery], hit, place) for place, hit in enumerate(found.hits)]
    opened = {str(place): (hit.gallery, hit.item) for place, hit in enumerate(found.hits)}

    def note(place: str) -> None:
        st.session_state[OPENED] = opened.get(place)

    name = hashlib.sha256(repr([(tile["src"], tile["note"]) for tile in drawn]).encode()).hexdigest()
    ratios = [tiles.ratio(hit.item) for hit in found.hits]
    listing = tiles.Listing(name, query=name, total=len(drawn), ratios=ratios, is_captioned=True)
    if tiles.show(drawn, note, key="everywhere-results", listing=listing):
        _go_to_opened()


def _tile(gallery: Gallery, hit: GalleryHit, place: int) -> tiles.Tile:
    tile = tiles.of_hit(gallery, hit)
    named = [access.text_for_visitor(name) for name in (hit.gallery, *hit.also_in)]
    tile["id"], tile["name"], tile["note"] = str(place), "", ", ".join(named)
    tile["alt"] += f", in {' and '.join(named)}"
    tile["hint"] = f"{access.text_for_visitor(tile['label'] or 'This picture')}: open in {named[0]}"
    return tile


def _go_to_opened() -> None:
    """Go to the gallery of a result that was clicked: callbacks cannot go to another page."""
    opened: tuple[str, Item] | None = st.session_state.pop(OPENED, None)
    if opened is not None:
        navigation.go_to_item(*opened)
