"""Undoing one change of labels, and no other: pictures that were given a label since keep that."""

from dataclasses import dataclass, replace
from pathlib import Path

from similarity.indexing.relabelling import LabelChange, Relabelled, change_labels
from similarity.sources import Item
from similarity.sources.base import files_of
from similarity.storage.given_labels import GivenLabel, GivenLabels
from similarity.storage.items import Items
from similarity.storage.manifest import Report


@dataclass(frozen=True, slots=True)
class Unlabelled:
    """A change of labels that was undone.

    Attributes:
        report: what that changed.
        undone: the number of pictures that have the labels again that they had before.
        changed: the number of those that were given a label since, or had it taken back, and stay as they are.
        gone: the number of those that are not in the gallery any more.
    """

    report: Report
    undone: int
    changed: int
    gone: int


def undo_relabelling(directory: Path, made: Relabelled) -> Unlabelled:
    """Give the pictures of a gallery the labels again that they had before a change.

    Raises:
        GalleryError: it cannot be opened, or somebody else is writing it.
    """
    counts: dict[str, int] = {}

    def plan(items: Items, given: GivenLabels) -> LabelChange:
        same = {sha256 for sha256 in made.contents if given.marks(sha256) == made.after.marks(sha256)}
        held = set(items.contents())
        counts["undone"] = len(same & held)
        counts["changed"] = len((made.contents & held) - same)
        counts["gone"] = len(made.contents - held)
        return _plan(items, given, made.before, same & held)

    report = change_labels(directory, plan).report
    return Unlabelled(report, **counts)


def _plan(items: Items, given: GivenLabels, before: GivenLabels, contents: set[str]) -> LabelChange:
    """Plan to give the files of some contents the labels that they had, or those of their sources if they had none."""
    change, entries = LabelChange(contents=contents), []
    for file in files_of(items):
        if file.sha256 not in contents:
            change.plan.kept.append(file)
            continue
        entry = _earlier(file, given, before)
        now = given.find(file)
        change.keep(file, entry.label if entry else now.source_label if now else file.label)
        if entry:
            entries.append(entry)
    change.given = given.updated(entries, forget=contents)
    return change


def _earlier(file: Item, given: GivenLabels, before: GivenLabels) -> GivenLabel | None:
    """Return the entry that a file had before, with what its source says of it now."""
    now = given.find(file)
    source_label = now.source_label if now else file.label
    entry = before.find(replace(file, label=source_label))
    return entry.of(file, source_label) if entry else None
