"""Maps that are being made: each by one thread, for which every session that wants it waits."""

import time
from concurrent.futures import wait

import streamlit as st

from similarity.app.map import layout
from similarity.app.map.layout import GalleryMap
from similarity.app.serving import visitors
from similarity.app.serving.single_flight import Making, Once
from similarity.gallery import Gallery
from similarity.progress import OnProgress
from similarity.service import turns
from similarity.service.singleton import singleton

# How many maps are kept in memory, each of 100 kB at most.
KEPT = 8
# How often the waiting is told, in seconds.
TICK = 0.5


class MapMaker(Once[GalleryMap]):
    """Makes each map once. Safe to share between threads."""

    def __init__(self) -> None:
        super().__init__(KEPT)

    def ask(self, gallery: Gallery) -> Making[GalleryMap]:
        """The map of a gallery, now or later."""
        visitor = visitors.current()

        def work(_: OnProgress) -> GalleryMap:
            with turns.shared_turns().counting(visitor):
                return layout.make_map(gallery)

        return self.make(layout.file_name(gallery), work)


@singleton
def maker() -> MapMaker:
    """The one of this app."""
    return MapMaker()


def wait_for(gallery: Gallery, place: st.delta_generator.DeltaGenerator, height: int) -> GalleryMap:
    """The map of a gallery; while it is made, that is told in a box of this height in place of the map.

    Raises:
        Exception: whatever went wrong.
    """
    making = maker().ask(gallery)
    asked = making.result
    wait([asked], timeout=TICK)
    if asked.done():
        return asked.result()
    expected = layout.expected_seconds(len(gallery))
    with place.container(height=height, border=True, vertical_alignment="center", key="map-waiting"):
        status = st.status("Arranging the pictures …")
        st.caption(
            "Each picture is compared with every other one, so that those that look alike come to lie near each other. "
            f"This happens once for a gallery and takes about {max(2, round(expected))} seconds."
        )
        # Drawing it is what lets a visitor leave the page meanwhile; the map is made all the same.
        while not asked.done():
            status.update(label=f"Arranging the pictures … {time.monotonic() - making.begun:.0f} s")
            wait([asked], timeout=TICK)
    return asked.result()
