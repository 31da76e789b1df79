"""Requests that are never ended, on a real web server."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from similarity.service.header_deadline import MOST_HEAD_BYTES, allow_many_connections, close_on_slow_headers

SECONDS = 0.3
Serve = Callable[[Callable[[int], Awaitable[None]]], None]
WHOLE = b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"


class Hurried(H11Protocol):
    """uvicorn's in Python, with a deadline."""


class HurriedFast(HttpToolsProtocol):
    """uvicorn's in C, with a deadline."""


for protocol in (Hurried, HurriedFast):
    close_on_slow_headers(protocol, SECONDS)
    close_on_slow_headers(protocol, 1000)  # once is enough


@pytest.fixture(params=[Hurried, HurriedFast])
def serve(request: pytest.FixtureRequest) -> Serve:
    """Runs a server that is in a hurry, and something against it."""
    return partial(serve_with, request.param)


async def slow(_: object) -> PlainTextResponse:
    await asyncio.sleep(3 * SECONDS)
    return PlainTextResponse("done")


async def echo(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text(await socket.receive_text())


def serve_with(protocol: type[asyncio.Protocol], ask: Callable[[int], Awaitable[None]]) -> None:
    """Run a server with a protocol, and something against it."""

    async def serving() -> None:
        app = Starlette(routes=[Route("/slow", slow, methods=["GET"]), WebSocketRoute("/echo", echo)])
        server = uvicorn.Server(uvicorn.Config(app, port=0, http=protocol, log_config=None, lifespan="off"))
        server.config.load()
        server.lifespan = server.config.lifespan_class(server.config)
        await server.startup()
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            await asyncio.wait_for(ask(port), 30)
        finally:
            await server.shutdown()

    asyncio.run(serving())


@pytest.mark.many
@pytest.mark.parametrize("begun", [b"", b"G", b"GET /slow HTTP/1.1\r\nHost: a\r\n", WHOLE + b"GET /sl"])
def test_a_connection_on_which_no_whole_head_comes_is_closed(serve: Serve, begun: bytes) -> None:
    async def ask(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(begun)
        try:
            answer = await reader.read()
        except ConnectionResetError:
            answer = b""
        assert (b"done" in answer) == begun.startswith(WHOLE)
        writer.close()

    serve(ask)


def test_bytes_that_trickle_do_not_put_the_end_off(serve: Serve) -> None:
    async def ask(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        closed = asyncio.ensure_future(reader.read())
        while not closed.done():
            writer.write(b"X")
            await asyncio.wait([closed], timeout=SECONDS / 10)
        await asyncio.gather(closed, return_exceptions=True)
        writer.close()

    serve(ask)


@pytest.mark.exhaustive
def test_an_answer_that_takes_longer_comes_all_the_same(serve: Serve) -> None:
    async def ask(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(2):  # on one connection
            writer.write(WHOLE)
            assert b"done" in await reader.readuntil(b"done")
        writer.close()

    serve(ask)


def test_a_websocket_stays_open_in_silence(serve: Serve) -> None:
    import websockets

    async def ask(port: int) -> None:
        async with websockets.connect(f"ws://127.0.0.1:{port}/echo") as socket:
            await asyncio.sleep(3 * SECONDS)
            await socket.send("still here")
            assert await socket.recv() == "still here"

    serve(ask)


@pytest.mark.parametrize("base", [H11Protocol, HttpToolsProtocol])
def test_headers_that_are_very_large_are_not_kept(base: type[asyncio.Protocol]) -> None:
    patient = type("Patient", (base,), {})
    close_on_slow_headers(patient, 1000)

    async def ask(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /slow HTTP/1.1\r\nHost: a\r\nX-Large: ")
        answer = asyncio.ensure_future(reader.read())
        for _ in range(100):
            writer.write(b"x" * (MOST_HEAD_BYTES // 8))
            await asyncio.wait([answer], timeout=SECONDS / 100)
            if answer.done():
                break
        await asyncio.wait([answer], timeout=10)
        assert answer.done(), "it is closed long before its deadline"
        assert isinstance(answer.exception(), ConnectionError) or b"done" not in answer.result()
        writer.close()

    serve_with(patient, ask)


def test_a_large_body_in_one_piece_with_its_head_is_no_large_head(serve: Serve) -> None:
    async def ask(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        body = b"x" * (3 * MOST_HEAD_BYTES)
        writer.write(b"GET /slow HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        assert b"done" in await reader.readuntil(b"done")
        writer.close()

    serve(ask)


def test_as_many_connections_are_allowed_as_may_be() -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, before[1]), before[1]))
        allow_many_connections()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 256
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
