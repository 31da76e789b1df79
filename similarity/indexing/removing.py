"""Removing files from a gallery; those on the disk are not touched."""

import time
from collections.abc import Sequence
from pathlib import Path

from similarity.errors import GalleryError
from similarity.indexing.finishing import finish
from similarity.indexing.plan import plan_removal
from similarity.indexing.run import Run
from similarity.storage.current import live_state
from similarity.storage.generations import Generation, read_generation
from similarity.storage.locks import writing
from similarity.storage.manifest import Report

CHANGED = "The gallery has changed since these files were chosen: nothing was removed. Look at them again."


def remove(
    directory: Path,
    *,
    ids: Sequence[str] = (),
    paths: Sequence[str] = (),
    labels: Sequence[str] = (),
    opened: Generation | None = None,
) -> Report:
    """Remove files from a gallery; see `Gallery.remove`, and for `opened` `read_generation`."""
    return _remove(directory, ids, paths, labels, opened=opened)[0]


def take_out(directory: Path, ids: Sequence[str], seen: str) -> tuple[Report, str]:
    """Remove files from a gallery if it is still in the state that was seen; returns the report, and the state then.

    Raises GalleryError if it has changed.
    """
    return _remove(directory, ids, seen=seen)


def _remove(
    directory: Path,
    ids: Sequence[str] = (),
    paths: Sequence[str] = (),
    labels: Sequence[str] = (),
    *,
    seen: str | None = None,
    opened: Generation | None = None,
) -> tuple[Report, str]:
    started = time.perf_counter()
    live_state(directory)
    with writing(directory, "remove"):
        if seen not in (None, live_state(directory)):
            raise GalleryError(CHANGED)
        before = read_generation(directory, opened=opened)
        plan = plan_removal(before.items, ids, paths, labels)
        report = finish(Run("remove", directory, plan, before, None, started), before)
        return report, live_state(directory)
