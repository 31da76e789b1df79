"""Answers to the probes with which Streamlit's pages look for their server below their own address.

A page at /map asks /map/_stcore/health first, then /_stcore/health. A 404 would be an error in the browser's console,
and a 200 would make the page look for all else below /map.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from similarity.app.serving.hashed_files import base_path

PROBES = ("health", "host-config")
# Not a success, and not an error either.
ELSEWHERE = 300


def routes() -> list[Route]:
    """Return the routes of the probes below a page's address, for the web server."""
    return [Route(f"{base_path()}/{{page}}/_stcore/{probe}", _answer) for probe in PROBES]


async def _answer(_request: Request) -> Response:
    return Response(status_code=ELSEWHERE)
