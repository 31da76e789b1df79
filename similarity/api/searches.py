"""Routes of searches: one query as a form or as JSON, several as JSON, and embeddings."""

import asyncio
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from http import HTTPStatus

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from pydantic.json_schema import models_json_schema
from starlette.responses import JSONResponse

from similarity.api import problems, waiting
from similarity.api.answers import BatchFacts, Embedding, Json, SearchFacts
from similarity.api.bodies import (
    MOST_FILE,
    BatchBody,
    FormBody,
    GalleriesBody,
    PictureForm,
    SearchBody,
    form_request,
    read_form,
)
from similarity.api.callers import Admitted, Caller
from similarity.api.direct import DirectRoute
from similarity.api.opening import at_hand, open_named
from similarity.api.pictures import are_heavy, counted_fetch, read_parts
from similarity.api.reading import FORMS, REF, content_type, parse_json, say_body, say_form, say_json
from similarity.errors import QuotaError, SimilarityError
from similarity.fetch.redaction import redact
from similarity.gallery import Gallery
from similarity.images.exif import PLACE
from similarity.images.picture import QueryFile
from similarity.query.filters import Facets
from similarity.query.inputs import ItemId
from similarity.query.options import DEFAULTS
from similarity.service.answers import confidence
from similarity.service.answers.answer import View, find_answer
from similarity.service.answers.request import SearchRequest
from similarity.service.answers.to_json import to_json
from similarity.service.turns import shared_turns

MOST_FILES = 16
# Bytes of a body that is parsed in a tenth of a millisecond or so.
SHORT = 10_000
# Numbers that a query is compared with within half a millisecond or so, and hits that are written in one.
FEW_NUMBERS, FEW_HITS = 1 << 21, 100
# Bodies are read by the routes themselves, once their caller is known; the document is told of their models.
BODIES = (SearchBody, BatchBody, GalleriesBody)
SCHEMAS: Json = models_json_schema([(body, "validation") for body in BODIES], ref_template=REF)[1]["$defs"]
# Galleries that have answered a search: what the first one reads and measures is at hand.
_searched: "weakref.WeakSet[Gallery]" = weakref.WeakSet()
router = APIRouter(tags=["search"])
direct = APIRouter(tags=["search"], route_class=DirectRoute)


@direct.post(
    "/galleries/{gallery}/search",
    response_model=SearchFacts,
    openapi_extra=say_body(**say_json(SearchBody), **say_form(FormBody, MOST_FILES)),
)
async def search(gallery: str, request: Request, caller: Admitted) -> Response:
    """Search a gallery with a picture, or with several examples and counter-examples."""
    kind = content_type(request.headers)
    if kind in FORMS:
        files, form = await _read_form(request)
        return await asyncio.wrap_future(await waiting.run(_start_form, gallery, files, form, caller))
    if kind != "application/json":
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send JSON, or a form with the picture in `file`.")
    data = await request.body()
    short = parse_json(SearchBody, data) if len(data) <= SHORT else None
    if short and short.is_at_hand and (opened := at_hand(gallery)):
        # To ask a thread to begin takes longer than to begin.
        begun = _start(opened, short.read(counted_fetch(caller)), caller)
        return begun.result() if begun.done() else await asyncio.wrap_future(begun)
    return await asyncio.wrap_future(await waiting.run(_start_json, gallery, data, caller))


def respond(work: Callable[..., Json], *arguments: object) -> Response:
    """Return what some work answers as it is; that it keeps to its model is for tests to check, not for each search."""
    return JSONResponse(work(*arguments))


async def _read_form(request: Request) -> tuple[list[QueryFile], FormBody]:
    """Read a form with its files."""
    async with request.form(max_files=MOST_FILES, max_fields=200, max_part_size=100_000) as form:
        try:
            files, body = read_form(form)
        except ValidationError as error:
            raise RequestValidationError(error.errors(include_url=False)) from error
        read = []
        for number, file in enumerate(files):
            data = await file.read(MOST_FILE + 1)
            if len(data) > MOST_FILE:
                raise HTTPException(413, f"A file may have {MOST_FILE // 1_000_000} MB at most.")
            read.append(QueryFile(data, file.filename or f"picture {number + 1}"))
        return read, body


def _start_json(gallery: str, data: bytes, caller: Caller) -> Future[Response]:
    opened = open_named(gallery)
    return _start(opened, _read(opened, parse_json(SearchBody, data), caller), caller)


def _start_form(gallery: str, files: list[QueryFile], body: FormBody, caller: Caller) -> Future[Response]:
    opened = open_named(gallery)
    with shared_turns().counting(caller.visitor):
        request = form_request(files, body, counted_fetch(caller))
    return _start(opened, _read_pictures(opened, request, caller), caller)


def _read(gallery: Gallery, body: SearchBody, caller: Caller) -> SearchRequest:
    with shared_turns().counting(caller.visitor):
        request = body.read(counted_fetch(caller))
    return _read_pictures(gallery, request, caller)


def _read_pictures(gallery: Gallery, request: SearchRequest, caller: Caller) -> SearchRequest:
    if request.precision is not None:
        confidence.check_measured(gallery)
    return replace(request, examples=read_parts(gallery, request.examples, caller))


def _start(gallery: Gallery, request: SearchRequest, caller: Caller) -> Future[Response]:
    """Begin a search whose pictures have been read; a thread does it when it is its turn, and makes the response."""
    is_heavy = are_heavy(gallery, request.examples, request)
    return shared_turns().submit(
        caller.visitor,
        lambda: respond(_answer, gallery, request, caller),
        heavy=is_heavy,
        quick=_is_quick(gallery, request),
    )


def _is_quick(gallery: Gallery, request: SearchRequest) -> bool:
    """Whether a search takes a millisecond or two: of a small gallery that has been searched, with pictures of it."""
    if gallery not in _searched or len(gallery) * gallery.manifest.dim > FEW_NUMBERS or request.k > FEW_HITS:
        return False
    parts = [*request.examples.like, *request.examples.unlike]
    are_known = all(isinstance(part, ItemId) for part in parts) and not request.needs_model
    wants_more = request.where or request.sort or request.copies or request.precision is not None
    return are_known and not wants_more and request.options == DEFAULTS


def _answer(gallery: Gallery, request: SearchRequest, caller: Caller) -> Json:
    answer = {"objects": None} | to_json(find_answer(gallery, request, _view(gallery, caller)), caller.seen)
    _searched.add(gallery)
    return answer


def seen_facets(gallery: Gallery, caller: Caller) -> Facets:
    """Return the columns of a gallery and their values as a caller may see them."""
    return gallery.facets if caller.sees_places else gallery.facets.renamed(redact).without(PLACE)


def _view(gallery: Gallery, caller: Caller) -> View:
    """Return a gallery as a caller may see it."""
    return View(seen_facets(gallery, caller), caller.seen, counted_fetch(caller))


@direct.post(
    "/galleries/{gallery}/search/batch", response_model=BatchFacts, openapi_extra=say_body(**say_json(BatchBody))
)
async def search_batch(gallery: str, request: Request, caller: Admitted) -> Response:
    """Search a gallery several times; a search that cannot be made does not stop the others."""
    data = await request.body()
    return await waiting.run(respond, _search_batch, gallery, data, caller)


def _search_batch(gallery: str, data: bytes, caller: Caller) -> Json:
    opened, body = open_named(gallery), parse_json(BatchBody, data)

    def answer(one: SearchBody) -> Json:
        try:
            request = _read(opened, one, caller)
            with shared_turns().take(caller.visitor, heavy=are_heavy(opened, request.examples, request)):
                return _answer(opened, request, caller)
        except QuotaError:
            raise  # the others would fail likewise
        except SimilarityError as error:
            return problems.of(error, caller).model_dump(exclude_defaults=True) | {"type": "about:blank"}

    return {"answers": [answer(one) for one in body.searches]}


@router.post(
    "/galleries/{gallery}/embed", response_model=Embedding, openapi_extra=say_body(**say_form(PictureForm, MOST_FILES))
)
async def embed(gallery: str, request: Request, caller: Admitted) -> Json:
    """Embed a picture with the gallery's model."""
    files, body = await _read_form(request)

    def work() -> Json:
        if len(files) + len(body.url) + len(body.item) != 1 or body.text:
            raise HTTPException(422, "Send one picture.")
        opened = open_named(gallery)
        with shared_turns().counting(caller.visitor):
            examples = form_request(files, body, counted_fetch(caller)).examples
        with shared_turns().take(caller.visitor, heavy=are_heavy(opened, examples)):
            query = opened.encode(examples)
        return {"model": opened.manifest.model, "dim": len(query.embeddings[0])} | {
            "embedding": query.embeddings[0].tolist()
        }

    return await waiting.run(work)
