"""How the galleries page says things: sizes, times, what a job does and what came of it. Nothing here is drawn."""

from datetime import datetime

from similarity.inventory import Entry
from similarity.jobs import Counted, Job
from similarity.manifest import Manifest
from similarity.progress import Progress
from similarity.report import Report

DOING: dict[str, str] = {
    "index": "Building",
    "add": "Adding pictures to",
    "sync": "Bringing in step",
    "remove": "Removing pictures from",
    "verify": "Checking",
    "restore": "Undoing the last change of",
    "delete": "Deleting",
}
COUNTS = {
    "added": "new",
    "changed": "changed",
    "moved": "found in another place",
    "relabelled": "with another label",
    "removed": "removed",
    "unchanged": "as before",
}


def size(count: float) -> str:
    """Bytes, as people say them."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" or count >= 10 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def moment(iso: str) -> str:
    """A time in ISO 8601, UTC."""
    try:
        when = datetime.fromisoformat(iso)
    except ValueError:
        return "at an unknown time"
    return f"{when.day} {when:%B %Y, %H:%M} UTC"


def duration(seconds: float) -> str:
    """Seconds, as people say them."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def pictures(count: int) -> str:
    """So many pictures."""
    return f"{count:,} picture" if count == 1 else f"{count:,} pictures"


def files(count: int) -> str:
    """So many files."""
    return f"{count:,} file" if count == 1 else f"{count:,} files"


def copies(count: int) -> str:
    """So many exact copies."""
    what = "is an exact copy" if count == 1 else "are exact copies"
    return f"{files(count)} {what} of another one; each content is searched once."


def gone(count: int) -> str:
    """So many pictures whose files are not there any more."""
    where = "is gone from where it was" if count == 1 else "are gone from where they were"
    return f"{pictures(count)} {where}; search finds them all the same."


def search(recipe: str) -> str:
    """How a gallery is searched."""
    return "exact search" if recipe == "flat" else f"search by {recipe}"


def counted(report: Report) -> str:
    """What a run did, without what it did not."""
    told = [f"{report.counts[key]:,} {word}" for key, word in COUNTS.items() if report.counts[key]]
    if report.task == "index":
        told = [pictures(report.added)]
    resumed = [f"{report.resumed:,} taken over from a run that was cut short"] if report.resumed else []
    return ", ".join(told + resumed) or "nothing to change"


def progress(told: Progress) -> str:
    """How far something is."""
    if not told.total:
        return f"{told.task} …"
    left = f", {duration(told.seconds_left)} left" if 0 < told.done < told.total else ""
    if isinstance(told, Counted) and told.unit == "bytes":
        rate = f", {size(told.images_per_second)} a second" if told.done and told.seconds else ""
        return f"{told.task}: {size(told.done)} of {size(told.total)}{rate}{left}"
    unit = told.unit if isinstance(told, Counted) else "pictures"
    rate = f", {told.images_per_second:,.0f} a second" if told.done and told.seconds else ""
    return f"{told.task}: {told.done:,} of {told.total:,} {unit}{rate}{left}"


def outcome(job: Job, entry: Entry | None) -> str:
    """How a job that has ended went, in a sentence or two.

    Args:
        entry: what there is of the gallery now.
    """
    name, status = job.directory.name, job.status
    if status.state == "failed":
        return f"{DOING[job.task]} {name} did not work. {status.error}"
    if status.state == "cancelled":
        if entry is None:
            return f"{DOING[job.task]} {name} was cancelled before anything was done."
        as_was = "there is no such gallery yet" if entry.condition == "unfinished" else f"{name} is as it was"
        return f"{DOING[job.task]} {name} was cancelled: {as_was}. What was done so far is kept, to go on from there."
    result = status.result
    if isinstance(result, Report):
        skipped = f" {files(len(result.skipped))} could not be used." if result.skipped else ""
        ready = "ready" if job.task == "index" else "up to date"
        return f"{name} is {ready}: {counted(result)}, in {duration(result.seconds)}.{skipped}"
    if job.task == "verify" and isinstance(result, Manifest):
        return f"{name} is sound: all {len(result.files) + 1} files are as they were written."
    if isinstance(result, Manifest):
        return f"{name} is again as it was on {moment(result.created)}: {pictures(result.count)}."
    return f"{name} was deleted. The pictures themselves are where they were."
