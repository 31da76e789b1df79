"""Relocation: pictures of a gallery are known to be in another place from now on, without reading any of them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from similarity.errors import GalleryError
from similarity.indexing.plan import Plan
from similarity.paths import full_path, is_in, replace_start
from similarity.sources import Item, Skipped
from similarity.sources.base import files_of
from similarity.sources.locations import is_remote


@dataclass(frozen=True, slots=True)
class Relocation:
    """Two places: that of pictures as a gallery knows it, and where they are now.

    Attributes:
        old, new: absolute paths of folders, zips, lists or pictures, or both the first part of addresses.
    """

    old: str
    new: str

    @classmethod
    def of(cls, old: str | Path, new: str | Path) -> "Relocation":
        """Return the relocation from one place to another; neither needs to exist.

        Raises:
            GalleryError: they are the same, or only one is an address. SimilarityError: one is not a valid path.
        """
        places = [str(place) for place in (old, new)]
        if len({is_remote(place) for place in places}) > 1:
            raise GalleryError(f"{places[0]} and {places[1]} must be two paths, or two addresses.")
        places = [place.rstrip("/") if is_remote(place) else str(full_path(place)) for place in places]
        if places[0] == places[1]:
            raise GalleryError(f"{places[0]} is the old and the new place: nothing was changed.")
        return cls(*places)

    def has(self, place: str) -> bool:
        """Whether a place is the old one, or in it."""
        return place == self.old or is_in(place, self.old)

    def moved(self, place: str) -> str:
        """Return the new form of a place; one that is elsewhere stays as it is."""
        return replace_start(place, self.old, self.new)

    def moved_source(self, name: str) -> str:
        """Return the new name of a source, which may be in the form `PLACE (choice)`."""
        place, bracket, choice = name.rpartition(" (")
        return f"{self.moved(place)}{bracket}{choice}" if name.endswith(")") and self.has(place) else self.moved(name)

    def moved_item(self, file: Item) -> Item:
        """Return the entry of a file in the new place, or the same entry if it is elsewhere."""
        source = self.moved_source(file.source)
        if source == file.source and self.has(file.path) and PurePath(file.path).is_relative_to(file.source):
            # A part of a folder that is now elsewhere is a source of its own, or a sync of the folder would drop it.
            source = str(PurePath(self.new).parent) if file.path == self.old else self.new
        return replace(file, id=self.moved(file.id), path=self.moved(file.path), source=source)

    def moved_skipped(self, file: Skipped) -> Skipped:
        """Return the entry of a skipped file in the new place."""
        return replace(file, path=self.moved(file.path), source=self.moved_source(file.source))


def plan_relocation(items: Iterable[Item], relocation: Relocation) -> Plan:
    """Plan to relocate the pictures in a place; a file that is known in both places leaves the old one.

    Raises:
        GalleryError: no picture of the gallery is in the old place.
    """
    files = list(files_of(items))
    known = {(file.path, file.sha256) for file in files if relocation.moved_item(file) == file}
    plan, ids = Plan(), {file.id for file in files}
    for file in files:
        moved = relocation.moved_item(file)
        if moved == file:
            plan.kept.append(file)
        elif moved.path != file.path and (moved.path, file.sha256) in known:
            plan.removed.append(file)
        else:
            plan.relocated += 1
            plan.kept.append(moved if moved.id == file.id or moved.id not in ids else replace(moved, id=file.id))
    if not (plan.relocated or plan.removed):
        raise GalleryError(_no_such_place(files, relocation.old))
    return plan


def _no_such_place(files: Iterable[Item], old: str) -> str:
    sources = list(dict.fromkeys(file.source for file in files if file.source))
    named = f" Its pictures are from {', '.join(sources[:5])}." if sources else ""
    return f"No picture of the gallery is in {old}: nothing was changed.{named}"
