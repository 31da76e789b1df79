"""Relabelling: the owner of a gallery gives pictures labels, which count whatever their source says of them.

A label is given to a picture's content, so all its exact copies have it, those that come later too. No picture is read
or embedded; the embeddings and the index of the next generation are those of the one before.
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from pathlib import Path

from similarity.errors import GalleryError
from similarity.indexing.known import Known
from similarity.indexing.plan import Plan, names_of, spellings_of
from similarity.indexing.run import Base, Run
from similarity.sources import Item
from similarity.sources.base import files_of
from similarity.storage.current import live_state
from similarity.storage.generations import Generation, read_generation
from similarity.storage.given_labels import NO_LABEL, GivenLabel, GivenLabels, check_label
from similarity.storage.items import Items
from similarity.storage.locks import writing
from similarity.storage.manifest import Report
from similarity.storage.writing import write_generation
from similarity.text.unicode import nfc

# A picture's label, or those that its copies have; None for the label of its source.
Given = str | Sequence[str] | None


@dataclass(slots=True)
class LabelChange:
    """A planned change of labels.

    Attributes:
        plan: all files of the gallery, with the labels that they have then.
        given: all labels that the owner gave then.
        contents: the SHA-256 of the pictures whose labels it sets.
    """

    plan: Plan = field(default_factory=Plan)
    given: GivenLabels = field(default_factory=GivenLabels)
    contents: AbstractSet[str] = frozenset()

    def keep(self, file: Item, label: str | None) -> None:
        """Note the label that a file has from then on."""
        self.plan.kept.append(replace(file, label=label))
        self.plan.relabelled += label != file.label


@dataclass(frozen=True, slots=True)
class Relabelled:
    """A change of labels that was made, with what undoing it needs.

    Attributes:
        report: what it changed.
        contents: the SHA-256 of the pictures whose labels it set.
        before, after: the labels that the owner had given before and after it.
    """

    report: Report
    contents: AbstractSet[str]
    before: GivenLabels
    after: GivenLabels


def relabel(directory: Path, labels: Mapping[str, Given], *, opened: Generation | None = None) -> Report:
    """Give pictures of a gallery labels; see `Gallery.relabel`, and for `opened` `read_generation`."""
    return give_labels(directory, labels, opened=opened).report


def give_labels(directory: Path, labels: Mapping[str, Given], *, opened: Generation | None = None) -> Relabelled:
    """Do the same as `relabel`; returns what undoing it needs, too.

    A label that a picture has already is confirmed: it counts from then on, even if its source gives it another one. Of
    several labels each copy keeps the one that it has, and gets the first if it has none of them.
    """
    if any(given is not None and not given for given in labels.values()):
        raise GalleryError(NO_LABEL)
    wanted = {name: [given] if isinstance(given, str) else list(given or ()) for name, given in labels.items()}
    return change_labels(directory, lambda items, given: plan_relabelling(items, given, wanted), opened=opened)


def change_labels(
    directory: Path, plan: Callable[[Items, GivenLabels], LabelChange], *, opened: Generation | None = None
) -> Relabelled:
    """Write the next generation of a gallery, with other labels; for `opened` see `read_generation`.

    Args:
        plan: the change, of the gallery's items and the labels that its owner has given.
    """
    started = time.perf_counter()
    live_state(directory)
    with writing(directory, "relabel"):
        before = read_generation(directory, opened=opened)
        change = plan(before.items, before.given)
        run = Run("relabel", directory, change.plan, before, None, started)
        run.given = change.given
        report = run.report()
        draft = run.draft(report, Base.of(before), Known(before, None))
        if not run.is_unchanged(draft):
            write_generation(directory, draft)
        run.clear_up()
        return Relabelled(report, change.contents, before.given, draft.given)


def plan_relabelling(items: Items, given: GivenLabels, labels: Mapping[str, Sequence[str]]) -> LabelChange:
    """Plan to give pictures labels, by id or by SHA-256.

    Args:
        labels: of each picture; none for those of its source. One that the gallery has already may be any text.

    Raises:
        GalleryError: there is no such picture, or a label is not one.
    """
    files = list(files_of(items))
    contents, known = _contents(files, labels), {file.label for file in files}
    wanted = {
        contents[name]: [one if one in known else check_label(one) for one in choice] for name, choice in labels.items()
    }
    change, entries = LabelChange(contents=wanted.keys()), []
    for file in files:
        if file.sha256 not in wanted:
            change.plan.kept.append(file)
            continue
        choice, entry = wanted[file.sha256], given.find(file)
        own = entry.source_label if entry else file.label
        label = (file.label if file.label in choice else choice[0]) if choice else own
        change.keep(file, label)
        if choice and label:
            entries.append(GivenLabel.now(file, label, own))
    change.given = given.updated(entries, forget=wanted.keys())
    return change


def _contents(files: Sequence[Item], names: Mapping[str, object]) -> Mapping[str, str]:
    """Return the SHA-256 of the pictures with some names: their SHA-256, or an id, letter for letter or else composed.

    Raises:
        GalleryError: there is no such picture.
    """
    exact = {file.id: file.sha256 for file in files} | {file.sha256: file.sha256 for file in files}
    composed = {nfc(file.id): file.sha256 for file in reversed(files)}
    found = {name: exact.get(name) or composed.get(nfc(name)) for name in names}
    for name, sha256 in found.items():
        if sha256 is None:
            raise GalleryError(f"No picture of the gallery has the id {name!r}: no label was changed.")
    return {name: sha256 for name, sha256 in found.items() if sha256}


def find_files(items: Items, ids: Sequence[str] = (), paths: Sequence[str] = ()) -> list[Item]:
    """Return the files with some ids, and those at or below some paths, each on its own.

    Where no file has a name letter for letter, those count whose name is the same once it is composed.

    Raises:
        GalleryError: one of these is of no file in the gallery.
    """
    files, wanted = list(files_of(items)), {("id", value): ("id", value) for value in ids}
    wanted |= {("path", spelling): ("path", path) for path in paths for spelling in (path, os.path.realpath(path))}
    exact = {wanted[name] for file in files for name in wanted.keys() & spellings_of(file)}
    composed = {(kind, nfc(value)): one for (kind, value), one in wanted.items() if one not in exact}
    unmet, found = set(wanted.values()) - exact, []
    for file in files:
        met = {composed[name] for name in composed.keys() & names_of(file)}
        unmet -= met
        if met or wanted.keys() & spellings_of(file):
            found.append(file)
    if unmet:
        kind, value = min(unmet)
        raise GalleryError(f"No picture of the gallery has the {kind} {value!r}: no label was changed.")
    return found
