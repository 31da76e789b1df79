"""Requests that are begun and never ended: a connection on which no whole head of a request comes is closed.

The web server (uvicorn) has no such deadline. A thousand connections that somebody opens and leaves would be all that
the app can have.
"""

import asyncio
import functools
from collections.abc import Callable
from contextlib import suppress
from typing import Any

HEAD_SECONDS = 10.0
# Far more connections than a computer serves; what the system allows may be only a thousand.
FILES = 65_536
MARK = "has_header_deadline"


def close_on_slow_headers(protocol: type[asyncio.Protocol] | None = None, seconds: float = HEAD_SECONDS) -> None:
    """Have connections closed on which a request's head takes longer; as often as one likes.

    Args:
        protocol: uvicorn's class for connections over HTTP; the one that it takes unless given.
        seconds: for one head, from its first byte or from when the connection was made.
    """
    if protocol is None:
        from uvicorn.protocols.http.auto import AutoHTTPProtocol as protocol  # noqa: N813
    if getattr(protocol, MARK, False):
        return
    for name in ("connection_made", "data_received"):
        setattr(protocol, name, _then_watch(getattr(protocol, name), seconds))
    setattr(protocol, MARK, True)


def allow_many_connections() -> None:
    """Raise how many files this process may have open, as far as it may."""
    with suppress(ImportError, ValueError, OSError):  # not on Windows, or not for us
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
        if soft != resource.RLIM_INFINITY and soft < most:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _then_watch(method: Callable[..., None], seconds: float) -> Callable[..., None]:
    @functools.wraps(method)
    def watched(connection: Any, given: Any) -> None:
        method(connection, given)
        _watch(connection, seconds)

    return watched


def _watch(connection: Any, seconds: float) -> None:
    """Set the deadline when a head has begun, and drop it when the head is whole."""
    deadline = getattr(connection, "head_deadline", None)
    if not _waits_for_a_head(connection):
        if deadline:
            deadline.cancel()
            connection.head_deadline = None
    elif not deadline:
        connection.head_deadline = connection.loop.call_later(seconds, _cut_off, connection)


def _cut_off(connection: Any) -> None:
    connection.head_deadline = None
    is_its_own = connection.transport.get_protocol() is connection  # not that of a websocket by now
    if is_its_own and _waits_for_a_head(connection) and not connection.transport.is_closing():
        connection.transport.abort()


def _waits_for_a_head(connection: Any) -> bool:
    """Whether no request is being answered; between two requests the server has a deadline of its own."""
    is_between = connection.timeout_keep_alive_task is not None
    return (connection.cycle is None or connection.cycle.response_complete) and not is_between
