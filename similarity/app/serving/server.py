"""The lifespan of the web server: setup before it starts, housekeeping while it runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import streamlit as st

from similarity.app.serving.connections import without_send_delay
from similarity.app.serving.housekeeping import Housekeeping, map_large_blocks
from similarity.service import header_deadline


@asynccontextmanager
async def running(app: "st.App") -> AsyncIterator[None]:
    """Set the server up for many visitors, and clean up after them until it stops."""
    header_deadline.close_on_slow_headers()
    header_deadline.allow_many_connections()
    map_large_blocks()
    async with without_send_delay(app):
        housekeeping = asyncio.create_task(Housekeeping().run())
        yield
        housekeeping.cancel()
        with suppress(asyncio.CancelledError):
            await housekeeping
