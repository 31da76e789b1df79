"""The web server's connections: small answers leave at once."""

import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import psutil
import streamlit as st


@asynccontextmanager
async def without_send_delay(_: "st.App") -> AsyncIterator[None]:
    """While the server runs, what it sends does not wait for more to go with it (TCP_NODELAY).

    Streamlit opens its socket in a way that asyncio does not recognise as TCP and leaves as it is. Then the body of an
    answer waits until its head is confirmed, which may take 40 ms: measured on loopback, the 61 files that make up a
    page took 3.4 s one after the other, and take 0.12 s. Connections inherit it from the socket that they come through.
    """
    with suppress(psutil.Error, OSError):  # where that may not be asked, answers only come later
        for one in psutil.Process().net_connections("tcp"):
            if one.status == psutil.CONN_LISTEN and one.fd >= 0:
                with socket.socket(fileno=os.dup(one.fd)) as listening:
                    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    yield
