"""What a source would change in a gallery: its files against those that are there. Nothing is read or written here."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath

from similarity.errors import GalleryError
from similarity.records import files_of
from similarity.sources import Item, Source, Stamp


@dataclass(frozen=True, slots=True)
class Reading:
    """A file that has to be read to know what it is now.

    Attributes:
        item: as the source lists it.
        becomes: as the gallery will list it, apart from what reading tells.
        before: as the gallery lists it, if it does.
    """

    item: Item
    becomes: Item
    before: Item | None = None


@dataclass(slots=True)
class Plan:
    """What is to happen to each file.

    Attributes:
        kept: files that stay, with the label and metadata that their source gives them now.
        readings: files of the source that are new or may have changed.
        removed: files that leave.
        unchanged: how many of the kept ones the source lists.
        relabelled: how many of those have another label or other metadata.
    """

    kept: list[Item] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    removed: list[Item] = field(default_factory=list)
    unchanged: int = 0
    relabelled: int = 0


def plan_index(source: Source) -> Plan:
    """A gallery of this source alone: everything is read."""
    return Plan(readings=[Reading(item, replace(item, source=source.name)) for item in source.items])


def plan_update(items: Iterable[Item], source: Source, *, drop_vanished: bool) -> Plan:
    """A gallery brought in step with a source. Files of other sources stay as they are.

    A file is taken for the same one as before if its path, its size and its time of last change are.

    Args:
        items: of the gallery.
        drop_vanished: whether files of this source that it does not list any more are to leave.
    """
    files = list(files_of(items))
    there, now, plan = _Files(files), dict[int, Item](), Plan()
    for item in source.items:
        file = there.take(item)
        if file is None:
            plan.readings.append(Reading(item, replace(item, id=there.free_id(item), source=source.name)))
            continue
        becomes = replace(file, label=item.label, metadata=item.metadata) if file.source == source.name else file
        if _may_have_changed(file, source.stamp(item)):
            plan.readings.append(Reading(item, becomes, file))
            continue
        now[id(file)] = becomes
        plan.unchanged += 1
        plan.relabelled += becomes != file
    for file in there.left():
        if drop_vanished and file.source == source.name:
            plan.removed.append(file)
        else:
            now[id(file)] = file
    plan.kept = [now[id(file)] for file in files if id(file) in now]
    return plan


def plan_removal(items: Iterable[Item], ids: Sequence[str], paths: Sequence[str], labels: Sequence[str]) -> Plan:
    """A gallery without some files.

    Args:
        paths: of files, or of folders with all that is in them.

    Raises:
        GalleryError: one of these is of no file in the gallery.
    """
    named = {"id": ids, "path": paths, "label": labels}
    wanted = {(kind, value) for kind, values in named.items() for value in values}
    unmet, plan = set(wanted), Plan()
    for file in files_of(items):
        met = wanted & _marks(file)
        unmet -= met
        (plan.removed if met else plan.kept).append(file)
    if unmet:
        kind, value = min(unmet)
        raise GalleryError(f"No picture of the gallery has the {kind} {value!r}: nothing was removed.")
    return plan


class _Files:
    """The files of a gallery by where they are, each to be taken once."""

    def __init__(self, files: Sequence[Item]) -> None:
        self._ids = {file.id for file in files}
        self._by_path: dict[str, list[Item]] = defaultdict(list)
        for file in files:
            self._by_path[file.path].append(file)

    def take(self, item: Item) -> Item | None:
        """The file that an item of a source is; of several in one place, the one with its id."""
        candidates = self._by_path.get(item.path)
        if not candidates:
            return None
        found = next((file for file in candidates if file.id == item.id), candidates[0])
        candidates.remove(found)
        return found

    def left(self) -> list[Item]:
        """Those that nobody took."""
        return [file for files in self._by_path.values() for file in files]

    def free_id(self, item: Item) -> str:
        """An item's id, or if another file has it, its path, made unique if need be."""
        new_id, number = item.id, 1
        while new_id in self._ids:
            new_id = item.path if number == 1 else f"{item.path}#{number}"
            number += 1
        self._ids.add(new_id)
        return new_id


def _may_have_changed(file: Item, stamp: Stamp | None) -> bool:
    return stamp is not None and stamp != Stamp(file.size, file.mtime)


def _marks(file: Item) -> set[tuple[str, str]]:
    """All that a file can be named by."""
    places = (file.path, *map(str, PurePath(file.path).parents))
    return {("id", file.id), ("label", file.label or ""), *(("path", place) for place in places)}
