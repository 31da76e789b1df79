"""How many bytes of uploads arrive and lie in memory: by asking the budget, and without a browser."""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from similarity.app.serving import upload_budget
from similarity.app.serving.upload_budget import MEGABYTE, MOST_OF_ONE, UploadBudget, make_room

PLACE = "/_stcore/upload_file/{session}/{number}"


@dataclass
class File:
    """A file as the web server keeps it."""

    data: bytes


def put(session: str, size: int | None) -> Any:
    """A request that brings so many bytes, or does not say how many."""
    headers = [] if size is None else [(b"content-length", str(size).encode())]
    path = PLACE.format(session=session, number="1")
    return {"type": "http", "method": "PUT", "path": path, "headers": headers, "query_string": b""}


def test_uploads_wait_until_there_is_room_for_them_and_others_pass() -> None:
    async def uploading() -> list[str]:
        done: list[str] = []
        arriving, go = asyncio.Semaphore(0), asyncio.Event()

        async def app(scope: Any, *_: Any) -> None:
            if scope["method"] == "PUT":
                arriving.release()
                await go.wait()
            done.append(scope["path"])

        async def nothing(*_: Any) -> Any:
            return {"type": "http.request", "body": b""}

        budget = UploadBudget(app)
        # Two of one tab at once, and three in all, whether they say how large they are or not.
        sizes = [("a", MOST_OF_ONE), ("a", None), ("a", MOST_OF_ONE), ("b", 10**30), ("c", 5 * MEGABYTE)]
        tasks = [asyncio.ensure_future(budget(put(*each), nothing, nothing)) for each in sizes]
        for _ in range(3):
            await asyncio.wait_for(arriving.acquire(), 30)
        await budget(put("x", 1) | {"method": "GET"}, nothing, nothing)
        assert len(done) == 1
        assert arriving.locked()
        go.set()
        await asyncio.wait_for(asyncio.gather(*tasks), 30)
        return done

    assert len(asyncio.run(uploading())) == 6


def test_who_has_waited_too_long_is_told_to_come_again() -> None:
    async def uploading() -> list[Any]:
        sent: list[Any] = []
        arriving, go = asyncio.Event(), asyncio.Event()

        async def app(*_: Any) -> None:
            arriving.set()
            await go.wait()

        async def receive() -> Any:
            return {"type": "http.request", "body": b""}

        async def send(message: Any) -> None:
            sent.append(message)

        budget = UploadBudget(app, longest_wait=0.05)
        first = [asyncio.ensure_future(budget(put("a", MOST_OF_ONE), receive, send)) for _ in range(2)]
        await asyncio.wait_for(arriving.wait(), 30)
        await budget(put("a", MOST_OF_ONE), receive, send)
        go.set()
        await asyncio.gather(*first)
        return sent

    begun, body = asyncio.run(uploading())
    assert begun["status"] == 503
    assert body["body"].decode().strip() == upload_budget.TOO_MANY


@pytest.mark.parametrize("parts", [[], [b"a"], [b"a" * 100]])
def test_an_upload_that_is_never_ended_is_cut_off_with_a_sentence(parts: list[bytes]) -> None:
    async def take(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(len(await request.body())))

    async def uploading() -> list[Any]:
        sent: list[Any] = []
        coming = iter(parts)

        async def receive() -> Any:
            part = next(coming, None)
            if part is None:
                await asyncio.Event().wait()
            return {"type": "http.request", "body": part, "more_body": True}

        async def send(message: Any) -> None:
            sent.append(message)

        app = Starlette(routes=[Route(PLACE, take, methods=["PUT"])])
        await asyncio.wait_for(UploadBudget(app, grace=0.05)(put("a", 1000), receive, send), 30)
        return sent

    begun, body = asyncio.run(uploading())
    assert begun["status"] == 408
    assert (b"connection", b"close") in begun["headers"]
    assert body["body"].decode() == upload_budget.TOO_SLOW


def test_of_what_lies_in_memory_the_oldest_of_whoever_has_most_goes() -> None:
    files = {
        "greedy": {str(number): File(bytes(10)) for number in range(8)},
        "modest": {"1": File(bytes(20))},
        "gone": dict[str, File](),
    }
    dropped: list[tuple[str, str]] = []
    make_room(files, 50, 60, lambda *one: dropped.append(one))  # type: ignore[arg-type]
    assert dropped == [("greedy", "0"), ("greedy", "1"), ("greedy", "2"), ("greedy", "3")]


def test_what_there_is_room_for_stays() -> None:
    files = {"a": {"1": File(bytes(50))}, "b": {"1": File(bytes(50))}}
    make_room(files, 50, 100, lambda *one: pytest.fail(str(one)))  # type: ignore[arg-type]
    make_room({}, 50, 100, lambda *one: pytest.fail(str(one)))


def test_uploads_beyond_the_pace_of_an_address_wait_and_those_of_another_pass() -> None:
    async def uploading() -> tuple[list[str], list[int]]:
        done: list[str] = []
        statuses: list[int] = []

        async def app(scope: Any, *_: Any) -> None:
            done.append(scope["client"][0])

        async def receive() -> Any:
            return {"type": "http.request", "body": b""}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        budget = UploadBudget(app, longest_wait=0.2, burst=10 * MEGABYTE)
        for number in range(3):
            await budget(put(f"tab {number}", 5 * MEGABYTE) | {"client": (f"2001:db8::{number}", 1)}, receive, send)
        await budget(put("modest", 5 * MEGABYTE) | {"client": ("192.0.2.2", 1)}, receive, send)
        return done, statuses

    done, statuses = asyncio.run(uploading())
    assert done == ["2001:db8::0", "2001:db8::1", "192.0.2.2"], "whatever tab, and address of a network, it comes from"
    assert statuses == [503]
