"""Socket options of the web server: small responses are sent without delay."""

import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import psutil
import streamlit as st


@asynccontextmanager
async def without_send_delay(_: "st.App") -> AsyncIterator[None]:
    """Set TCP_NODELAY on the sockets that the server listens on.

    Streamlit opens its socket in a way that asyncio does not recognise as TCP and leaves as it is. Then the body of a
    response waits until its head is acknowledged, which may take 40 ms: measured on loopback, the 61 files of a page
    took 3.4 s one after the other, and take 0.12 s. Connections inherit the option from the listening socket.
    """
    with suppress(psutil.Error, OSError):  # where sockets may not be listed, responses are only slower
        for connection in psutil.Process().net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.fd >= 0:
                with socket.socket(fileno=os.dup(connection.fd)) as listening:
                    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    yield
