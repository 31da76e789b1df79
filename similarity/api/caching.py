"""Answers that a program keeps for as long as a gallery stays as it is."""

import hashlib

from fastapi import Request, Response

from similarity.api.callers import Caller
from similarity.gallery import Gallery


def etag(gallery: Gallery, caller: Caller) -> str:
    """Return the ETag of what a caller sees of a gallery, which changes with every change of the gallery."""
    seen = f"{gallery.state} {caller.sees_places}"
    return f'"{hashlib.sha256(seen.encode()).hexdigest()[:32]}"'


def is_fresh(request: Request, response: Response, gallery: Gallery, caller: Caller) -> bool:
    """Give a response its ETag; returns whether the program has that answer already."""
    tag = etag(gallery, caller)
    response.headers["ETag"], response.headers["Cache-Control"] = tag, "private, no-cache"
    known = request.headers.get("if-none-match", "")
    return tag in [one.strip().removeprefix("W/") for one in known.split(",")]


def unchanged(response: Response) -> Response:
    """Return the answer to a program that has it already."""
    headers = {name: response.headers[name] for name in ("ETag", "Cache-Control")}
    return Response(status_code=304, headers=headers)
