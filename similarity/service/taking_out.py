"""Taking files out of a gallery as a job that can be undone, as long as nothing else has changed."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from similarity.gallery import Gallery
from similarity.indexing.removing import take_out
from similarity.progress import Progress
from similarity.service.jobs import Job
from similarity.storage.manifest import Manifest, Report
from similarity.storage.undo import undo_change
from similarity.text.unicode import nfc


@dataclass(slots=True, eq=False)
class TakingOut:
    """The work of a job that takes files out of a gallery.

    Attributes:
        directory: the gallery's folder.
        seen: the state of the gallery in which the files were chosen; of another one nothing is taken out.
        ids: the files.
        after: the state that it gave; empty before that.
    """

    directory: Path
    seen: str
    ids: tuple[str, ...]
    after: str = ""

    @classmethod
    def of(cls, gallery: Gallery, ids: Iterable[str], kept: Iterable[str]) -> "TakingOut":
        """Plan to take files out of a gallery as it is now.

        Args:
            ids: the files.
            kept: files that stay. Removing a file takes all spellings of its id, such as é in two ways, so that one
                whose id is that of a kept file in another spelling stays, too.
        """
        staying = set(map(nfc, kept))
        return cls(gallery.directory, gallery.state, tuple(one for one in ids if nfc(one) not in staying))

    def __call__(self, job: Job) -> Report:
        """Take them out; raises GalleryError if the gallery has changed since they were chosen."""
        self.after = ""
        job.report(Progress("Removing"))
        report, self.after = take_out(self.directory, self.ids, self.seen)
        return report


@dataclass(slots=True, eq=False)
class PuttingBack:
    """The work of a job that undoes one that took files out.

    Attributes:
        taken: the work of that job, which is done.
    """

    taken: TakingOut

    def __call__(self, job: Job) -> Manifest:
        """Put them back; raises GalleryError if the gallery has changed since."""
        job.report(Progress("Going back"))
        undo_change(self.taken.directory, before=self.taken.seen, after=self.taken.after)
        return Gallery.open(self.taken.directory).manifest
