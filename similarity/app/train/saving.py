"""Keeping a head that was trained, in its gallery or in a new one of the same pictures, and taking it off again."""

from dataclasses import dataclass
from pathlib import Path

from similarity.app.galleries import jobs_background
from similarity.errors import GalleryError, HeadError
from similarity.service import tasks
from similarity.service.jobs import Job, Jobs, Result, shared_jobs
from similarity.storage.inventory import look_at, named_gallery
from similarity.vectors.heads import Head, keep_head


@dataclass(frozen=True, slots=True)
class SaveHead:
    """The work of a job that puts a trained head onto a gallery; the training has been decided about then.

    Attributes:
        training: the job that made the head.
        into: the folder of another gallery that is made; None for the one that it was trained for.
        jobs: of which the training is one.
    """

    training: Job
    into: Path | None
    jobs: Jobs

    def __call__(self, job: Job) -> Result:
        """Make the index anew of what the head makes of the embeddings."""
        head = self.training.status.result
        if not isinstance(head, Head):
            raise HeadError("There is no head to be kept: train it again.")
        keep_head(head, self.training.directory.name)
        report = tasks.rebuild(self.training.directory, head=head, into=self.into)(job)
        self.jobs.dismiss(self.training)
        return report


def keep(training: Job, into: Path | None = None) -> None:
    """Begin to keep a head; if that is refused, the page says why."""
    jobs_background.start(into or training.directory, "keep", SaveHead(training, into, shared_jobs()))


def take_off(directory: Path) -> None:
    """Begin to take a gallery's head off; for a button's callback."""
    jobs_background.start(directory, "drop", tasks.rebuild(directory, head="none"))


def new_gallery(name: str) -> Path:
    """The folder of a gallery that there is not yet; raises GalleryError if there can be none of this name."""
    if not name:
        raise GalleryError("Give the new gallery a name.")
    directory = named_gallery(name)
    if look_at(directory):
        raise GalleryError(f"There is a gallery named {name} already: take another name.")
    return directory
