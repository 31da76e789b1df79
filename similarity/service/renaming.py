"""Renaming a gallery as a job: its uploads go with it, since they are deleted with the gallery of their name.

All its states find them under the new name, see `storage.renamed_uploads`; none is written anew.
"""

from dataclasses import dataclass
from pathlib import Path

from similarity.progress import Progress
from similarity.service.jobs import Job
from similarity.sources.uploads import drop_uploads, share_uploads, uploads_of
from similarity.storage.renaming import check_new_name, rename_gallery


@dataclass(frozen=True, slots=True)
class Renaming:
    """The work of a job that renames a gallery.

    Attributes:
        directory: its folder.
        name: its new name.
    """

    directory: Path
    name: str

    def __call__(self, job: Job) -> None:
        """Rename it; a job that is killed leaves it under the old name or the new one."""
        job.report(Progress("Renaming"))
        target = check_new_name(self.directory, self.name)
        if uploads_of(self.directory.name).is_dir():
            share_uploads(uploads_of(self.directory.name), uploads_of(target.name))
        rename_gallery(self.directory, self.name)
        drop_uploads(self.directory.name)
