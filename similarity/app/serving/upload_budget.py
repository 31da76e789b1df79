"""A budget for uploads, in front of the web server: how many bytes arrive and lie in memory at once, and for how long.

The web server keeps an uploaded file until its tab is closed or another file takes its place. Pages read an upload at
once, so that older files may be dropped.
"""

import asyncio
import re
import time
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, cast

from aiolimiter import AsyncLimiter
from cachetools import TTLCache
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from similarity.service.visitor import network_of

UPLOAD = re.compile(r"/_stcore/upload_file/(?P<session>[^/]+)/[^/]+")
MEGABYTE = 1_000_000
# One file with the rest of its request; the web server refuses larger files itself.
MOST_OF_ONE = 22 * MEGABYTE
# Bytes kept in memory, for a tab and in all; and bytes arriving, of which there are up to three copies.
KEPT_OF_SESSION, KEPT_IN_ALL = 60 * MEGABYTE, 120 * MEGABYTE
ARRIVING_OF_SESSION, ARRIVING_IN_ALL = 2 * MOST_OF_ONE, 3 * MOST_OF_ONE
# An upload that is slower, in bytes a second, after so many seconds, is cut off.
SLOWEST, GRACE = 50_000, 10.0
LONGEST_WAIT = 30.0
# So many bytes may come from one address at once, and as many again in so many seconds; further uploads wait. Parsing
# them takes processor time of the thread that serves everybody: a quarter of it when one visitor sends 45 MB a second.
BURST, BURST_SECONDS = 100 * MEGABYTE, 10.0
MOST_NETWORKS = 10_000
TOO_SLOW = "The picture arrived too slowly and was not taken: send it again."
TOO_MANY = "Very many pictures are being uploaded just now: send yours again in a moment."

Files = MutableMapping[str, MutableMapping[str, Any]]


@dataclass(slots=True)
class Arriving:
    """Bytes that were announced and are arriving, by session."""

    by_session: dict[str, int] = field(default_factory=dict)

    def has_room(self, session: str, size: int) -> bool:
        """Whether so many more bytes may arrive."""
        of_session, in_all = self.by_session.get(session, 0), sum(self.by_session.values())
        return of_session + size <= ARRIVING_OF_SESSION and in_all + size <= ARRIVING_IN_ALL

    def add(self, session: str, size: int) -> None:
        """Count so many more bytes as arriving, or fewer if negative."""
        self.by_session[session] = self.by_session.get(session, 0) + size
        if not self.by_session[session]:
            del self.by_session[session]


class UploadBudget:
    """Lets uploads through while there is room for them; further ones wait for a while, then are refused."""

    def __init__(
        self, app: ASGIApp, grace: float = GRACE, longest_wait: float = LONGEST_WAIT, burst: float = BURST
    ) -> None:
        self._app, self._grace, self._longest_wait, self._burst = app, grace, longest_wait, burst
        self._arriving = Arriving()
        self._changed = asyncio.Condition()
        self._paces: TTLCache[str, AsyncLimiter] = TTLCache(MOST_NETWORKS, 10 * BURST_SECONDS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; an upload waits for room first."""
        is_put = scope["type"] == "http" and scope["method"] == "PUT"
        upload = UPLOAD.search(scope["path"]) if is_put else None
        if upload is None:
            await self._app(scope, receive, send)
            return
        session, size = upload["session"], _announced(Headers(scope=scope))
        if not (await self._in_pace(scope, size) and await self._reserve(session, size)):
            answer = PlainTextResponse(TOO_MANY + "\n", 503, {"Retry-After": "10", "Connection": "close"})
            await answer(scope, receive, send)
            return
        try:
            await self._app(scope, _in_time(receive, self._grace), send)
        finally:
            if files := stored_uploads():
                make_room(files, KEPT_OF_SESSION, KEPT_IN_ALL)
            async with self._changed:
                self._arriving.add(session, -size)
                self._changed.notify_all()

    async def _in_pace(self, scope: Scope, size: int) -> bool:
        """Wait until so many more bytes may come from an address; False if that takes too long."""
        network = network_of((scope.get("client") or ("",))[0])
        pace = self._paces.get(network) or AsyncLimiter(self._burst, BURST_SECONDS)
        self._paces[network] = pace  # kept for as long as it counts
        try:
            async with asyncio.timeout(self._longest_wait):
                await pace.acquire(min(size, self._burst))
        except TimeoutError:
            return False
        return True

    async def _reserve(self, session: str, size: int) -> bool:
        """Wait until so many bytes may arrive; False if that takes too long."""
        async with self._changed:
            try:
                async with asyncio.timeout(self._longest_wait):
                    await self._changed.wait_for(lambda: self._arriving.has_room(session, size))
            except TimeoutError:
                return False
            self._arriving.add(session, size)
            return True


def stored_uploads() -> Files:
    """Return the uploads that the web server keeps, by session and file number, oldest first."""
    return cast(Files, _keeper().file_storage) if runtime.exists() else {}


def make_room(
    files: Files, most_of_session: int, most_in_all: int, drop: Callable[[str, str], None] | None = None
) -> None:
    """Drop the oldest files of sessions over their limit, and then of those that hold most.

    Args:
        files: by session and by the number of the file, oldest first.
        most_of_session, most_in_all: bytes that may stay.
        drop: called with the session and the number of a file; removes it from the web server unless given.
    """
    drop = drop or _keeper().remove_file
    sizes = {
        session: {number: len(file.data) for number, file in held.copy().items()} for session, held in _copy(files)
    }
    while sizes:
        session = max(sizes, key=lambda session: sum(sizes[session].values()))
        most = sum(sizes[session].values())
        is_too_much = most > most_of_session or sum(sum(held.values()) for held in sizes.values()) > most_in_all
        if not is_too_much or not sizes[session]:
            return
        oldest = next(iter(sizes[session]))
        del sizes[session][oldest]
        drop(session, oldest)


def _keeper() -> MemoryUploadedFileManager:
    return cast(MemoryUploadedFileManager, runtime.get_instance().uploaded_file_mgr)


def _copy(files: Files) -> list[tuple[str, Any]]:
    return list(cast(dict[str, Any], files).copy().items())


def _announced(headers: Mapping[str, str]) -> int:
    """Return the announced size of a request in bytes; the maximum if it announces none."""
    text = headers.get("content-length", "")
    return min(int(text), MOST_OF_ONE) if text.isdecimal() and len(text) < 20 else MOST_OF_ONE


def _in_time(receive: Receive, grace: float) -> Receive:
    """Return a `receive` that raises HTTPException if a request arrives too slowly."""
    began, arrived = time.monotonic(), 0

    async def received() -> Message:
        nonlocal arrived
        until = began + grace + arrived / SLOWEST
        try:
            async with asyncio.timeout(max(0.0, until - time.monotonic())):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408, TOO_SLOW, {"Connection": "close"}) from None
        arrived += len(message.get("body", b""))
        return message

    return received
