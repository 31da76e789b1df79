"""The map page: all pictures of a gallery at once, similar ones near each other."""

import logging
from pathlib import Path

import streamlit as st

from similarity.app.components import atlas
from similarity.app.duplicates import relabelling
from similarity.app.map import background, layout, message, selection
from similarity.app.map.layout import GalleryMap
from similarity.app.map.sheets import Sheets
from similarity.app.serving import resources
from similarity.app.serving.access import text_for_visitor
from similarity.app.shell import gallery_choice, navigation
from similarity.app.shell.navigation import LastSearch
from similarity.app.wording import messages
from similarity.errors import GalleryError, SimilarityError
from similarity.gallery import Gallery
from similarity.sources.originals import file_name
from similarity.storage.current import live_state

# In pixels: of the map while it is made, and of the choices above it.
HEIGHT, WIDTH = 560, 300
OPENED = "map_opened"
YOUR_QUERY = "Your query"
# What can be done stands in the place of what was selected or labelled, so that the map never moves.
CSS = """<style>
.st-key-map-line { min-height: 3.25rem; justify-content: center; }
.st-key-map-query img { height: 2.5rem; width: 2.5rem; object-fit: cover; border-radius: 0.4rem; }
.st-key-map-head > :first-child { margin-right: auto; }
@media (min-width: 641px) { .st-key-map-line:has(.st-key-map-selection) > .stElementContainer { display: none; } }
@media (max-width: 640px) {
  .st-key-map-line { min-height: 6rem; }
  /* At the foot, as beside results: what is selected on the map or in the list below it is in sight, and covers no
     tool. */
  :root:has(.st-key-map-selection) { --selection-bar: 7rem; }
  .st-key-map-selection { position: fixed; z-index: 999985; left: 0.5rem; bottom: calc(0.5rem + var(--bottom-bar));
    width: calc(100vw - 1rem) !important; padding: 0.5rem; gap: 0.35rem !important; border-radius: 0.75rem;
    border: 1px solid color-mix(in srgb, currentColor 18%, transparent); background: light-dark(#ffffff, #1c2523);
    box-shadow: 0 6px 24px rgb(0 0 0 / 22%); }
  .st-key-map-selection p { white-space: nowrap; margin: 0; }
  .st-key-map-selection button { padding: 0.25rem 0.5rem; }
  [data-testid="stMainBlockContainer"]:has(.st-key-map-selection) { padding-bottom: 11rem; }
  .st-key-map-head { min-height: 7.15rem; align-content: flex-start; }
  .st-key-map-head > * { flex: 1 1 40% !important; min-width: 0 !important; width: auto !important; }
  .st-key-map-head > :first-child { flex-basis: 100% !important; }
}
</style>"""
HELP = (
    "Drag to move, zoom in to look closer, choose a picture for more. "
    "Near means alike; how far apart groups are means little."
)

logger = logging.getLogger(__name__)


def show() -> None:
    """Draw the page."""
    head = st.container(horizontal=True, vertical_alignment="bottom", key="map-head")
    head.title("Map", anchor=False, width="content")
    directories = gallery_choice.available_galleries()
    if not directories:
        return
    with head.container(width=WIDTH):
        directory = gallery_choice.choose_by_address(directories)
    try:
        gallery = resources.load_gallery(directory)
        _show_map(gallery, head)
    except SimilarityError as error:
        messages.show_error(error)


def _last_search(directory: Path) -> LastSearch | None:
    """Return the visitor's last search if it was in this gallery."""
    try:
        return navigation.last_search(directory.name, live_state(directory))
    except GalleryError:
        return None


def _facts(gallery: Gallery) -> str:
    count, shown = len(gallery), len(layout.shown_rows(len(gallery)))
    if shown < count:
        return f"{shown:,} of its {count:,} pictures are on the map, evenly chosen. A search looks at all of them."
    return f"{count:,} pictures." if count > 1 else "1 picture: add more, and see which are alike."


def _show_map(gallery: Gallery, head: st.delta_generator.DeltaGenerator) -> None:
    search = _last_search(gallery.directory)
    with head:  # drawn before the map is computed, so that nothing moves afterwards
        picked = _pick_by_name(gallery)
        if search:
            _show_query(search)
    line = st.container(key="map-line")
    place = st.empty()
    try:
        on, sheets = background.wait_for(gallery, place, HEIGHT)
        _draw(gallery, on, sheets, search=search, picked=picked, line=line, place=place)
    except SimilarityError:
        raise
    except Exception:
        logger.exception("The map of %s cannot be shown", gallery.name)
        with place.container():
            st.error("The map could not be made; the log of the app says why.", icon=":material/error:")
            st.button("Try again", icon=":material/refresh:")


def _draw(
    gallery: Gallery,
    on: GalleryMap,
    sheets: Sheets,
    *,
    search: LastSearch | None,
    picked: int | None,
    line: st.delta_generator.DeltaGenerator,
    place: st.delta_generator.DeltaGenerator,
) -> None:
    """Draw the map, and above it what is selected; a picture that was chosen on it is searched with."""
    if (opened := st.session_state.pop(OPENED, None)) is not None:
        navigation.go_to_item(gallery.name, gallery.items[int(on.rows[opened])])
    name = background.sheets_name(gallery)
    places = selection.selected(name)
    with line:
        _show_line(gallery, on, places)
    told = message.describe(gallery, on, sheets) | {
        "query": message.place_query(gallery, on, search.vector, search.preview) if search else None,
        "highlight": picked,
        "selected": message.encode_places(places, len(on)),
    }
    with place:
        atlas.show(told, _open, lambda text: selection.keep(name, len(on), text), key=f"map-{gallery.name}")


def _open(place: int) -> None:
    st.session_state[OPENED] = place


def _show_line(gallery: Gallery, on: GalleryMap, places: tuple[int, ...]) -> None:
    """Draw the line above the map: a job that runs, what is selected, what was labelled, or what can be done."""
    if relabelling.show(gallery):
        return
    if places or not relabelling.show_outcome(gallery):
        st.caption(f"{_facts(gallery)} {HELP}")  # a telephone has the selection in another place, see `CSS`
    if places:
        selection.show(gallery, on, places)


def _pick_by_name(gallery: Gallery) -> int | None:
    """Draw a choice of pictures by name, and return the place on the map of the one that is chosen."""
    items = gallery.items.at(layout.shown_rows(len(gallery)))
    return st.selectbox(
        "Find a picture",
        range(len(items)),
        index=None,
        format_func=lambda place: " · ".join(
            map(text_for_visitor, filter(None, (file_name(items[place]), items[place].label)))
        ),
        key=f"find-{gallery.name}-{gallery.manifest.generation}",
        placeholder="Part of its name",
        width=WIDTH,
    )


def _show_query(search: LastSearch) -> None:
    """Draw the last query, which is on the map."""
    with st.container(horizontal=True, vertical_alignment="center", width="content", key="map-query"):
        st.image(search.preview, alt=YOUR_QUERY, width=40)
        if st.button("Back to the results", icon=":material/arrow_back:"):
            navigation.go("search", search.parameters)
