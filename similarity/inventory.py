"""What galleries there are in SIMILARITY_HOME, the sound and the others, with what is told of each in a list."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from similarity.current import exists
from similarity.errors import GalleryError
from similarity.home import galleries_folder
from similarity.journal import has_unfinished
from similarity.manifest import Manifest
from similarity.storage import GENERATIONS, read_live_manifest

Condition = Literal["sound", "damaged", "unfinished"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A gallery in the list.

    Attributes:
        directory: where it lies.
        condition: sound, as far as its manifest tells; damaged; or unfinished: a first run was interrupted, or the
            deletion.
        manifest: of a sound one.
        fault: of a damaged one, a sentence.
    """

    directory: Path
    condition: Condition
    manifest: Manifest | None = None
    fault: str = ""

    @property
    def name(self) -> str:
        """Its folder's name."""
        return self.directory.name


def take_inventory() -> list[Entry]:
    """All galleries, by name."""
    folders = (path for path in galleries_folder().glob("*") if path.is_dir())
    return [entry for folder in sorted(folders) if (entry := look_at(folder))]


def look_at(directory: Path) -> Entry | None:
    """What there is in a folder; None if it is no gallery's."""
    if exists(directory):
        try:
            return Entry(directory, "sound", read_live_manifest(directory))
        except GalleryError as error:
            return Entry(directory, "damaged", fault=str(error))
    is_begun = (directory / GENERATIONS).is_dir() or has_unfinished(directory)
    return Entry(directory, "unfinished") if is_begun else None


def can_go_back(directory: Path) -> bool:
    """Whether there may be an earlier state to go back to; whether it is sound is found out when one does."""
    return sum(folder.name.isdigit() for folder in (directory / GENERATIONS).glob("[0-9]*")) > 1


def disk_bytes(directory: Path) -> int:
    """What a gallery takes on the disk; files that come and go meanwhile count or do not."""
    total = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            try:
                total += Path(folder, name).lstat().st_size
            except OSError:
                continue
    return total
