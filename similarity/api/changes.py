"""Routes that change galleries: make, add, sync and remove pictures, and change labels; each starts a job.

Who may is settled before anything of a body is read. What lies on this computer is named by those only who may name it
on the pages, too: with a key, pictures are uploaded.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError
from pydantic.json_schema import models_json_schema

from similarity.api import waiting
from similarity.api.answers import JobStarted, Json, ReportFacts
from similarity.api.arriving import start_with
from similarity.api.callers import NOT_TO_CHANGE, Caller, Changing
from similarity.api.change_bodies import (
    MOST_FIELDS,
    MOST_FILES,
    SEVERAL,
    AddBody,
    AddForm,
    Drawn,
    IndexBody,
    IndexForm,
    ItemBody,
    RemoveBody,
    SyncBody,
)
from similarity.api.items import find_item
from similarity.api.job_facts import accepted, seen_report
from similarity.api.opening import open_named
from similarity.api.reading import FORMS, REF, content_type, parse_json, say_body, say_form, say_json, split_form
from similarity.errors import GalleryNotFoundError
from similarity.gallery import Gallery
from similarity.service import tasks
from similarity.service.jobs import Job, Task, Work, shared_jobs
from similarity.service.relabelling import Relabelling
from similarity.service.turns import shared_turns
from similarity.sources import Item, open_source
from similarity.sources.base import files_of
from similarity.sources.locations import full_place
from similarity.sources.opening import is_folder
from similarity.storage.current import exists
from similarity.storage.given_labels import check_label
from similarity.storage.inventory import named_gallery
from similarity.storage.manifest import Report
from similarity.text.plain import short

NO_PLACES = (
    "With a key, places of the computer that the API runs on cannot be named: upload the pictures in the field `file`, "
    "and remove them by id or label."
)
TAKEN = "There is a gallery named {} already: choose another name, or send `replace` to have it replaced."
NO_KIND = "Send JSON, or a form with the pictures in `file`."
BODIES: tuple[type[BaseModel], ...] = (IndexBody, AddBody, SyncBody, RemoveBody, ItemBody)
SCHEMAS: Json = models_json_schema([(body, "validation") for body in BODIES], ref_template=REF)[1]["$defs"]
# What the document says of an answer to a request with `dry_run`.
PREVIEWED: dict[int | str, dict[str, Any]] = {200: {"model": ReportFacts, "description": "What would change"}}
DryRun = Annotated[bool, Query(description="Answer with what would change, and change nothing.")]
Form = TypeVar("Form", bound=BaseModel)
T = TypeVar("T")


def check_parameters(request: Request) -> None:
    """Refuse parameters that a route does not have: somebody believes that they count, such as a `dry_run` of others.

    Raises HTTPException with 422.
    """
    known = {field.alias for field in request.scope["route"].dependant.query_params}
    if unknown := sorted(set(request.query_params) - known):
        raise HTTPException(422, f"This address takes no parameter {short(unknown[0])}.")


router = APIRouter(tags=["changes"], dependencies=[Depends(check_parameters)])


@router.post(
    "/galleries",
    status_code=202,
    response_model=JobStarted,
    openapi_extra=say_body(**say_json(IndexBody), **say_form(IndexForm, MOST_FILES)),
)
async def make_gallery(request: Request, caller: Changing) -> Response:
    """Make a gallery of pictures: of uploads as a form, or of a source of the API's computer as JSON."""

    def upload(form: IndexForm, files: list[Any]) -> Job:
        directory = _new_directory(form, caller)
        return start_with(files, directory, "index", lambda find: tasks.index(directory, find, form.options), caller)

    def index(data: bytes) -> Job:
        body = parse_json(IndexBody, data)
        directory = _new_directory(body, caller)
        return _start(
            directory, "index", tasks.index(directory, _finding(body.source, body, caller), body.options), caller
        )

    return accepted(await _by_kind(request, IndexForm, upload, index), request, caller)


@router.post(
    "/galleries/{gallery}/items",
    status_code=202,
    response_model=JobStarted,
    responses=PREVIEWED,
    openapi_extra=say_body(**say_json(AddBody), **say_form(AddForm, MOST_FILES)),
)
async def add_items(gallery: str, request: Request, caller: Changing, *, dry_run: DryRun = False) -> Response:
    """Add pictures that are new or have changed: uploads as a form, or those of a source as JSON."""

    def upload(form: AddForm, files: list[Any]) -> Job:
        directory = _directory(gallery)
        if dry_run:
            raise HTTPException(422, "Only a source is previewed: send uploads without `dry_run`.")
        return start_with(
            files, directory, "add", lambda find: tasks.update("add", directory, find, form.exclude), caller
        )

    def add(data: bytes) -> Job | Response:
        body, directory = parse_json(AddBody, data), _directory(gallery)
        find = _finding(body.source, body, caller)
        if dry_run:
            source = open_source(body.source, **body.drawn)
            return _preview(gallery, caller, lambda opened: opened.preview.add(source, exclude=body.exclude))
        return _start(directory, "add", tasks.update("add", directory, find, body.exclude), caller)

    return _answer(await _by_kind(request, AddForm, upload, add), request, caller)


@router.post(
    "/galleries/{gallery}/sync",
    status_code=202,
    response_model=JobStarted,
    responses=PREVIEWED,
    openapi_extra=say_body(**say_json(SyncBody)),
)
async def sync(gallery: str, request: Request, caller: Changing, *, dry_run: DryRun = False) -> Response:
    """Bring a gallery in step with its source: add what is new, and remove what is gone."""
    data = await request.body()

    def work() -> Job | Response:
        body, opened = parse_json(SyncBody, data or b"{}"), open_named(gallery)
        find = _finding(body.source, body, caller) if body.source else tasks.at(opened.manifest.source, **body.drawn)
        if dry_run:
            source = open_source(body.source or opened.manifest.source, **body.drawn)
            return _preview(gallery, caller, lambda opened: opened.preview.sync(source, exclude=body.exclude))
        directory = opened.directory
        return _start(directory, "sync", tasks.update("sync", directory, find, body.exclude), caller)

    return _answer(await waiting.run(work), request, caller)


@router.post(
    "/galleries/{gallery}/items/remove",
    status_code=202,
    response_model=JobStarted,
    responses=PREVIEWED,
    openapi_extra=say_body(**say_json(RemoveBody)),
)
async def remove_items(gallery: str, request: Request, caller: Changing, *, dry_run: DryRun = False) -> Response:
    """Remove pictures from a gallery; their files stay where they are."""
    data = await request.body()

    def work() -> Job | Response:
        body, opened = parse_json(RemoveBody, data), open_named(gallery)
        if body.paths and not caller.sees_places:
            raise HTTPException(403, NO_PLACES)
        chosen: dict[str, Sequence[str]] = {"ids": _ids(opened.items, body.ids), "labels": body.labels}
        chosen["paths"] = list(map(full_place, body.paths))
        if dry_run:
            return _preview(gallery, caller, lambda opened: opened.preview.remove(**chosen))
        return _start(opened.directory, "remove", tasks.remove(opened.directory, **chosen), caller)

    return _answer(await waiting.run(work), request, caller)


@router.patch(
    "/galleries/{gallery}/items/{item:path}",
    status_code=202,
    response_model=JobStarted,
    openapi_extra=say_body(**say_json(ItemBody)),
)
async def change_item(gallery: str, item: str, request: Request, caller: Changing) -> Response:
    """Change the label of a picture, named by its id or its SHA-256, and of its exact copies."""
    data = await request.body()

    def work() -> Job:
        body, opened = parse_json(ItemBody, data), open_named(gallery)
        label = None if body.label is None else check_label(body.label)
        found = find_item(opened, item)
        return _start(opened.directory, "relabel", Relabelling(opened.directory, {found.sha256: label}), caller)

    return accepted(await waiting.run(work), request, caller)


async def _by_kind(
    request: Request, model: type[Form], upload: Callable[[Form, list[Any]], T], read: Callable[[bytes], T]
) -> T:
    """Work with the body of a request, as a form with files or as JSON, in a thread."""
    kind = content_type(request.headers)
    if kind == "application/json":
        return await waiting.run(read, await request.body())
    if kind not in FORMS:
        raise HTTPException(415, NO_KIND)
    async with request.form(max_files=MOST_FILES, max_fields=MOST_FIELDS, max_part_size=100_000) as form:
        files, fields = split_form(form, SEVERAL)
        try:
            body = model.model_validate(fields)
        except ValidationError as error:
            raise RequestValidationError(error.errors(include_url=False, include_context=False)) from error
        return await waiting.run(upload, body, files)


def _start(directory: Path, task: Task, work: Work, caller: Caller) -> Job:
    return shared_jobs().start(directory, task, work, caller.actor)


def _answer(done: Job | Response, request: Request, caller: Caller) -> Response:
    return accepted(done, request, caller) if isinstance(done, Job) else done


def _preview(gallery: str, caller: Caller, preview: Callable[[Gallery], Report]) -> Response:
    """Return what would change, as `--dry-run` has it."""
    with shared_turns().counting(caller.visitor):
        opened = open_named(gallery)
        report = preview(opened)
    return JSONResponse(seen_report(report, opened.name, opened.manifest, caller, dry_run=True))


def _new_directory(form: IndexForm, caller: Caller) -> Path:
    """Return the folder of a gallery that is to be made, before anything of it is kept.

    Raises:
        HTTPException: the caller may not make it, or it is there. ModelError, SearchError: its options are wrong.
    """
    if not caller.may_change(form.gallery):
        raise HTTPException(403, NOT_TO_CHANGE)
    directory = named_gallery(form.gallery)
    if exists(directory) and not form.replace:
        raise HTTPException(409, TAKEN.format(form.gallery))
    form.options.check()
    return directory


def _directory(gallery: str) -> Path:
    directory = named_gallery(gallery)
    if not exists(directory):
        raise GalleryNotFoundError(f"There is no gallery named {gallery}.")
    return directory


def _finding(source: str, drawn: Drawn, caller: Caller) -> tasks.Finding:
    """Return how to list the pictures of a place; raises SourceError, and HTTPException to who may name none."""
    if not caller.sees_places:
        raise HTTPException(403, NO_PLACES)
    if not is_folder(source):  # a large folder is listed in the background
        open_source(source, **drawn.drawn)
    return tasks.at(source, **drawn.drawn)


def _ids(items: Iterable[Item], names: Sequence[str]) -> list[str]:
    """Return the ids of files, of which some are named by their SHA-256, as those are whose ids are secret."""
    wanted, found = set(names), defaultdict[str, list[str]](list)
    for file in files_of(items):
        for name in wanted & {file.id, file.sha256}:
            found[name].append(file.id)
    return [file_id for name in names for file_id in found.get(name, [name])]
