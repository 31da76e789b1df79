"""How much a request may bring: counted while it arrives, whatever it announces, and in how much time."""

import asyncio
import time
from collections import Counter

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from similarity.api.problems import RETRY_AFTER
from similarity.service.visitor import network_of

# Pictures, also in base64, with the rest of their request.
MOST_BYTES = 64_000_000
# Bytes of all requests that are arriving or at work, which lie in memory in up to three copies; and of one network.
MOST_IN_ALL, MOST_OF_NETWORK = 256_000_000, 128_000_000
# A request that is slower, in bytes a second, after so many seconds, is refused.
SLOWEST, GRACE = 50_000, 10.0
TOO_LARGE = f"The request is larger than {MOST_BYTES // 1_000_000} MB."
TOO_SLOW = "The request arrived too slowly: send it again."
TOO_MANY = "Very much is being sent just now: send your request again in a moment."
CLOSE = {"Connection": "close"}


class BodyLimit:
    """Passes requests on; reading a body that is too large or too slow, or finds no room, raises HTTPException."""

    def __init__(
        self,
        app: ASGIApp,
        most: int = MOST_BYTES,
        grace: float = GRACE,
        most_in_all: int = MOST_IN_ALL,
        most_of_network: int = MOST_OF_NETWORK,
    ) -> None:
        self._app, self._most, self._grace = app, most, grace
        self._most_in_all, self._most_of_network = most_in_all, most_of_network
        self._held: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and count its bytes until it is answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        network, arrived = network_of((scope.get("client") or ("",))[0]), Counter[str]()
        try:
            await self._app(scope, self._limited(receive, network, arrived), send)
        finally:
            self._held -= arrived  # which drops networks that nothing is held of

    def _limited(self, receive: Receive, network: str, arrived: "Counter[str]") -> Receive:
        began, is_whole = time.monotonic(), False

        async def received() -> Message:
            nonlocal is_whole
            if is_whole:  # what comes now is the end of the connection
                return await receive()
            until = began + self._grace + arrived[network] / SLOWEST
            try:
                async with asyncio.timeout(max(0.0, until - time.monotonic())):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, TOO_SLOW, CLOSE) from None
            size = len(message.get("body", b""))
            arrived[network] += size
            self._held[network] += size
            is_whole = not message.get("more_body", False)
            if arrived[network] > self._most:
                raise HTTPException(413, TOO_LARGE, CLOSE)
            if self._held[network] > self._most_of_network or self._held.total() > self._most_in_all:
                raise HTTPException(503, TOO_MANY, CLOSE | {"Retry-After": str(RETRY_AFTER)})
            return message

        return received
