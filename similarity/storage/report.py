"""The health report: what a run did to a gallery, file by file where something is to be known of a file."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path

from similarity.errors import GalleryError
from similarity.sources import Item, Skipped
from similarity.text.plain import cell


@dataclass(frozen=True, slots=True)
class Report:
    """What one run did to a gallery, or would do.

    Attributes:
        task: index, add, sync, remove or rebuild.
        source: where the pictures came from.
        added: files that are new in the gallery.
        changed: files with another content than before.
        moved: files that were in the gallery under another path.
        relabelled: files whose label or metadata are others now.
        removed: files that left the gallery.
        unchanged: files of the source that are as they were.
        embedded: pictures that went through the network.
        resumed: pictures that an interrupted run had embedded.
        skipped: files of the source that cannot be used.
        seconds: that it took.
    """

    task: str
    source: str = ""
    added: int = 0
    changed: int = 0
    moved: int = 0
    relabelled: int = 0
    removed: int = 0
    unchanged: int = 0
    embedded: int = 0
    resumed: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def counts(self) -> dict[str, int]:
        """What it counted, by the names above."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.type in (int, "int")}

    @property
    def changes(self) -> bool:
        """Whether it found anything to change."""
        return any((self.added, self.changed, self.moved, self.relabelled, self.removed))

    @property
    def images_per_second(self) -> float:
        """Pictures that went through the network in a second of the run."""
        return round(self.embedded / self.seconds, 1) if self.seconds else 0.0


def write_csv(path: Path, items: Iterable[Item], skipped: Iterable[Skipped]) -> None:
    """Write what there is to know of single files: what was skipped and why, and which files are exact copies.

    Raises:
        GalleryError: the file cannot be written.
    """
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(("path", "state", "detail"))
            rows.writerows(map(cell, (one.path, "skipped", one.reason)) for one in skipped)
            copies = ((copy.path, "duplicate", item.path) for item in items for copy in item.copies)
            rows.writerows(map(cell, row) for row in copies)
    except OSError as error:
        raise GalleryError(f"The report could not be written to {path} ({error.strerror or error}).") from error
