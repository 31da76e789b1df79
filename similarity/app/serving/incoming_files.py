"""The route on which uploads arrive in pieces, open to those who may make galleries.

    GET    /incoming/NAME?path=shoes/1.jpg         how much of a file has arrived
    PUT    /incoming/NAME?path=shoes/1.jpg&at=0    a piece of it, from a place on
    POST   /incoming/NAME                          all has arrived
    DELETE /incoming/NAME                         begin anew

The name is that of an upload that a page has begun for this browser, see `service.incoming`.
"""

import asyncio

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from similarity.app.serving import users
from similarity.app.serving.browser_cookie import browser_of
from similarity.app.serving.hashed_files import base_path
from similarity.errors import SourceError
from similarity.service import access
from similarity.service.incoming import PIECE, OutOfStepError, Upload, shared_incoming

# Headers of a request with a body, which is from a browser on this computer all the same.
OF_A_BODY = ("content-length", "content-type", "transfer-encoding")
LONGEST_SECONDS = 120.0  # for a piece to arrive
HEADERS = {"Cache-Control": "no-store"}
GONE = "This upload has ended: choose the files again."


def address(name: str) -> str:
    """Return the address of an upload."""
    return f"{base_path()}/incoming/{name}"


def routes() -> list[Route]:
    """Return the route of uploads, for the web server."""
    return [Route(f"{base_path()}/incoming/{{name}}", _answer, methods=["GET", "PUT", "POST", "DELETE"])]


async def _answer(request: Request) -> Response:
    browser = browser_of(request.headers.get("cookie", ""))
    upload = shared_incoming().find(request.path_params["name"], browser) if browser and _may_manage(request) else None
    if upload is None:
        return _say(404, GONE)
    if request.method == "POST":
        shared_incoming().complete(upload)
        return _say(200, "")
    if request.method == "DELETE":
        await run_in_threadpool(shared_incoming().empty, upload)
        return _say(200, "")
    path = request.query_params.get("path", "")
    if request.method == "GET":
        return JSONResponse({"size": upload.sizes.get(path, 0)}, headers=HEADERS)
    return await _take_piece(request, upload, path)


async def _take_piece(request: Request, upload: Upload, path: str) -> Response:
    at = request.query_params.get("at", "")
    if not (at.isdecimal() and len(at) < 16):
        return _say(400, "The place of the piece is missing.")
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            data = await _read(request)
    except TimeoutError:
        return _say(408, "The piece arrived too slowly.")
    if data is None:
        return _say(413, "The piece is too large.")
    try:
        size = await run_in_threadpool(shared_incoming().write, upload, path, int(at), data)
    except OutOfStepError as error:
        return JSONResponse({"size": error.size}, 409, HEADERS)
    except SourceError as error:
        return _say(422, str(error))
    return JSONResponse({"size": size}, headers=HEADERS)


async def _read(request: Request) -> bytes | None:
    """Read the body of a request; None if it is longer than a piece."""
    data = bytearray()
    async for part in request.stream():
        data += part
        if len(data) > PIECE:
            return None
    return bytes(data)


def _may_manage(request: Request) -> bool:
    """Whether a visitor may change galleries, by the same rules as on a page."""
    headers = {name: value for name, value in request.headers.items() if name.lower() not in OF_A_BODY}
    if access.may_manage(request.client.host if request.client else "", headers):
        return True
    return users.is_asked_for() and access.is_manager(users.read_cookies(request.cookies))


def _say(status: int, sentence: str) -> Response:
    return JSONResponse({"reason": sentence}, status, HEADERS)
