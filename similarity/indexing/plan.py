"""Planning a change: the files of a source compared with those of a gallery. No picture is read here."""

import itertools
import os
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath

from similarity.errors import GalleryError
from similarity.sources import Item, Source, Stamp
from similarity.sources.base import files_of


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
    """The plan of a change: the action for each file.

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


def without_folder(source: Source, folder: Path) -> Source:
    """A source without the files in a gallery's own folder, such as its thumbnails."""
    others = copy(source)
    others.items = [item for item in source.items if not Path(item.path).is_relative_to(folder)]
    return others


def plan_index(source: Source) -> Plan:
    """A gallery of this source alone: everything is read. An item that came from another source stays that one's."""
    return Plan(readings=[Reading(item, replace(item, source=item.source or source.name)) for item in source.items])


def plan_update(items: Iterable[Item], source: Source, *, drop_vanished: bool) -> Plan:
    """A gallery brought in step with a source. Files of other sources stay as they are.

    A file is taken for the same one as before if its path, its size and its time of last change are.

    Args:
        items: of the gallery.
        drop_vanished: whether files of this source that it does not list any more are to leave; those in a folder that
            it could not list stay.
    """
    files = list(files_of(items))
    matches = _match(files, source.items)
    matched = {id(file) for file in matches if file}
    unlisted, plan = {one.path for one in source.skipped}, Plan()
    now: dict[int, Item] = {}
    for file in (file for file in files if id(file) not in matched):
        if drop_vanished and file.source == source.name and not unlisted & _places(file):
            plan.removed.append(file)
        else:
            now[id(file)] = file
    others = (file for file in files if id(file) in now or file.source != source.name)
    ids = {file.id for file in others}
    for item, before in zip(source.items, matches, strict=True):
        becomes = _becomes(item, before, source.name, ids)
        if before and not _may_have_changed(before, source.stamp(item)):
            now[id(before)] = becomes
            plan.unchanged += 1
            plan.relabelled += becomes != before
        else:
            plan.readings.append(Reading(item, becomes, before))
    plan.kept = [now[id(file)] for file in files if id(file) in now]
    return plan


def plan_removal(items: Iterable[Item], ids: Sequence[str], paths: Sequence[str], labels: Sequence[str]) -> Plan:
    """A gallery without some files.

    Args:
        paths: of files, or of folders with all that is in them; as they are listed, or with links resolved.

    Raises:
        GalleryError: one of these is of no file in the gallery.
    """
    wanted = {("id", value): value for value in ids} | {("label", value): value for value in labels}
    wanted |= {("path", spelling): path for path in paths for spelling in (path, os.path.realpath(path))}
    unmet, plan = {(kind, value) for (kind, _), value in wanted.items()}, Plan()
    for file in files_of(items):
        met = wanted.keys() & _marks(file)
        unmet -= {(kind, wanted[kind, spelling]) for kind, spelling in met}
        (plan.removed if met else plan.kept).append(file)
    if unmet:
        kind, value = min(unmet)
        raise GalleryError(f"No picture of the gallery has the {kind} {value!r}: nothing was removed.")
    return plan


def _match(files: Sequence[Item], items: Sequence[Item]) -> list[Item | None]:
    """For each item of a source the file that it is: the one in its place with its id, or else one in its place."""
    exact = {(file.path, file.id): file for file in files}
    found = [exact.pop((item.path, item.id), None) for item in items]
    by_path: dict[str, deque[Item]] = defaultdict(deque)
    for file in exact.values():
        by_path[file.path].append(file)
    return [
        file or (by_path[item.path].popleft() if by_path.get(item.path) else None)
        for item, file in zip(items, found, strict=True)
    ]


def _becomes(item: Item, before: Item | None, source: str, ids: set[str]) -> Item:
    """The entry of the gallery for an item; a file of another source keeps its entry."""
    if before and before.source != source:
        return before
    new_id = next(one for one in _ids(item) if one not in ids)
    ids.add(new_id)
    return replace(before or item, id=new_id, label=item.label, metadata=item.metadata, source=source)


def _ids(item: Item) -> Iterator[str]:
    """Its own id, and if another file has that, its path, made unique if need be."""
    yield item.id
    yield item.path
    yield from (f"{item.path}#{number}" for number in itertools.count(2))


def _may_have_changed(file: Item, stamp: Stamp | None) -> bool:
    return stamp is not None and stamp != Stamp(file.size, file.mtime)


def _places(file: Item) -> set[str]:
    """Its path and those of the folders that it is in."""
    return {file.path, *map(str, PurePath(file.path).parents)}


def _marks(file: Item) -> set[tuple[str, str]]:
    """Every name by which a file can be given."""
    return {("id", file.id), ("label", file.label or ""), *(("path", place) for place in _places(file))}
