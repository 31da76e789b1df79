"""Tasks on a gallery that run in the background: for each, the work of a job."""

import shlex
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from similarity.errors import SimilarityError
from similarity.finetuning import Epoch, Settings, finetune
from similarity.finetuning.epochs import STAGES
from similarity.gallery import Gallery, restore
from similarity.gallery import verify as verify_gallery
from similarity.indexing.options import DEFAULTS, IndexOptions
from similarity.progress import Progress
from similarity.service.jobs import Job, Work
from similarity.service.uploads_along import take_used_along
from similarity.sources import Source, open_source
from similarity.sources.datasets import Dataset, datasets_folder, download_dataset, unpack_dataset
from similarity.sources.splits import Split
from similarity.storage import cleanup
from similarity.storage.current import live_number
from similarity.storage.layout import generation_folder
from similarity.storage.locks import release_own_pins
from similarity.storage.manifest import Manifest, Report
from similarity.vectors.heads import Head

# Finds the pictures, which may take a while too.
Finding = Callable[[Job], Source]


def at(place: str | Path, *, split: Split | None = None, products: int | None = None, seed: int = 0) -> Finding:
    """Find the pictures of a folder, a zip or a CSV; for the options see `open_source`."""

    def find(job: Job) -> Source:
        job.report(Progress("Looking for pictures"))
        return open_source(place, split=split, products=products, seed=seed)

    return find


def of_dataset(dataset: Dataset) -> Finding:
    """Find the pictures of a public dataset, downloading them if necessary."""

    def find(job: Job) -> Source:
        folder = datasets_folder()
        job.report(Progress("Connecting"))
        download_dataset(dataset, folder, progress=job.counter("Downloading", "bytes"))
        unpacked = unpack_dataset(dataset, folder, progress=job.counter("Unpacking", "files"))
        job.report(Progress("Looking for pictures"))
        return open_source(unpacked / dataset.indexed, **_options(dataset))

    return find


def index(directory: Path, find: Finding, options: IndexOptions = DEFAULTS) -> Work:
    """Make a gallery; an existing one is replaced once the new one is complete."""

    def work(job: Job) -> Report | None:
        source = find(job)
        chosen = options.updated(model=options.choose_model(job.counter("Downloading the model", "bytes")))
        with job.turn():
            return Gallery.build(source, directory, chosen, progress=job.report).report

    return work


def update(task: Literal["add", "sync"], directory: Path, find: Finding, exclude: Sequence[str] | None = None) -> Work:
    """Add pictures to a gallery, or synchronise it with their source; for `exclude` see `Gallery.add`."""

    def work(job: Job) -> Report | None:
        source = find(job)
        with job.turn():
            opened = Gallery.open(directory)
            change = opened.add if task == "add" else opened.sync
            return change(source, exclude=exclude, progress=job.report).report

    return work


def remove(directory: Path, *, ids: Sequence[str] = (), paths: Sequence[str] = (), labels: Sequence[str] = ()) -> Work:
    """Remove pictures from a gallery."""

    def take_out() -> Report | None:
        return Gallery.open(directory).remove(ids=ids, paths=paths, labels=labels).report

    return lambda job: _run(job, "Removing", take_out)


def collect(directory: Path, ids: Sequence[str], into: Path) -> Work:
    """Make a gallery of chosen pictures of another one, with the uploads that they are in; see `Gallery.collect`."""

    def work(job: Job) -> Report | None:
        job.report(Progress("Collecting"))
        with job.turn():
            report = Gallery.open(directory).collect(ids, into).report
            try:
                take_used_along(into, directory.name)
            except SimilarityError:
                cleanup.delete_gallery(into)
                raise
            return report

    return work


def rebuild(
    directory: Path,
    recipe: str | None = None,
    refinement: str | None = None,
    head: Head | Literal["none"] | None = None,
    *,
    into: Path | None = None,
) -> Work:
    """Rebuild a gallery's index with other options, or as another gallery; see `Gallery.rebuild`."""

    def work(job: Job) -> Report | None:
        with job.turn():
            opened = Gallery.open(directory)
            return opened.rebuild(recipe, refinement, head, into=into, progress=job.report).report

    return work


@dataclass(slots=True, eq=False)
class Training:
    """The work of a job that trains a head for a gallery, without changing the gallery.

    Attributes:
        directory: the gallery's folder.
        settings: the settings of training.
        epochs: the epochs so far, as a new tuple after each of them.
        begun: value of `time.monotonic` when its turn came; 0 before that.
    """

    directory: Path
    settings: Settings
    epochs: tuple[Epoch, ...] = ()
    begun: float = 0.0

    def __call__(self, job: Job) -> Head:
        """Train the head."""
        self.epochs, self.begun = (), 0.0
        with job.turn():
            self.begun = time.monotonic()
            job.report(Progress("Starting"))
            return finetune(
                Gallery.open(self.directory), self.settings, on_epoch=lambda epoch: self._on_epoch(job, epoch)
            )

    def _on_epoch(self, job: Job, epoch: Epoch) -> None:
        self.epochs = (*self.epochs, epoch)
        seconds = time.monotonic() - self.begun
        job.report(Progress(STAGES[epoch.stage], epoch.number, epoch.of, seconds, "epochs"))


def verify(directory: Path) -> Work:
    """Read all files of a gallery; the job fails if one is damaged."""
    return lambda job: _run(job, "Reading every file", lambda: verify_gallery(directory))


def undo(directory: Path, to: int | None = None) -> Work:
    """Return a gallery to its last undamaged earlier state, or to the one with a number."""

    def go_back() -> Manifest:
        return restore(directory, to=to).manifest

    return lambda job: _run(job, "Going back", go_back)


def forget_other_states(directory: Path) -> Work:
    """Delete all states of a gallery but the live one, also those that a page of this app has shown."""

    def forget() -> None:
        if live := live_number(directory):
            release_own_pins(generation_folder(directory, live))
        cleanup.forget_other_states(directory)

    return lambda job: _run(job, "Deleting earlier states", forget)


def delete(directory: Path) -> Work:
    """Delete a gallery."""
    return lambda job: _run(job, "Deleting", lambda: cleanup.delete_gallery(directory))


def _run(job: Job, task: str, work: Callable[[], Any]) -> Any:
    """Run work that reports no progress itself, under the name of its task."""
    job.report(Progress(task))
    return work()


def _options(dataset: Dataset) -> dict[str, Any]:
    """Return the options of a dataset as arguments of `open_source`."""
    words = shlex.split(dataset.options)
    given = {name.removeprefix("--"): value for name, value in zip(words[::2], words[1::2], strict=True)}
    return {name: int(value) if value.isdecimal() else value for name, value in given.items()}
