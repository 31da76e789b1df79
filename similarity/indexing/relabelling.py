"""Relabelling: the owner of a gallery gives pictures labels, which count whatever their source says of them.

A label is given to a picture's content, so all its exact copies have it, those that come later too. No picture is read
or embedded; the embeddings and the index of the next generation are those of the one before.
"""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from similarity.errors import GalleryError
from similarity.indexing.known import Known
from similarity.indexing.plan import Plan, names_of
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


def relabel(directory: Path, labels: Mapping[str, Given], *, opened: Generation | None = None) -> Report:
    """Give pictures of a gallery labels; see `Gallery.relabel`, and for `opened` `read_generation`.

    A label that a picture has already is confirmed: it counts from then on, even if its source gives it another one. Of
    several labels each copy keeps the one that it has, and gets the first if it has none of them.
    """
    started = time.perf_counter()
    wanted = {name: _checked(given) for name, given in labels.items()}
    live_state(directory)
    with writing(directory, "relabel"):
        before = read_generation(directory, opened=opened)
        plan, given = plan_relabelling(before.items, before.given, wanted)
        run = Run("relabel", directory, plan, before, None, started)
        run.given = given
        report = run.report()
        draft = run.draft(report, Base.of(before), Known(before, None))
        if not run.is_unchanged(draft):
            write_generation(directory, draft)
        run.clear_up()
        return report


def plan_relabelling(items: Items, given: GivenLabels, labels: Mapping[str, Sequence[str]]) -> tuple[Plan, GivenLabels]:
    """Plan to give pictures labels, by id or by SHA-256; returns all labels that are given then, too.

    Args:
        labels: of each picture; none for those of its source.

    Raises:
        GalleryError: there is no such picture.
    """
    files, plan, entries = list(files_of(items)), Plan(), []
    contents = {file.sha256: file.sha256 for file in files} | {nfc(file.id): file.sha256 for file in files}
    if missing := [name for name in labels if nfc(name) not in contents]:
        raise GalleryError(f"No picture of the gallery has the id {missing[0]!r}: no label was changed.")
    wanted = {contents[nfc(name)]: label for name, label in labels.items()}
    for file in files:
        if file.sha256 not in wanted:
            plan.kept.append(file)
            continue
        choice, known = wanted[file.sha256], given.find(file)
        own = known.source_label if known else file.label
        label = (file.label if file.label in choice else choice[0]) if choice else own
        plan.kept.append(replace(file, label=label))
        plan.relabelled += label != file.label
        if choice and label:
            entries.append(GivenLabel.now(file, label, own))
    return plan, given.updated(entries, forget=wanted.keys())


def _checked(given: Given) -> list[str]:
    """Return labels as galleries keep them; none for those of the source."""
    if given is None:
        return []
    if not given:
        raise GalleryError(NO_LABEL)
    return [check_label(label) for label in ([given] if isinstance(given, str) else given)]


def find_files(items: Items, ids: Sequence[str] = (), paths: Sequence[str] = ()) -> list[Item]:
    """Return the files with some ids, and those at or below some paths, each on its own.

    Raises:
        GalleryError: one of these is of no file in the gallery.
    """
    wanted = {("id", nfc(value)): value for value in ids}
    wanted |= {("path", nfc(spelling)): path for path in paths for spelling in (path, os.path.realpath(path))}
    unmet, found = {(kind, value) for (kind, _), value in wanted.items()}, []
    for file in files_of(items):
        if met := wanted.keys() & names_of(file):
            unmet -= {(kind, wanted[kind, spelling]) for kind, spelling in met}
            found.append(file)
    if unmet:
        kind, value = min(unmet)
        raise GalleryError(f"No picture of the gallery has the {kind} {value!r}: no label was changed.")
    return found
