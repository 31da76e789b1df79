"""Collections: galleries of pictures that were chosen from another one, made of what that one knows of them."""

import time
from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path

from similarity.errors import GalleryError
from similarity.indexing.known import Known
from similarity.indexing.plan import Plan
from similarity.indexing.run import Base, Run
from similarity.search import AUTO
from similarity.search.engines import check_store
from similarity.sources import Item, Source
from similarity.sources.base import files_of
from similarity.storage.current import exists
from similarity.storage.generations import Generation, read_generation
from similarity.storage.given_labels import GivenLabels
from similarity.storage.locks import writing
from similarity.storage.manifest import Report
from similarity.storage.thumbnails import copy_thumbnails
from similarity.storage.writing import write_generation
from similarity.text.unicode import nfc
from similarity.vectors.refinement import AUTO as AUTO_REFINEMENT


def collect(directory: Path, ids: Sequence[str], into: Path, *, opened: Generation | None = None) -> Report:
    """Make a gallery of chosen pictures of another one, with their labels, metadata, embeddings and thumbnails.

    The pictures stay where they are, and in the other gallery. A sync of the collection takes up changes of its
    pictures and drops those that are gone; it adds none.

    Args:
        ids: ids or SHA-256 of the pictures; exact copies come along.
        into: the folder of the new gallery.
        opened: a generation of the gallery that is open; see `read_generation`.

    Raises:
        GalleryError: there is a gallery in `into`, or no picture with one of the ids.
    """
    started = time.perf_counter()
    before = read_generation(directory, opened=opened)
    chosen = _choose(before, ids)
    with writing(into, f"collect {directory.name}"):
        if exists(into):
            raise GalleryError(f"There is a gallery named {into.name} already: choose another name.")
        base = _base(before, directory.name)
        check_store(base.manifest.store)
        contents = {item.sha256 for item in chosen}
        _copy_made_of_pictures(directory, into, contents)
        given = GivenLabels(tuple(entry for entry in before.given.entries if entry.sha256 in contents))
        origin = replace(before, manifest=base.manifest, given=given)
        run = Run("collect", into, Plan(kept=list(files_of(chosen))), origin, None, started)
        report = replace(run.report(), added=len(run.plan.kept))
        write_generation(into, run.draft(report, base, Known(before, None)))
    return replace(report, seconds=round(time.perf_counter() - started, 3))


def without_new(source: Source, items: Sequence[Item]) -> Source:
    """Return a source without files that a gallery does not have, which a sync does not add to a collection."""
    known, others = {nfc(file.path) for file in files_of(items)}, copy(source)
    others.items = [item for item in source.items if nfc(item.path) in known]
    return others


def _choose(before: Generation, ids: Sequence[str]) -> list[Item]:
    """Return the pictures with some ids or SHA-256, in the order of the gallery."""
    rows = {picture: before.items.find_any(picture) for picture in ids}
    if missing := [picture for picture, row in rows.items() if row is None]:
        raise GalleryError(f"No picture of the gallery has the id {missing[0]!r}: no gallery was made.")
    if not rows:
        raise GalleryError("Choose at least one picture.")
    return [before.items[row] for row in sorted({row for row in rows.values() if row is not None})]


def _base(before: Generation, name: str) -> Base:
    """Return what a collection shares with the gallery that it is chosen from; how it is searched is chosen anew."""
    asked = before.manifest.refinement_asked
    manifest = replace(
        before.manifest,
        recipe_asked=AUTO,
        refinement_asked=asked if asked == "none" else AUTO_REFINEMENT,
        skipped=[],
        excluded={},
        collected_from=name,
        shards=[],
    )
    return Base(manifest, before.quantised, before.head)


def _copy_made_of_pictures(directory: Path, into: Path, contents: set[str]) -> None:
    """Copy thumbnails and local features."""
    # OpenCV is loaded only where it is needed.
    from similarity.storage.keypoint_files import copy_keypoints

    copy_thumbnails(directory, into, contents)
    copy_keypoints(directory, into, contents)
