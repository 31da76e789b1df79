"""Housekeeping: drops tabs that have been closed for good with their uploads, and returns memory to the system."""

import asyncio
import ctypes
import ctypes.util
import gc
import logging
import time
from contextlib import suppress

from streamlit import config

from similarity.app.serving import session_uploads, sessions, visitors
from similarity.service.incoming import shared_incoming
from similarity.storage import events

EVERY = 15.0
# The parameter of `mallopt` for the size from which a block is mapped by itself; see malloc.h.
M_MMAP_THRESHOLD, LARGE = -3, 1 << 20

logger = logging.getLogger(__name__)


class Housekeeping:
    """Notices closed tabs, and drops them with their uploads once they have not reconnected for some time."""

    def __init__(self) -> None:
        self._closed_since: dict[str, float] = {}

    def sweep(self, now: float, patience: float) -> list[str]:
        """Drop tabs that have been closed for some time, and their uploads; returns their sessions.

        Args:
            now: in seconds.
            patience: seconds for which a closed tab may reconnect.
        """
        closed = [session for session in sessions.shared_sessions().list() if not visitors.is_connected(session)]
        self._closed_since = {session: self._closed_since.get(session, now) for session in closed}
        gone = [session for session, since in self._closed_since.items() if now - since >= patience]
        for session in gone:
            sessions.shared_sessions().close(session)
        return gone

    async def run(self) -> None:
        """Sweep at regular intervals until cancelled."""
        while True:
            await asyncio.sleep(EVERY)
            # Tabs are noticed late and dropped late; it must be before Streamlit itself lets them reconnect no more.
            patience = float(config.get_option("server.disconnectedSessionTTL") or 0) - 2 * EVERY
            session_uploads.shared_uploads().expire()
            await asyncio.to_thread(shared_incoming().expire)
            await asyncio.to_thread(events.catch_up)
            if gone := self.sweep(time.monotonic(), max(0.0, patience)):
                logger.info("Dropped %d closed tabs", len(gone))
                await asyncio.to_thread(return_free_memory)


def map_large_blocks() -> None:
    """Have large blocks of memory returned to the system as soon as they are free.

    glibc learns from the sizes that are freed to keep blocks of up to 32 MB, for each thread its own. Pillow asks for
    16 MB at a time: eight visitors with large pictures left 1.1 GB behind.
    """
    with suppress(OSError, AttributeError, TypeError):  # Windows finds no such library
        ctypes.CDLL(ctypes.util.find_library("c")).mallopt(M_MMAP_THRESHOLD, LARGE)


def return_free_memory() -> None:
    """Return free memory to the system, which glibc would keep; does nothing with other C libraries."""
    gc.collect()
    with suppress(OSError, AttributeError, TypeError):  # only glibc has this function
        ctypes.CDLL(ctypes.util.find_library("c")).malloc_trim(0)
