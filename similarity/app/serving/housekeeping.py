"""Housekeeping: drops the uploads of tabs that have been closed for good, and returns memory to the system."""

import asyncio
import ctypes
import ctypes.util
import gc
import logging
import time
from collections.abc import Iterable
from contextlib import suppress

from streamlit import config, runtime

from similarity.app.serving import session_uploads, visitors
from similarity.app.serving.upload_budget import stored_uploads

EVERY = 15.0
# The parameter of `mallopt` for the size from which a block is mapped by itself; see malloc.h.
M_MMAP_THRESHOLD, LARGE = -3, 1 << 20

logger = logging.getLogger(__name__)


class Housekeeping:
    """Notices closed tabs, and drops their uploads once they can no longer reconnect."""

    def __init__(self) -> None:
        self._closed_since: dict[str, float] = {}

    def sweep(self, now: float, patience: float) -> list[str]:
        """Drop the uploads of tabs that have been closed for some time; returns their sessions.

        Args:
            now: in seconds.
            patience: seconds for which a closed tab may reconnect.
        """
        closed = [session for session in _sessions() if not visitors.is_connected(session)]
        self._closed_since = {session: self._closed_since.get(session, now) for session in closed}
        gone = [session for session, since in self._closed_since.items() if now - since >= patience]
        for session in gone:
            session_uploads.shared_uploads().forget(session)
            if runtime.exists():
                runtime.get_instance().uploaded_file_mgr.remove_session_files(session)
        return gone

    async def run(self) -> None:
        """Sweep at regular intervals until cancelled."""
        while True:
            await asyncio.sleep(EVERY)
            patience = float(config.get_option("server.disconnectedSessionTTL") or 0)
            if gone := self.sweep(time.monotonic(), patience):
                logger.info("Dropped what %d closed tabs had uploaded", len(gone))
                await asyncio.to_thread(return_free_memory)


def map_large_blocks() -> None:
    """Have large blocks of memory returned to the system as soon as they are free.

    glibc learns from the sizes that are freed to keep blocks of up to 32 MB, for each thread its own. Pillow asks for
    16 MB at a time: eight visitors with large pictures left 1.1 GB behind.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(ctypes.util.find_library("c")).mallopt(M_MMAP_THRESHOLD, LARGE)


def return_free_memory() -> None:
    """Return free memory to the system, which glibc would keep; does nothing with other C libraries."""
    gc.collect()
    with suppress(OSError, AttributeError):  # only glibc has this function
        ctypes.CDLL(ctypes.util.find_library("c")).malloc_trim(0)


def _sessions() -> Iterable[str]:
    return {*session_uploads.shared_uploads().sessions(), *stored_uploads()}
