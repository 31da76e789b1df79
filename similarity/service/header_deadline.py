"""Limits of request headers: a connection that does not send them whole in time, or sends very many, is closed.

The web server (uvicorn) has no such deadline. A thousand connections that somebody opens and leaves idle would use up
all that the app can have ("slow loris"). Nor does its faster parser (httptools) bound their size.
"""

import asyncio
import functools
from collections.abc import Callable
from contextlib import suppress
from typing import Any

HEAD_SECONDS, MOST_HEAD_BYTES = 10.0, 65_536
# Far more connections than a computer serves; the system's default may be only a thousand.
FILES = 65_536
MARK = "has_header_deadline"


def close_on_slow_headers(protocol: type[asyncio.Protocol] | None = None, seconds: float = HEAD_SECONDS) -> None:
    """Close connections whose request headers take longer than so many seconds, or more than MOST_HEAD_BYTES.

    Calling it again changes nothing.

    Args:
        protocol: uvicorn's class for HTTP connections; its default unless given.
        seconds: from the first byte of the headers, or from when the connection was made.
    """
    if protocol is None:
        from uvicorn.protocols.http.auto import AutoHTTPProtocol as protocol  # noqa: N813
    if getattr(protocol, MARK, False):
        return
    for name in ("connection_made", "data_received"):
        setattr(protocol, name, _then_watch(getattr(protocol, name), seconds))
    setattr(protocol, MARK, True)


def allow_many_connections() -> None:
    """Raise the limit of open files of this process as far as the system allows."""
    with suppress(ImportError, ValueError, OSError):  # not on Windows, or not for us
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
        if soft != resource.RLIM_INFINITY and soft < most:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _then_watch(method: Callable[..., None], seconds: float) -> Callable[..., None]:
    @functools.wraps(method)
    def watched(connection: Any, argument: Any) -> None:
        method(connection, argument)
        _watch(connection, seconds)
        # What has come and is no whole head yet.
        held = getattr(connection, "head_bytes", 0) + len(argument) if isinstance(argument, bytes) else 0
        connection.head_bytes = held if _awaits_headers(connection) else 0
        if connection.head_bytes > MOST_HEAD_BYTES and not connection.transport.is_closing():
            connection.transport.abort()

    return watched


def _watch(connection: Any, seconds: float) -> None:
    """Set the deadline when headers begin, and drop it when they are whole."""
    deadline = getattr(connection, "head_deadline", None)
    if not _awaits_headers(connection):
        if deadline:
            deadline.cancel()
            connection.head_deadline = None
    elif not deadline:
        connection.head_deadline = connection.loop.call_later(seconds, _abort_if_late, connection)


def _abort_if_late(connection: Any) -> None:
    connection.head_deadline = None
    is_its_own = connection.transport.get_protocol() is connection  # not that of a websocket by now
    if is_its_own and _awaits_headers(connection) and not connection.transport.is_closing():
        connection.transport.abort()


def _awaits_headers(connection: Any) -> bool:
    """Whether headers are awaited; between two requests the server's own keep-alive deadline holds."""
    is_between = connection.timeout_keep_alive_task is not None
    return (connection.cycle is None or connection.cycle.response_complete) and not is_between
