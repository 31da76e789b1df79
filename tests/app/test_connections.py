"""What the web server's connections are like."""

import asyncio
import socket

import psutil
import pytest

from similarity.app.serving.connections import without_send_delay


async def start_the_server() -> None:
    async with without_send_delay(None):  # type: ignore[arg-type]
        pass


def answers_at_once(listening: socket.socket) -> bool:
    """Whether what is sent through a connection that comes through a socket does not wait for more to go with it."""
    with socket.create_connection(listening.getsockname()), listening.accept()[0] as connection:
        return bool(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))


def test_answers_leave_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        assert not answers_at_once(listening)
        asyncio.run(start_the_server())
        assert answers_at_once(listening)
        assert listening.fileno() >= 0, "it is still open"


def test_the_server_starts_also_where_it_may_not_ask_for_its_own_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil.Process, "net_connections", refused)
    asyncio.run(start_the_server())
