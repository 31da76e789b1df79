"""Maps that are being made: each by one thread, for which every session that wants it waits."""

import logging
import threading
import time
from concurrent.futures import Future, wait
from dataclasses import dataclass, field

import streamlit as st

from similarity import maps
from similarity.gallery import Gallery
from similarity.maps import GalleryMap

# How many maps are kept in memory, each of 100 kB at most.
KEPT = 8
# How often the waiting is told, in seconds.
TICK = 0.5

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Making:
    """A map that was asked for.

    Attributes:
        result: the map, now or later.
        begun: when it was first asked for, in seconds of time.monotonic.
    """

    result: "Future[GalleryMap]" = field(default_factory=Future)
    begun: float = field(default_factory=time.monotonic)

    @property
    def has_failed(self) -> bool:
        """Whether it is known that there will be none."""
        return self.result.done() and self.result.exception() is not None


class MapMaker:
    """Makes each map once, one after the other, whoever asks for it. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock, self._turn = threading.Lock(), threading.Lock()
        self._made: dict[str, Making] = {}

    def ask(self, gallery: Gallery) -> Making:
        """The map of a gallery, now or later; one that could not be made is tried again when it is next asked for."""
        name = maps.file_name(gallery)
        with self._lock:
            known = self._made.get(name)
            if known is None or known.has_failed:
                known = self._made[name] = Making()
                self._forget_the_oldest()
                # A daemon, so that ending the app need not wait for it.
                threading.Thread(target=self._make, args=(gallery, known.result), name="map", daemon=True).start()
        return known

    def _make(self, gallery: Gallery, result: "Future[GalleryMap]") -> None:
        try:
            with self._turn:
                result.set_result(maps.make_map(gallery))
        except Exception as error:  # told to everybody who waits
            logger.error("The map of %s could not be made", gallery.name, exc_info=error)
            result.set_exception(error)

    def _forget_the_oldest(self) -> None:
        done = [name for name, making in self._made.items() if making.result.done()]
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
    making = maker().ask(gallery)
    asked = making.result
    wait([asked], timeout=TICK)
    if asked.done():
        return asked.result()
    expected = maps.expected_seconds(len(gallery))
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
