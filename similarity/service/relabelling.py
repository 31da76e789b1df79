"""Changing the labels of pictures as a job that can be undone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from similarity.gallery import Gallery
from similarity.indexing.relabelling import Given
from similarity.progress import Progress
from similarity.service.jobs import Job
from similarity.sources import Item
from similarity.storage.manifest import Report


@dataclass(frozen=True, slots=True, eq=False)
class Relabelling:
    """The work of a job that changes labels, or confirms those that pictures have.

    Attributes:
        directory: the gallery's folder.
        labels: the new label of each picture by its SHA-256, which no change of the gallery gives to another one; None
            for that of its source.
        before: what undoes it, likewise.
        is_confirmed: whether the labels are those that the pictures have.
        is_undone: whether it undoes another one.
    """

    directory: Path
    labels: Mapping[str, Given]
    before: Mapping[str, Given]
    is_confirmed: bool = False
    is_undone: bool = False

    @classmethod
    def of(cls, gallery: Gallery, items: Sequence[Item], label: str | None = None) -> "Relabelling":
        """Return the work of giving some pictures of a gallery a label; None confirms those that they have."""
        labels = {item.sha256: label or item.labels for item in items}
        before = {item.sha256: gallery.given_labels.labels(item.sha256) or None for item in items}
        return cls(gallery.directory, labels, before, is_confirmed=label is None)

    @property
    def undone(self) -> "Relabelling":
        """The work that undoes this one."""
        return Relabelling(self.directory, self.before, self.labels, is_undone=True)

    def __call__(self, job: Job) -> Report | None:
        """Change the labels."""
        job.report(Progress("Changing labels"))
        return Gallery.open(self.directory).relabel(self.labels).report
