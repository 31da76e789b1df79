"""The application of the API: its routes, its document, and what stands before them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from similarity.api import changes, galleries, items, jobs, problems, searches, several
from similarity.api.limits import BodyLimit
from similarity.service.hosts import api_origins, find_refusal
from similarity.service.incoming import shared_incoming
from similarity.storage import events

PREFIX = "/api/v1"
TITLE = "Similarity"
EVERY_SECONDS = 15.0  # between two rounds of housekeeping
# A thousand hits are packed in 2.3 ms, to 52 kB, while others wait; in 6.3 ms, to 50 kB, at the usual level, 9.
GZIP_LEVEL = 4
# Statuses of problems that any address may answer with.
STATUSES = (400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 500, 503)

# A page of another origin can ask for a picture without saying where it comes from; its browser keeps the answer back.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# What pages of other origins may send and read, where SIMILARITY_API_ORIGINS names them; never a cookie.
FOR_PAGES: dict[str, Any] = {
    "allow_methods": ["GET", "POST", "PATCH", "DELETE"],
    "allow_headers": ["Authorization", "Content-Type", "If-None-Match", "X-API-Key"],
    "expose_headers": ["ETag", "Location", "Retry-After", "WWW-Authenticate"],
}


class OwnHosts:
    """Refuses requests that are meant for other hosts, or sent by pages of other origins than api_origins()."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it with a problem."""
        refusal = find_refusal(Headers(scope=scope), api_origins()) if scope["type"] == "http" else None
        await (problems.answer(403, refusal) if refusal else self._app)(scope, receive, _with_headers(send))


def _with_headers(send: Send) -> Send:
    """Return a `send` that adds HEADERS to a response."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(HEADERS)
        await send(message)

    return sent


def _problem(status: int) -> dict[str, Any]:
    """Return what the document says of a problem; its model is there, since an answer to a batch may have one."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": HTTPStatus(status).phrase, "content": {problems.CONTENT_TYPE: {"schema": schema}}}


def create(place: str = PREFIX) -> FastAPI:
    """Return the application, to be mounted at a place."""
    app: FastAPI = FastAPIOffline(
        title=TITLE,
        version="1",
        redoc_url=None,
        default_response_class=JSONResponse,
        servers=[{"url": place}],
        responses={status: _problem(status) for status in STATUSES},
        root_path_in_servers=False,
    )
    for router in (
        galleries.router,
        searches.direct,
        searches.router,
        several.router,
        items.router,
        changes.router,
        jobs.router,
    ):
        app.include_router(router)
    _tell_of_bodies(app)
    problems.add_handlers(app)
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=GZIP_LEVEL)
    app.add_middleware(BodyLimit)
    if origins := api_origins():
        app.add_middleware(CORSMiddleware, allow_origins=sorted(origins), **FOR_PAGES)
    app.add_middleware(OwnHosts)
    return app


def _tell_of_bodies(app: FastAPI) -> None:
    """Put the models of bodies into an application's document, which only knows those that it reads itself."""
    app.openapi()["components"]["schemas"] |= searches.SCHEMAS | changes.SCHEMAS


@asynccontextmanager
async def _housekeeping(_app: Starlette) -> AsyncIterator[None]:
    """Do at regular intervals what the server of the pages does at its own, until the server stops."""

    async def keep() -> None:
        while True:
            await asyncio.to_thread(events.catch_up)
            await asyncio.to_thread(shared_incoming().expire)
            await asyncio.sleep(EVERY_SECONDS)

    keeping = asyncio.create_task(keep())
    yield
    keeping.cancel()
    with suppress(asyncio.CancelledError):
        await keeping


def create_alone() -> Starlette:
    """Return the application as it is served without the pages: at PREFIX, its document and page at /, too."""
    api = create()

    async def document(_request: Request) -> JSONResponse:
        return JSONResponse(api.openapi())

    async def page(_request: Request) -> RedirectResponse:
        return RedirectResponse(f"{PREFIX}/docs")

    routes = [Route("/openapi.json", document), *(Route(place, page) for place in ("/", "/docs")), Mount(PREFIX, api)]
    alone = Starlette(routes=routes, lifespan=_housekeeping)
    problems.add_handlers(alone)
    return alone
