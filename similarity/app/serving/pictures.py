"""Thumbnails of galleries, served at addresses of their own, so that a browser fetches each once and caches it.

An address names a picture by the SHA-256 of its file, so that it always serves the same bytes.
"""

import logging
import re
from urllib.parse import quote

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from similarity.app.serving import resources, visitors
from similarity.errors import SimilarityError
from similarity.gallery import Gallery
from similarity.service import turns
from similarity.service.visitor import Visitor
from similarity.sources.locations import is_remote
from similarity.storage.inventory import named_gallery
from similarity.storage.thumbnails import read_thumbnail, write_thumbnail

HEADERS = {
    "Cache-Control": "private, max-age=31536000, immutable",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}

logger = logging.getLogger(__name__)


def address(gallery: str, sha256: str) -> str:
    """Return the address of the thumbnail of a picture."""
    return f"{_root()}/pictures/{quote(gallery)}/{sha256}.jpg"


def routes() -> list[Route]:
    """Return the routes of thumbnails, for the web server."""
    return [Route(f"{_root()}/pictures/{{gallery}}/{{sha256}}.jpg", _serve)]


async def _serve(request: Request) -> Response:
    gallery, sha256 = request.path_params["gallery"], request.path_params["sha256"]
    visitor = Visitor(address=request.client.host if request.client else "")
    jpeg = await run_in_threadpool(find, gallery, sha256, visitor)
    if jpeg is None:
        return Response("There is no such picture.", status_code=404, media_type="text/plain")
    return Response(jpeg, media_type="image/jpeg", headers=HEADERS)


def find(gallery: str, sha256: str, visitor: Visitor = visitors.NOBODY) -> bytes | None:
    """Return a thumbnail, made again if its file is gone; None if there is no such gallery or picture.

    Args:
        visitor: whose time is used if the thumbnail is made again.
    """
    if not re.fullmatch("[0-9a-f]{64}", sha256):
        return None
    try:
        directory = named_gallery(gallery)
        return read_thumbnail(directory, sha256) or _make_again(resources.load_gallery(directory), sha256, visitor)
    except SimilarityError as error:
        logger.info("No picture %s of %s: %s", sha256, gallery, error)
        return None


def _make_again(gallery: Gallery, sha256: str, visitor: Visitor) -> bytes | None:
    """Make a thumbnail and store it; raises SearchError if the gallery has no such picture."""
    item = gallery.find(sha256)
    if is_remote(item.path):
        return None  # a request for a thumbnail must not make this app fetch an address
    with turns.shared_turns().take(visitor):
        jpeg = gallery.thumbnail(item)
    try:
        write_thumbnail(gallery.directory, sha256, jpeg)
    except OSError as error:
        logger.info("It could not be kept: %s", error)
    return jpeg


def _root() -> str:
    """Return the base path of the app, empty unless it is served below one."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}" if base else ""
