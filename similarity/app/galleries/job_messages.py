"""Texts on jobs: the task that runs, and its outcome. This module draws nothing."""

from similarity.app.wording import learned
from similarity.app.wording.wording import duration, files, moment, pictures
from similarity.search import AUTO, Recipe
from similarity.search.recipes import FLAT, INVERTED, SCAN
from similarity.service.jobs import Job
from similarity.service.relabelling import Relabelling
from similarity.service.renaming import Renaming
from similarity.storage.inventory import Entry
from similarity.storage.manifest import Manifest, Report
from similarity.vectors.heads import Head
from similarity.vectors.refinement import AUTO as AUTO_REFINEMENT

DOING: dict[str, str] = {
    "index": "Building",
    "add": "Adding pictures to",
    "sync": "Syncing",
    "remove": "Removing pictures from",
    "relocate": "Relocating pictures of",
    "relabel": "Changing labels of",
    "rebuild": "Rebuilding the index of",
    "rename": "Renaming",
    "collect": "Collecting pictures in",
    "verify": "Checking",
    "restore": "Restoring",
    "forget": "Deleting earlier states of",
    "delete": "Deleting",
    "finetune": "Training a head for",
    "keep": "Putting a head on",
    "drop": "Taking the head off",
}
# The same in a word or two, on the card of a gallery.
BADGES: dict[str, str] = {
    "index": "building",
    "add": "adding pictures",
    "sync": "syncing",
    "finetune": "training a head",
    "delete": "deleting",
}
PAST: dict[str, str] = {
    "index": "Built",
    "add": "Pictures added",
    "sync": "Synced",
    "remove": "Pictures removed",
    "relocate": "Relocated",
    "relabel": "Labels changed",
    "rebuild": "Index rebuilt",
}
# Tasks that resume where they were interrupted.
RESUMES = ("index", "add", "sync")
REBUILT = {
    "rebuild": "The index of {} was rebuilt, in {}.",
    "keep": "{} now uses the trained head; preparing it took {}.",
    "drop": "{} no longer uses a head; preparing that took {}.",
}
COUNTS = {
    "added": "new",
    "changed": "changed",
    "moved": "moved",
    "relabelled": "with another label",
    "removed": "removed",
    "unchanged": "as before",
}


def copies(count: int) -> str:
    """Write a number of exact copies."""
    verb = "is an exact copy" if count == 1 else "are exact copies"
    return f"{files(count)} {verb} of another one, and shown with it as one result."


def count_pictures(manifest: Manifest) -> str:
    """Write the number of a gallery's pictures, and how many of them are exact copies, as the command line does."""
    copies_of_them = f", {manifest.duplicates:,} of them exact copies" if manifest.duplicates else ""
    return f"{manifest.count + manifest.duplicates:,}{copies_of_them}"


def gone(count: int) -> str:
    """Write a number of pictures whose files are gone."""
    fault = "has no file any more, but is" if count == 1 else "have no files any more, but are"
    return f"{pictures(count)} {fault} still found by searches."


RECIPES = {
    AUTO: "Automatic: exact if that is fast",
    SCAN: "Exact: every picture is compared",
    INVERTED: "Approximate: for hundreds of thousands and more",
    FLAT: "Exact, reference: slower, with four times the memory",
}


REFINEMENTS = {
    AUTO_REFINEMENT: "Automatic: the best in measurements at this size",
    "none": "None: the model's embeddings",
    "centred": "Centred: without the part that all pictures share",
    "neighbours": "Neighbours: centred, and moved towards the nearest pictures",
}


def search(manifest: Manifest) -> str:
    """Describe how a gallery is searched."""
    if Recipe(manifest.recipe, "").is_exact:
        return "exact search"
    recall = manifest.search.get("recall@10", {}).get("balanced", 0.0)
    return f"approximate search that finds {recall:.1%} of the ten nearest"


def recipe_title(recipe: str) -> str:
    """Return the title of a recipe; the recipe itself if it is a FAISS factory string."""
    return RECIPES.get(recipe, recipe)


def count_changes(report: Report) -> str:
    """List the changes that a run made."""
    if report.task == "rebuild":
        return "no picture was read"
    changes = [f"{report.counts[key]:,} {word}" for key, word in COUNTS.items() if report.counts[key]]
    if report.task == "relabel" and not report.relabelled:
        return "no label was changed"
    if report.task in ("index", "collect"):
        changes = [pictures(report.added)]
    resumed = [f"{report.resumed:,} taken over from an interrupted run"] if report.resumed else []
    return ", ".join(changes + resumed) or "nothing to change"


def past(report: Report) -> str:
    """Say what a run did to a gallery, in a few words."""
    did = PAST.get(report.task, report.task)
    return did if report.task == "rebuild" else f"{did}: {count_changes(report)}"


def outcome(job: Job, entry: Entry | None, *, tells_all: bool) -> str:
    """Describe the outcome of a job in a sentence or two.

    Args:
        entry: the current entry of the gallery, if there is one.
        tells_all: whether to add the error, which may reveal facts about this computer.
    """
    name, status = job.directory.name, job.status
    if status.state == "failed":
        return f"{DOING[job.task]} {name} failed. {status.error if tells_all else ''}".strip()
    if status.state == "cancelled":
        if entry is None:
            return f"{DOING[job.task]} {name} was cancelled before anything was done."
        state = "there is no such gallery yet" if entry.condition == "unfinished" else f"{name} is as it was"
        resumes = " The work so far is used when it is started again." if job.task in RESUMES else ""
        return f"{DOING[job.task]} {name} was cancelled: {state}.{resumes}"
    return _done(job)


def _relabelled(name: str, job: Job, report: Report) -> str:
    """Say how many labels were changed, or that they were confirmed, which changes none."""
    if isinstance(job.work, Relabelling) and job.work.is_confirmed:
        count = len(job.work.labels)
        return f"The {'label' if count == 1 else 'labels'} of {pictures(count)} of {name} {_was(count)} confirmed."
    if not (count := report.relabelled):
        return f"No label of {name} was changed."
    return f"The {'label' if count == 1 else 'labels'} of {files(count)} of {name} {_was(count)} changed."


def _was(count: int) -> str:
    return "was" if count == 1 else "were"


def _done(job: Job) -> str:
    name, result = job.directory.name, job.status.result
    if isinstance(result, Head):
        return f"A head was trained for {name}, in {duration(result.card.seconds)}. {learned.verdict(result.card)}"
    if isinstance(result, Report) and result.task == "rebuild":
        return REBUILT.get(job.task, REBUILT["rebuild"]).format(name, duration(result.seconds))
    if isinstance(result, Report) and job.task == "relabel":
        return _relabelled(name, job, result)
    if isinstance(result, Report):
        skipped = f" {files(len(result.skipped))} could not be used." if result.skipped else ""
        ready = "ready" if job.task in ("index", "collect") else "up to date"
        done = f"{name} is {ready}: {count_changes(result)}, in {duration(result.seconds)}.{skipped}"
        return " ".join((done, *result.notes))
    if job.task == "verify" and isinstance(result, Manifest):
        return f"{name} is sound: all {len(result.files) + 1} index files are undamaged."
    if isinstance(job.work, Renaming):
        return f"{name} was renamed to {job.work.name}."
    if job.task == "forget":
        return f"The earlier states of {name} were deleted. The gallery is as it was."
    if isinstance(result, Manifest):
        return f"{name} was restored to its state of {moment(result.created)}: {pictures(result.count)}."
    return f"{name} was deleted. The pictures themselves were not touched."
