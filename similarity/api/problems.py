"""Errors as problem details (RFC 9457): a status, a title, and the sentence that a page would show."""

import logging
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from similarity.api.callers import Caller, find_caller
from similarity.errors import (
    FetchError,
    GalleryBusyError,
    GalleryDamagedError,
    GalleryError,
    GalleryNotFoundError,
    ImageError,
    ModelError,
    PathError,
    QuotaError,
    SearchError,
    SimilarityError,
    SourceError,
    StoreAwayError,
    TooLargeError,
)
from similarity.text.plain import short

CONTENT_TYPE = "application/problem+json"
# The status of each of our errors, the most special ones first. Whatever the caller can mend is below 500.
STATUSES: tuple[tuple[type[SimilarityError], HTTPStatus], ...] = (
    (QuotaError, HTTPStatus.TOO_MANY_REQUESTS),
    (TooLargeError, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (ImageError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (FetchError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (PathError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (SourceError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (SearchError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (GalleryNotFoundError, HTTPStatus.NOT_FOUND),
    (GalleryBusyError, HTTPStatus.CONFLICT),
    (GalleryDamagedError, HTTPStatus.SERVICE_UNAVAILABLE),
    (StoreAwayError, HTTPStatus.SERVICE_UNAVAILABLE),
    (ModelError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (GalleryError, HTTPStatus.UNPROCESSABLE_ENTITY),
)
# Seconds after which a caller whose share is used up may try again.
RETRY_AFTER = 10
MOST_FAULTS = 20
UNEXPECTED = "Something unexpected went wrong; the log of the server has the detail."
GONE = "The request has not arrived whole."
WRONG = "The request is not what this address takes."

logger = logging.getLogger(__name__)


class Fault(BaseModel):
    """A field of a request that is wrong."""

    field: str
    reason: str


class Problem(BaseModel):
    """An error; `type` is about:blank, so that the title is that of the status."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    faults: list[Fault] = []


def answer(status: int, detail: str, **further: Any) -> JSONResponse:
    """Return a problem as a response; of a 429 with the time to wait."""
    problem = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, **further)
    headers = {"Retry-After": str(RETRY_AFTER)} if status == HTTPStatus.TOO_MANY_REQUESTS else None
    content = problem.model_dump(exclude_defaults=True) | {"type": problem.type}
    return JSONResponse(content, status, headers, CONTENT_TYPE)


def status_of(error: SimilarityError) -> HTTPStatus:
    """Return the status that one of our errors is answered with."""
    return next((status for kind, status in STATUSES if isinstance(error, kind)), HTTPStatus.INTERNAL_SERVER_ERROR)


def of(error: SimilarityError, caller: Caller) -> Problem:
    """Return one of our errors as a problem, in the words that a caller may see."""
    status = status_of(error)
    places = [str(getattr(error, name, "")) for name in ("place", "name")]
    return Problem(title=status.phrase, status=status, detail=caller.redact_sentence(str(error), *places))


def add_handlers(app: Starlette) -> None:
    """Make an application answer all errors as problems."""

    async def on_ours(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, SimilarityError)
        problem = of(error, find_caller(request))
        return answer(problem.status, problem.detail)

    async def on_http(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        response = answer(error.status_code, error.detail)
        response.headers.update(error.headers or {})
        return response

    async def on_gone(_request: Request, _error: Exception) -> JSONResponse:
        return answer(HTTPStatus.BAD_REQUEST, GONE)  # which nobody reads

    async def on_wrong(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        return answer(HTTPStatus.UNPROCESSABLE_ENTITY, WRONG, faults=faults_of(error.errors()))

    async def on_unexpected(_request: Request, error: Exception) -> JSONResponse:
        logger.exception("A request failed", exc_info=error)
        return answer(HTTPStatus.INTERNAL_SERVER_ERROR, UNEXPECTED)

    app.add_exception_handler(SimilarityError, on_ours)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(ClientDisconnect, on_gone)
    app.add_exception_handler(RequestValidationError, on_wrong)
    app.add_exception_handler(Exception, on_unexpected)


def faults_of(errors: Any) -> list[Fault]:
    """Return the first faults that a validation has found."""
    return [
        Fault(field=short(".".join(map(str, error.get("loc", ())))), reason=short(str(error.get("msg", ""))))
        for error in errors[:MOST_FAULTS]
    ]
