"""What closed tabs leave behind is dropped, and memory given back, once a tab cannot come back any more."""

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
# What `mallopt` calls the size from which on a block is mapped by itself, see malloc.h.
M_MMAP_THRESHOLD, LARGE = -3, 1 << 20

logger = logging.getLogger(__name__)


class Housekeeping:
    """Notices that tabs have been closed, and drops what they had after the time in which they may come back."""

    def __init__(self) -> None:
        self._closed_since: dict[str, float] = {}

    def look(self, now: float, patience: float) -> list[str]:
        """Drop what is left of tabs that were closed longer ago; returns their sessions.

        Args:
            now: in seconds.
            patience: for how many seconds a tab that is gone may come back.
        """
        closed = [one for one in _sessions() if not visitors.is_connected(one)]
        self._closed_since = {one: self._closed_since.get(one, now) for one in closed}
        gone = [one for one, since in self._closed_since.items() if now - since >= patience]
        for session in gone:
            session_uploads.shared_uploads().forget(session)
            if runtime.exists():
                runtime.get_instance().uploaded_file_mgr.remove_session_files(session)
        return gone

    async def go_on(self) -> None:
        """Look every now and then, for good."""
        while True:
            await asyncio.sleep(EVERY)
            patience = float(config.get_option("server.disconnectedSessionTTL") or 0)
            if gone := self.look(time.monotonic(), patience):
                logger.info("Dropped what %d closed tabs had uploaded", len(gone))
                await asyncio.to_thread(give_back_memory)


def map_large_blocks() -> None:
    """Have large blocks of memory given back as soon as they are free.

    glibc learns from the sizes that are freed to keep blocks of up to 32 MB, for each thread its own. Pillow asks for
    16 MB at a time: eight visitors with large pictures left 1.1 GB behind.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(ctypes.util.find_library("c")).mallopt(M_MMAP_THRESHOLD, LARGE)


def give_back_memory() -> None:
    """Give memory that is free back to the system, which the C library keeps otherwise; it does no harm elsewhere."""
    gc.collect()
    with suppress(OSError, AttributeError):  # there is no such function but in glibc
        ctypes.CDLL(ctypes.util.find_library("c")).malloc_trim(0)


def _sessions() -> Iterable[str]:
    return {*session_uploads.shared_uploads().sessions(), *stored_uploads()}
