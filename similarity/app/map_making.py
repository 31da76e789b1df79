"""Maps that are being made: each by one thread, for which every session that wants it waits."""

import logging
import threading
import time
from concurrent.futures import Future

import streamlit as st

from similarity import maps
from similarity.gallery import Gallery
from similarity.maps import GalleryMap

# How many maps are kept in memory, each of 100 kB at most.
KEPT = 8
# How often the waiting is told, in seconds.
TICK = 0.5

logger = logging.getLogger(__name__)


class MapMaker:
    """Makes each map once, one after the other, whoever asks for it. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock, self._turn = threading.Lock(), threading.Lock()
        self._made: dict[str, Future[GalleryMap]] = {}

    def ask(self, gallery: Gallery) -> "Future[GalleryMap]":
        """The map of a gallery, now or later; one that could not be made is tried again when it is next asked for."""
        name = maps.file_name(gallery)
        with self._lock:
            known = self._made.get(name)
            if known is None or (known.done() and known.exception()):
                known = self._made[name] = Future()
                self._forget_the_oldest()
                # A daemon, so that ending the app need not wait for it.
                threading.Thread(target=self._make, args=(gallery, known), name="map", daemon=True).start()
        return known

    def _make(self, gallery: Gallery, result: "Future[GalleryMap]") -> None:
        try:
            with self._turn:
                result.set_result(maps.make_map(gallery))
        except Exception as error:  # told to everybody who waits
            logger.error("The map of %s could not be made", gallery.name, exc_info=error)
            result.set_exception(error)

    def _forget_the_oldest(self) -> None:
        done = [name for name, future in self._made.items() if future.done()]
        for name in done[: max(0, len(self._made) - KEPT)]:
            del self._made[name]


@st.cache_resource
def maker() -> MapMaker:
    """The one of this app."""
    return MapMaker()


def wait_for(gallery: Gallery, place: st.delta_generator.DeltaGenerator, height: int) -> GalleryMap:
    """The map of a gallery; while it is made, that is told in a box of this height in place of the map.

    Raises:
        Exception: whatever went wrong.
    """
    asked, begun = maker().ask(gallery), time.monotonic()
    try:
        return asked.result(timeout=TICK)
    except TimeoutError:
        if asked.done():
            raise
    expected = maps.expected_seconds(len(gallery))
    with place.container(height=height, border=True, horizontal_alignment="center", vertical_alignment="center"):
        status = st.status("Arranging the pictures …")
        st.caption(
            "Each picture is compared with every other one, so that those that look alike come to lie near each other. "
            f"This happens once for a gallery and takes about {max(2, round(expected))} seconds."
        )
        # Drawing it is what lets a visitor leave the page meanwhile; the map is made all the same.
        while not asked.done():
            status.update(label=f"Arranging the pictures … {time.monotonic() - begun:.0f} s")
            time.sleep(TICK)
    return asked.result()
