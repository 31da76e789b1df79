"""Computing maps in the background: each is laid out once, and all sessions that show it wait for it."""

import time
from concurrent.futures import wait

import streamlit as st

from similarity.app.map import layout
from similarity.app.map.layout import GalleryMap
from similarity.app.serving import visitors
from similarity.app.serving.single_flight import Computation, SingleFlight
from similarity.gallery import Gallery
from similarity.progress import OnProgress
from similarity.service import turns
from similarity.service.singleton import singleton

# Maps kept in memory, each of 100 kB at most.
MAX_CACHED = 8
# Seconds between two updates of the waiting time.
TICK = 0.5


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


@singleton
def shared_map_maker() -> MapMaker:
    """Return the map maker of this process."""
    return MapMaker()


def wait_for(gallery: Gallery, place: st.delta_generator.DeltaGenerator, height: int) -> GalleryMap:
    """Wait for the map of a gallery and return it; meanwhile a box of this height stands in its place.

    Raises:
        Exception: the error that ended the computation.
    """
    computation = shared_map_maker().start_map(gallery)
    result = computation.result
    wait([result], timeout=TICK)
    if result.done():
        return result.result()
    expected = layout.expected_seconds(len(gallery))
    with place.container(height=height, border=True, vertical_alignment="center", key="map-waiting"):
        status = st.status("Arranging the pictures …")
        st.caption(
            "Each picture is compared with every other one, and those that look alike are placed near each other. "
            f"This happens once for a gallery and takes about {max(2, round(expected))} seconds."
        )
        # Streamlit stops a script where it draws, so this lets the visitor leave; the map is still computed.
        while not result.done():
            status.update(label=f"Arranging the pictures … {time.monotonic() - computation.started:.0f} s")
            wait([result], timeout=TICK)
    return result.result()
