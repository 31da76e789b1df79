"""Jobs as the API tells of them: each as a caller may see it."""

from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import JSONResponse

from similarity.api.answers import Json
from similarity.api.callers import Caller
from similarity.errors import GalleryError
from similarity.fetch.redaction import redact
from similarity.service.jobs import Job
from similarity.service.report_facts import report_facts
from similarity.storage.live import read_live_manifest
from similarity.storage.manifest import Manifest, Report


def job_facts(job: Job, caller: Caller) -> Json:
    """Return the facts of a job, with its report once it is done, if its gallery is still there."""
    status = job.status
    progress = status.progress
    facts: Json = {"number": job.number, "gallery": job.directory.name, "task": job.task, "state": status.state}
    facts["progress"] = progress and {
        "task": caller.redact_sentence(progress.task),
        "done": progress.done,
        "total": progress.total,
        "seconds": round(progress.seconds, 3),
        "unit": progress.unit,
    }
    facts["error"] = caller.redact_sentence(status.error, str(job.directory)) if status.error else None
    facts |= {"started": _moment(job.started), "ended": _moment(status.ended) if status.ended else None}
    return facts | {"report": _report(job, status.result, caller) if isinstance(status.result, Report) else None}


def seen_report(report: Report, gallery: str, manifest: Manifest, caller: Caller, *, dry_run: bool = False) -> Json:
    """Return the report of a change as a caller may see it: with names of files instead of their places."""
    facts = report_facts(report, gallery, manifest, dry_run=dry_run)
    if caller.sees_places:
        return facts
    skipped = [
        {"path": redact(one["path"]), "reason": caller.redact_sentence(one["reason"], one["path"])}
        for one in facts["skipped"]
    ]
    notes = [caller.redact_sentence(note, report.source) for note in facts["notes"]]
    return facts | {"skipped": skipped, "notes": notes, "passed_over": _redacted(facts["passed_over"])}


def accepted(job: Job, request: Request, caller: Caller) -> JSONResponse:
    """Return the answer to a request that has started a job: 202, and where it can be watched."""
    place = f"{request.scope.get('root_path', '')}/jobs/{job.number}"
    return JSONResponse({"job": job_facts(job, caller)}, 202, {"Location": place})


def _report(job: Job, report: Report, caller: Caller) -> Json | None:
    try:
        manifest = read_live_manifest(job.directory)
    except GalleryError:  # it was deleted, or renamed, since
        return None
    return seen_report(report, job.directory.name, manifest, caller)


def _redacted(counts: dict[str, int]) -> dict[str, int]:
    """Return counts by names that are redacted, of which several may be the same then."""
    redacted: dict[str, int] = {}
    for name, count in counts.items():
        redacted[redact(name)] = redacted.get(redact(name), 0) + count
    return redacted


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
