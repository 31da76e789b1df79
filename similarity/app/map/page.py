"""The map page: all pictures of a gallery at once, similar ones near each other."""

import logging
from pathlib import Path

import streamlit as st

from similarity.app.map import background, chart, layout
from similarity.app.map.layout import GalleryMap
from similarity.app.serving import resources
from similarity.app.serving.access import text_for_visitor
from similarity.app.shell import gallery_choice, navigation
from similarity.app.shell.navigation import LastSearch
from similarity.app.wording import messages
from similarity.errors import GalleryError, SimilarityError
from similarity.gallery import Gallery
from similarity.sources.originals import file_name
from similarity.storage.current import live_state

HEIGHT = 640
VIEWS = "map_views"
# On a telephone the map leaves a part of the page free, for scrolling.
CSS = """<style>
@media (max-width: 640px) {
  [class*="st-key-map-"], [class*="st-key-map-"] *:has(.stEChartsChart), [class*="st-key-map-"] .stEChartsChart {
    height: min(640px, 66vh) !important; min-height: 0 !important; flex-basis: auto !important; }
}
</style>"""
HELP = (
    "Scroll or pinch to zoom, drag to move. Point at a picture to see it, click on it to search with it. Click on a "
    "label to hide or show it. Near means alike; how far apart groups are means little."
)

logger = logging.getLogger(__name__)


def show() -> None:
    """Draw the page."""
    st.html(CSS)
    st.title("Map", anchor=False)
    st.markdown("All pictures of a gallery at once. Those that look alike lie near each other.")
    directories = gallery_choice.available_galleries()
    if not directories:
        return
    left, right = st.columns([2, 5], gap="large")
    try:
        with left:
            gallery = resources.load_gallery(gallery_choice.choose_by_address(directories))
            st.caption(_facts(gallery))
        with right:
            _show_map(gallery, left)
    except SimilarityError as error:
        with right:
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
    return f"{count:,} pictures" if count > 1 else "1 picture: add more, and see which are alike."


def _show_map(gallery: Gallery, left: st.delta_generator.DeltaGenerator) -> None:
    search = _last_search(gallery.directory)
    with left:  # drawn before the map is computed, so that nothing moves afterwards
        picked = _pick_by_name(gallery)
        if search:
            _show_query(search)
    place = st.empty()
    try:
        on = background.wait_for(gallery, place, HEIGHT)
    except SimilarityError:
        raise
    except Exception:
        logger.exception("The map of %s cannot be shown", gallery.name)
        with place.container():
            st.error("The map could not be made; the log of the app says why.", icon=":material/error:")
            st.button("Try again", icon=":material/refresh:")
        return
    query = layout.place(gallery, on, search.vector) if search else None
    _draw(gallery, on, chart.draw(gallery, on, query=query, highlighted=picked), place)
    _show_help()


def _draw(gallery: Gallery, on: GalleryMap, chart: chart.Chart, place: st.delta_generator.DeltaGenerator) -> None:
    """Draw the map; a click on a picture searches with it."""
    event = place.echarts_chart(
        chart.option,
        height=HEIGHT,
        key=f"map-{gallery.name}-{gallery.manifest.generation}-{st.session_state.get(VIEWS, 0)}",
        on_select="rerun",
        alt=f"Map of the {len(on):,} pictures of {text_for_visitor(gallery.name)}. "
        "Each can be found by its name, too, beside it.",
    )
    for group in event.selection.selected:
        if group["series_index"] < len(chart.shown):
            places = chart.shown[group["series_index"]]
            navigation.go_to_item(gallery.name, gallery.items[on.rows[places[group["data_indices"][0]]]])


def _pick_by_name(gallery: Gallery) -> int | None:
    """Draw a choice of pictures by name, and return the index in the map of the one that is chosen."""
    items = gallery.items.at(layout.shown_rows(len(gallery)))
    chosen = st.selectbox(
        "Find a picture",
        range(len(items)),
        index=None,
        format_func=lambda place: " · ".join(
            map(text_for_visitor, filter(None, (file_name(items[place]), items[place].label)))
        ),
        key=f"find-{gallery.name}-{gallery.manifest.generation}",
        placeholder="Type a part of its name",
    )
    if chosen is not None:
        item = items[chosen]
        with _row():
            st.image(
                gallery.thumbnail(item),
                alt=f"{text_for_visitor(item.label or 'Picture')}: {text_for_visitor(file_name(item))}",
                width=72,
            )
            if st.button("Search with it", icon=":material/image_search:"):
                navigation.go_to_item(gallery.name, item)
    return chosen


def _show_query(search: LastSearch) -> None:
    """Draw the last query, which is the star on the map."""
    st.caption(f"{chart.QUERY}, the star on the map")
    with _row():
        st.image(search.preview, alt=chart.QUERY, width=72)
        if st.button("Back to the results", icon=":material/arrow_back:"):
            navigation.go("search", search.parameters)


def _row() -> st.delta_generator.DeltaGenerator:
    return st.container(horizontal=True, vertical_alignment="center")


def _show_help() -> None:
    """Draw instructions, and a button that shows the whole map again."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(HELP, width="stretch")
        st.button("Show the whole map", icon=":material/zoom_out_map:", on_click=_reset_view)


def _reset_view() -> None:
    """Replace the chart, zoomed or moved, by a new one."""
    st.session_state[VIEWS] = st.session_state.get(VIEWS, 0) + 1
