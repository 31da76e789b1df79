"""Jobs that put a trained head on its gallery or on a new one of the same pictures, and take it off again."""

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
    """The work of a job that puts a trained head on a gallery, and dismisses the training.

    Attributes:
        training: the job that trained the head.
        into: the folder of a new gallery; None for the one that the head was trained for.
        jobs: the list that has the training.
    """

    training: Job
    into: Path | None
    jobs: Jobs

    def __call__(self, job: Job) -> Result:
        """Rebuild the index with the head."""
        head = self.training.status.result
        if not isinstance(head, Head):
            raise HeadError("There is no head to keep: train it again.")
        keep_head(head, self.training.directory.name)
        report = tasks.rebuild(self.training.directory, head=head, into=self.into)(job)
        self.jobs.dismiss(self.training)
        return report


def keep(training: Job, into: Path | None = None) -> None:
    """Start to put a head on a gallery; if it is refused, the page says why."""
    jobs_background.start(into or training.directory, "keep", SaveHead(training, into, shared_jobs()))


def take_off(directory: Path) -> None:
    """Start to take a gallery's head off; for the callback of a button."""
    jobs_background.start(directory, "drop", tasks.rebuild(directory, head="none"))


def new_gallery(name: str) -> Path:
    """Return the folder for a new gallery; raises GalleryError if the name is missing, invalid or taken."""
    if not name:
        raise GalleryError("Give the new gallery a name.")
    directory = named_gallery(name)
    if look_at(directory):
        raise GalleryError(f"There is a gallery named {name} already: choose another name.")
    return directory
