"""Planning a change by comparing the files of a source with those of a gallery, without reading pictures."""

import itertools
import os
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath

from similarity.errors import GalleryError
from similarity.sources import Item, Source, Stamp
from similarity.sources.base import files_of, is_place_gone
from similarity.storage.given_labels import NONE_GIVEN, GivenLabel, GivenLabels
from similarity.text.unicode import nfc


@dataclass(frozen=True, slots=True)
class Reading:
    """A file that has to be read, because it is new or may have changed.

    Attributes:
        item: the entry of the source.
        becomes: the future entry of the gallery, without the facts that reading adds.
        before: the current entry of the gallery, if there is one.
    """

    item: Item
    becomes: Item
    before: Item | None = None


@dataclass(slots=True)
class Plan:
    """The plan of a change: the action for each file.

    Attributes:
        kept: files that stay, with their current label and metadata.
        readings: files of the source that are new or may have changed.
        removed: files that leave the gallery.
        unchanged: number of kept files that the source lists.
        relabelled: number of these whose label or metadata have changed.
        relocated: number of kept files that are in another place now.
        given: labels that the owner gave to kept files for which the source has another label than it had.
    """

    kept: list[Item] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    removed: list[Item] = field(default_factory=list)
    unchanged: int = 0
    relabelled: int = 0
    relocated: int = 0
    given: list[GivenLabel] = field(default_factory=list)


def without_folder(source: Source, folder: Path) -> Source:
    """Return a source without files in the gallery's own folder, such as its thumbnails."""
    others = copy(source)
    others.items = [item for item in source.items if not Path(item.path).is_relative_to(folder)]
    return others


def plan_index(source: Source) -> Plan:
    """Plan a gallery of this source alone: all files are read. Items keep the source that they name, if any."""
    return Plan(readings=[Reading(item, replace(item, source=item.source or source.name)) for item in source.items])


def plan_update(items: Iterable[Item], source: Source, *, drop_vanished: bool, given: GivenLabels = NONE_GIVEN) -> Plan:
    """Plan to synchronise a gallery with a source. Files of other sources are not changed.

    A file is considered unchanged if its path, size and time of last change are the same.

    Args:
        items: the items of the gallery.
        drop_vanished: whether to remove files that this source no longer lists, unless it could not list their folder.
        given: labels that the owner gave, which count instead of the source's.
    """
    files = list(files_of(items))
    matches = _match(files, source.items)
    matched = {id(file) for file in matches if file}
    unlisted, plan = {skipped.path for skipped in source.skipped}, Plan()
    # A list that was renamed still names the same files, which become those of the list as it is named now.
    sources = [source.name, *(_gone_sources(files, source.name) if drop_vanished else ())]
    now: dict[int, Item] = {}
    for file in (file for file in files if id(file) not in matched):
        if drop_vanished and file.source == source.name and not unlisted & _places(file):
            plan.removed.append(file)
        else:
            now[id(file)] = file
    others = (file for file in files if id(file) in now or file.source not in sources)
    ids = {file.id for file in others}
    for item, before in zip(source.items, matches, strict=True):
        becomes = _becomes(item, before, sources, ids)
        if before and not _may_have_changed(before, source.stamp(item)):
            if becomes is not before and (entry := given.noted(becomes, becomes.label)):
                plan.given.append(entry)
            now[id(before)] = becomes = given.apply(becomes)
            plan.unchanged += 1
            plan.relabelled += replace(becomes, source=before.source) != before
        else:
            plan.readings.append(Reading(item, becomes, before))
    plan.kept = [now[id(file)] for file in files if id(file) in now]
    return plan


def plan_removal(items: Iterable[Item], ids: Sequence[str], paths: Sequence[str], labels: Sequence[str]) -> Plan:
    """Plan to remove some files.

    Args:
        ids, labels: ids and labels of files.
        paths: paths of files or folders, as they are listed or with links resolved.

    Raises:
        GalleryError: one of these matches no file in the gallery.
    """
    wanted = {("id", nfc(value)): value for value in ids} | {("label", nfc(value)): value for value in labels}
    wanted |= {("path", nfc(spelling)): path for path in paths for spelling in (path, os.path.realpath(path))}
    unmet, plan = {(kind, value) for (kind, _), value in wanted.items()}, Plan()
    for file in files_of(items):
        met = wanted.keys() & names_of(file)
        unmet -= {(kind, wanted[kind, spelling]) for kind, spelling in met}
        (plan.removed if met else plan.kept).append(file)
    if unmet:
        kind, value = min(unmet)
        raise GalleryError(f"No picture of the gallery has the {kind} {value!r}: nothing was removed.")
    return plan


def _match(files: Sequence[Item], items: Sequence[Item]) -> list[Item | None]:
    """Match each item of a source with a file of the gallery: same path and id, or else same path, composed or not."""
    exact = {(file.path, file.id): file for file in files}
    matches = [exact.pop((item.path, item.id), None) for item in items]
    by_path: dict[str, deque[Item]] = defaultdict(deque)
    for file in exact.values():
        by_path[nfc(file.path)].append(file)
    return [
        file or (by_path[nfc(item.path)].popleft() if by_path.get(nfc(item.path)) else None)
        for item, file in zip(items, matches, strict=True)
    ]


def _becomes(item: Item, before: Item | None, sources: Sequence[str], ids: set[str]) -> Item:
    """Return the gallery's future entry for an item; a file of a source that is not among these keeps its entry."""
    source = sources[0]
    if before and before.source not in sources:
        return before
    taken = free_id(item, ids)
    return replace(before or item, id=taken, path=item.path, label=item.label, metadata=item.metadata, source=source)


def free_id(item: Item, ids: set[str]) -> str:
    """Return an id for an item that is not among some ids, and add it to them."""
    new_id = next(candidate for candidate in _ids(item) if candidate not in ids)
    ids.add(new_id)
    return new_id


def _ids(item: Item) -> Iterator[str]:
    """Yield candidates for an id: its own, its path, and its path with numbers."""
    yield item.id
    yield item.path
    yield from (f"{item.path}#{number}" for number in itertools.count(2))


def _may_have_changed(file: Item, stamp: Stamp | None) -> bool:
    return stamp is not None and stamp != Stamp(file.size, file.mtime)


def _places(file: Item) -> set[str]:
    """Return the paths of a file and of all folders that contain it."""
    return {file.path, *map(str, PurePath(file.path).parents)}


def _gone_sources(files: Iterable[Item], source: str) -> list[str]:
    """Return the sources of files, other than this one, that are not there any more."""
    return [name for name in dict.fromkeys(file.source for file in files) if name != source and is_place_gone(name)]


def spellings_of(file: Item) -> set[tuple[str, str]]:
    """Return the id and all paths that match a file, letter for letter."""
    return {("id", file.id), *(("path", place) for place in _places(file))}


def names_of(file: Item) -> set[tuple[str, str]]:
    """Return all ids, labels and paths that match a file, composed."""
    return {("id", nfc(file.id)), ("label", nfc(file.label or "")), *(("path", nfc(place)) for place in _places(file))}
