"""Changing the labels of pictures as a job that can be undone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from similarity.gallery import Gallery
from similarity.indexing.relabelling import Given, Relabelled, confirm_labels, give_labels
from similarity.indexing.unlabelling import Unlabelled, undo_relabelling
from similarity.progress import Progress
from similarity.service.jobs import Job
from similarity.sources import Item
from similarity.storage.manifest import Report


@dataclass(slots=True, eq=False)
class Relabelling:
    """The work of a job that changes labels, or confirms those that pictures have.

    Attributes:
        directory: the gallery's folder.
        labels: the new label of each picture, None for that of its source, or those that are confirmed if it still has
            them then, by its SHA-256, which no change of the gallery gives to another one.
        is_confirmed: whether the labels are those that the pictures have.
        made: what it has changed; None before that.
    """

    directory: Path
    labels: Mapping[str, Given]
    is_confirmed: bool = False
    made: Relabelled | None = None

    @classmethod
    def of(cls, gallery: Gallery, items: Sequence[Item], label: str | None = None) -> "Relabelling":
        """Return the work of giving some pictures of a gallery a label; None confirms those that they have."""
        labels = {item.sha256: label or item.labels for item in items}
        return cls(gallery.directory, labels, is_confirmed=label is None)

    def __call__(self, job: Job) -> Report | None:
        """Change the labels."""
        self.made = None
        job.report(Progress("Changing labels"))
        if self.is_confirmed:
            seen = {name: labels for name, labels in self.labels.items() if labels is not None}
            self.made = confirm_labels(self.directory, seen)
        else:
            self.made = give_labels(self.directory, self.labels)
        return self.made.report


@dataclass(slots=True, eq=False)
class TakingBack:
    """The work of a job that undoes one that changed labels, but no change that was made after that.

    Attributes:
        given: the work of that job, which is done.
        done: what it has undone; None before that.
    """

    given: Relabelling
    done: Unlabelled | None = None

    @property
    def directory(self) -> Path:
        """The gallery's folder."""
        return self.given.directory

    def __call__(self, job: Job) -> Report | None:
        """Give the pictures the labels again that they had before."""
        self.done = None
        job.report(Progress("Changing labels"))
        if self.given.made is None:
            return None
        self.done = undo_relabelling(self.directory, self.given.made)
        return self.done.report
