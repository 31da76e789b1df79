"""Watching a folder: its gallery is synchronised after each change."""

import itertools
import threading
from collections.abc import Iterator
from pathlib import Path

from similarity.embedding.embedder import Embedder, Load
from similarity.errors import SimilarityError, SourceError
from similarity.indexing.operations import update
from similarity.paths import full_path
from similarity.progress import OnProgress
from similarity.sources import open_source
from similarity.sources.passed_over import passed_over_part
from similarity.storage.manifest import Report

# Changes are synchronised together after QUIET_MS without a further one, or after LATEST_MS at the latest.
QUIET_MS, LATEST_MS = 400, 5_000
# Milliseconds after which a failed synchronisation is tried again without a change.
RETRY_MS = 5_000


def watch(
    directory: Path,
    folder: str | Path,
    *,
    load: Load = Embedder.restore,
    stop: threading.Event | None = None,
    progress: OnProgress | None = None,
) -> Iterator[Report | SimilarityError]:
    """Synchronise a gallery with a folder, now and after each change in it.

    Args:
        directory: the gallery's folder.
        stop: event that ends it.

    Returns:
        The report of each synchronisation, or its error, after which it is tried again.

    Raises:
        SourceError: there is no such folder. KeyboardInterrupt: the process was interrupted.
    """
    root = full_path(folder)
    if not root.is_dir():
        raise SourceError(f"{root} is not a folder: only a folder can be watched.")
    return _sync_after_changes(directory, root, load, stop, progress)


def _sync_after_changes(
    directory: Path, root: Path, load: Load, stop: threading.Event | None, progress: OnProgress | None
) -> Iterator[Report | SimilarityError]:
    is_in_step, last_said = False, ""
    while not (stop and stop.is_set()):
        watched = _identity(root)
        for turn, changes in enumerate(itertools.chain([set()], _changes(root, directory, stop))):
            if changes or turn <= 1 or not is_in_step:  # a second time once watching has begun, for changes before that
                result = _sync(directory, root, load, progress)
                is_in_step = isinstance(result, Report)
                if is_in_step or str(result) != last_said:  # not the same error every few seconds
                    yield result
                last_said = "" if is_in_step else str(result)
            if _identity(root) != watched:
                break  # the folder was deleted or replaced, and the watched one is of no interest


def _changes(root: Path, directory: Path, stop: threading.Event | None) -> Iterator[object]:
    """Yield the changes in a folder, or an empty set after a timeout; ends on request, or if the folder is gone."""
    import watchfiles

    def concerns_pictures(_: watchfiles.Change, path: str) -> bool:
        below = Path(path).relative_to(root).parts if Path(path).is_relative_to(root) else ()
        return not passed_over_part(below) and not Path(path).is_relative_to(directory)

    try:
        yield from watchfiles.watch(
            root,
            watch_filter=concerns_pictures,
            debounce=LATEST_MS,
            step=QUIET_MS,
            rust_timeout=RETRY_MS,
            yield_on_timeout=True,
            stop_event=stop,
            ignore_permission_denied=True,
        )
    except OSError:  # the folder is gone, which the next synchronisation reports
        (stop or threading.Event()).wait(RETRY_MS / 1000)


def _identity(root: Path) -> tuple[int, int] | None:
    """Return the identity of a folder, which differs from that of another one with the same path."""
    try:
        status = root.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _sync(directory: Path, root: Path, load: Load, progress: OnProgress | None) -> Report | SimilarityError:
    try:
        return update("sync", open_source(root), directory, load, progress=progress)
    except SimilarityError as error:
        return error
