"""Computing maps in the background: each is laid out once, and all sessions that show it wait for it."""

import time
from concurrent.futures import wait

import streamlit as st

from similarity.app.map import layout, sheets
from similarity.app.map.layout import GalleryMap
from similarity.app.map.sheets import Sheets
from similarity.app.serving import resources, visitors
from similarity.app.serving.single_flight import Computation, SingleFlight
from similarity.app.wording import wording
from similarity.app.wording.messages import sentence_as_markdown
from similarity.gallery import Gallery
from similarity.progress import OnProgress
from similarity.service import turns
from similarity.service.singleton import singleton

# Maps kept in memory, each of 100 kB at most; sheets of 4 MB.
MAX_CACHED, MAX_SHEETS = 8, 6
# Seconds between two updates of the waiting time, and before it is said that one has to wait.
TICK, AT_ONCE = 0.5, 0.2


class MapMaker(SingleFlight[GalleryMap]):
    """Lays out each map once. Safe to share between threads."""

    def __init__(self) -> None:
        super().__init__(MAX_CACHED)

    def start_map(self, gallery: Gallery) -> Computation[GalleryMap]:
        """Start computing the map of a gallery, unless that is running or done."""
        visitor = visitors.current()

        def work(_: OnProgress) -> GalleryMap:
            with turns.shared_turns().counting(visitor):
                return layout.make_map(gallery)

        return self.start(layout.file_name(gallery), work)


class SheetMaker(SingleFlight[Sheets]):
    """Draws the sheets of each map once. Safe to share between threads."""

    def __init__(self) -> None:
        super().__init__(MAX_SHEETS)

    def start_sheets(self, gallery: Gallery) -> Computation[Sheets]:
        """Start drawing the sheets of a gallery's map, unless that is running or done."""
        visitor = visitors.current()

        def work(report: OnProgress) -> Sheets:
            with turns.shared_turns().counting(visitor):
                return sheets.make_sheets(gallery, layout.shown_rows(len(gallery)), report)

        return self.start(sheets_name(gallery), work)


@singleton
def shared_map_maker() -> MapMaker:
    """Return the map maker of this process."""
    return MapMaker()


@singleton
def shared_sheet_maker() -> SheetMaker:
    """Return the maker of sheets of this process."""
    return SheetMaker()


@st.cache_data(max_entries=16, show_spinner=False, hash_funcs={Gallery: resources.gallery_key})
def sheets_name(gallery: Gallery) -> str:
    """Return the name of a gallery's sheets, which changes with the pictures on its map."""
    return f"{gallery.directory}/{sheets.contents_key(gallery, layout.shown_rows(len(gallery)))}"


def wait_for(gallery: Gallery, place: st.delta_generator.DeltaGenerator, height: int) -> tuple[GalleryMap, Sheets]:
    """Wait for the map of a gallery and its sheets; meanwhile a box of this height stands in its place.

    Raises:
        Exception: the error that ended a computation.
    """
    made, drawn = shared_map_maker().start_map(gallery), shared_sheet_maker().start_sheets(gallery)
    wait([made.result], timeout=AT_ONCE)
    wait([drawn.result], timeout=AT_ONCE)
    if not (made.result.done() and drawn.result.done()):
        _wait_in_box(gallery, (made, drawn), place, height)
    return made.result.result(), drawn.result.result()


def _wait_in_box(
    gallery: Gallery,
    computations: tuple[Computation[GalleryMap], Computation[Sheets]],
    place: st.delta_generator.DeltaGenerator,
    height: int,
) -> None:
    made, drawn = computations
    expected = layout.expected_seconds(len(gallery))
    with place.container(height=height, border=True, vertical_alignment="center", key="map-waiting"):
        status = st.status("Arranging the pictures …")
        st.caption(
            "Pictures that look alike are placed near each other. "
            f"This happens once for a gallery and takes about {max(2, round(expected))} seconds."
        )
        # Streamlit stops a script where it draws, so this lets the visitor leave; the map is still computed.
        while not (made.result.done() and drawn.result.done()):
            if made.result.done() and drawn.progress:
                status.update(label=sentence_as_markdown(wording.progress(drawn.progress)))
            else:
                status.update(label=f"Arranging the pictures … {time.monotonic() - made.started:.0f} s")
            if made.result.done():
                wait([drawn.result], timeout=TICK)
            else:
                wait([made.result], timeout=TICK)
