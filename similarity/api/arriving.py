"""Uploads that a request brings: kept as those of the pages are, with the same limits, for the gallery that is changed.

A key may upload pictures, and lists of web addresses. It may not name places of this computer, nor do that in a list,
since its owner would see what lies there.
"""

from collections.abc import Callable
from pathlib import Path

from starlette.datastructures import UploadFile

from similarity.api.callers import Caller
from similarity.errors import SourceError
from similarity.fetch.web import is_url
from similarity.service import tasks
from similarity.service.incoming import PIECE, OutOfStepError, Upload, shared_incoming
from similarity.service.jobs import Job, Result, Task, Work, shared_jobs
from similarity.service.uploads_along import drop_unless_used
from similarity.sources import open_source
from similarity.sources.uploads import SUFFIXES, drop_upload

NONE = "Send pictures, a zip or a CSV in the field `file`."
NAMES_PLACES = (
    "This list names places of the computer that the API runs on: with a key, it may name web addresses only."
)
TWICE = "Two of the files are named {}: give each a name, or a folder, of its own."


def start_with(
    files: list[UploadFile], directory: Path, task: Task, work_of: Callable[[tasks.Finding], Work], caller: Caller
) -> Job:
    """Keep uploaded files for a gallery, and start a job with them; if it fails or is cancelled, they are deleted.

    Args:
        files: open until this returns; each is named as the path below the source.
        work_of: makes the work of the job, of what finds the pictures.

    Raises:
        GalleryBusyError: another task runs in the gallery. SourceError: the files cannot be kept, or are not pictures,
            one zip or one list. QuotaError: too many uploads are under way.
    """
    shared_jobs().check_free(directory)
    kept = _keep(files, directory.name, caller)
    try:
        if kept.suffix.lower() in SUFFIXES and not caller.sees_places:
            _check_list(kept)
        return shared_jobs().start(directory, task, _or_drop(work_of(tasks.at(kept)), directory, kept), caller.actor)
    except BaseException:
        drop_upload(kept)
        raise


def _or_drop(work: Work, directory: Path, kept: Path) -> Work:
    """Return work that deletes an upload when it fails or is cancelled, which nobody could name again."""

    def run(job: Job) -> Result:
        try:
            return work(job)
        except BaseException:  # CancelledError, too
            drop_unless_used(directory, kept)
            raise

    return run


def _keep(files: list[UploadFile], gallery: str, caller: Caller) -> Path:
    if not files:
        raise SourceError(NONE)
    incoming, browser = shared_incoming(), f"api {caller.fetches_as}"
    name = incoming.open(browser)
    try:
        upload = incoming.find(name, browser)
        if upload is not None:  # unless very many others came between
            for file in files:
                _write(upload, file)
            incoming.complete(upload)
        return incoming.take(name, browser, gallery, as_sent=True)
    finally:
        incoming.drop(name)


def _write(upload: Upload, file: UploadFile) -> None:
    path, at = file.filename or "", 0
    try:
        while (piece := file.file.read(PIECE)) or not at:
            at = shared_incoming().write(upload, path, at, piece)
            if not piece:
                return
    except OutOfStepError:
        raise SourceError(TWICE.format(path)) from None


def _check_list(kept: Path) -> None:
    """Refuse a list of anything but web addresses, whose rows are not looked up for it; raises SourceError."""
    if kept.suffix.lower() != ".zip" and not all(is_url(item.path) for item in open_source(kept).items):
        raise SourceError(NAMES_PLACES)
