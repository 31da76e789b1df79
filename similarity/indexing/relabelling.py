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
from similarity.storage.given_labels import GivenLabel, GivenLabels, check_label
from similarity.storage.items import Items
from similarity.storage.locks import writing
from similarity.storage.manifest import Report
from similarity.storage.writing import write_generation
from similarity.text.unicode import nfc


def relabel(directory: Path, labels: Mapping[str, str | None], *, opened: Generation | None = None) -> Report:
    """Give pictures of a gallery labels; see `Gallery.relabel`, and for `opened` `read_generation`.

    A label that a picture has already is confirmed: it counts from then on, even if its source gives it another one.
    """
    started = time.perf_counter()
    wanted = {name: label if label is None else check_label(label) for name, label in labels.items()}
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


def plan_relabelling(items: Items, given: GivenLabels, labels: Mapping[str, str | None]) -> tuple[Plan, GivenLabels]:
    """Plan to give pictures labels, by id or by SHA-256; returns all labels that are given then, too.

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
        label, known = wanted[file.sha256], given.find(file)
        own = known.source_label if known else file.label
        relabelled = replace(file, label=own if label is None else label)
        plan.kept.append(relabelled)
        plan.relabelled += relabelled.label != file.label
        if label is not None:
            entries.append(GivenLabel.now(file, label, own))
    return plan, given.updated(entries, forget=wanted.keys())


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
