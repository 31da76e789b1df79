"""Files of galleries at addresses of their own, so that a browser fetches each once and caches it.

An address names a file by a SHA-256, so that it always serves the same bytes.
"""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from similarity.app.serving import visitors
from similarity.errors import SimilarityError
from similarity.service.visitor import Visitor
from similarity.storage.inventory import named_gallery

HEADERS = {
    "Cache-Control": "private, max-age=31536000, immutable",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
SHA256 = re.compile("[0-9a-f]{64}")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HashedFiles:
    """Files of one kind.

    Attributes:
        folder: the first part of their addresses.
        suffix: how these end.
        media_type: of each file.
        read: takes the folder of a gallery, a SHA-256 and the visitor whose time is used, and returns the file, or None
            if there is none; it may raise SimilarityError, which is the same.
    """

    folder: str
    suffix: str
    media_type: str
    read: Callable[[Path, str, Visitor], bytes | None]

    def address(self, gallery: str, sha256: str) -> str:
        """Return the address of a file."""
        return f"{base_path()}/{self.folder}/{quote(gallery)}/{sha256}{self.suffix}"

    def routes(self) -> list[Route]:
        """Return the routes of the files, for the web server."""
        return [Route(f"{base_path()}/{self.folder}/{{gallery}}/{{sha256}}{self.suffix}", self._serve)]

    def find(self, gallery: str, sha256: str, visitor: Visitor = visitors.NOBODY) -> bytes | None:
        """Return a file; None if there is no such gallery or file."""
        if not SHA256.fullmatch(sha256):
            return None
        try:
            return self.read(named_gallery(gallery), sha256, visitor)
        except SimilarityError as error:
            logger.info("No file %s of %s in %s: %s", sha256, gallery, self.folder, error)
            return None

    async def _serve(self, request: Request) -> Response:
        visitor = Visitor(address=request.client.host if request.client else "")
        file = await run_in_threadpool(self.find, **request.path_params, visitor=visitor)
        if file is None:
            return Response("There is no such picture.", status_code=404, media_type="text/plain")
        return Response(file, media_type=self.media_type, headers=HEADERS)


def base_path() -> str:
    """Return the base path of the app, empty unless it is served below one."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}" if base else ""
