"""Importing a gallery from elsewhere, which may have been made to do harm.

    galleries/.importing/copy/shoes     a copy of the gallery's own files, which is then checked
    galleries/shoes                     the same folder, moved here once all of it is sound

Only the live state is copied: the files listed in its manifest, if a gallery can have them, each compared with its hash
during the copy; thumbnails, each decoded and encoded again, in which local features are then found anew; and feedback.
Files that a killed import left in `.importing` are in no list, and the next import deletes them. Pictures are neither
copied nor read.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import filelock

from similarity.errors import GalleryBusyError, GalleryDamagedError, GalleryError, GalleryNotFoundError
from similarity.files import confirm
from similarity.indexing import operations
from similarity.indexing.incoming import REMEDY, SHA256, copy_feedback, copy_generation, copy_thumbnails
from similarity.paths import THUMBNAILS, cache_folder, full_path, galleries_folder
from similarity.progress import OnProgress, Progress
from similarity.search.stores import EMBEDDED
from similarity.sources.base import files_of
from similarity.storage import events
from similarity.storage.current import CURRENT, State, read_state
from similarity.storage.generations import UNREADABLE, read_generation
from similarity.storage.inventory import named_gallery
from similarity.storage.layout import check_own
from similarity.storage.manifest import Manifest
from similarity.storage.prepared import forget_prepared

STAGING, LOCK = ".importing", "importing.lock"


@dataclass(frozen=True, slots=True)
class Imported:
    """The result of an import.

    Attributes:
        directory: the folder of the new gallery.
        thumbnails: number of thumbnails that were copied; others are made from the pictures when they are needed.
        feedback: number of entries of feedback that were copied.
        reindexed: whether its index was rebuilt, in its own folder.
    """

    directory: Path
    manifest: Manifest
    thumbnails: int
    feedback: int
    reindexed: bool


def import_gallery(folder: str | Path, name: str | None = None, *, progress: OnProgress | None = None) -> Imported:
    """Import the gallery in a folder as a new one of SIMILARITY_HOME; the folder is only read.

    Earlier states are not copied, nor are collections in Milvus: the index is then rebuilt in the gallery's own folder.

    Args:
        name: name of the new gallery; by default that of the folder.
        progress: called with the progress.

    Raises:
        GalleryNotFoundError: the folder has no gallery. GalleryDamagedError: the gallery is damaged, or has a file that
            no gallery has. GalleryBusyError: another import is running. GalleryError: the name is taken or invalid,
            there is no room, or the gallery cannot be read or written.
    """
    source = full_path(folder)
    target = _new_directory(source, name)
    state = _live_state(source)
    try:
        with _staging() as staging:
            return _import(source, state, staging, target, progress)
    except OSError as error:
        raise GalleryError(
            f"The gallery in {source} could not be imported ({error.strerror or error}): nothing was imported."
        ) from error


def _import(source: Path, state: State, staging: Path, target: Path, progress: OnProgress | None) -> Imported:
    check_own(source)
    staged = staging / "copy" / target.name
    manifest = copy_generation(source, state, staged, progress)
    if progress:
        progress(Progress("Checking the copy"))
    contents = _verify(source, staged, manifest)
    forget_prepared(staged)
    reindexed = manifest.store != EMBEDDED
    if reindexed:
        copied, staged = staged, staging / "rebuilt" / target.name
        operations.rebuild(copied, store=EMBEDDED, into=staged, progress=progress)
    thumbnails = copy_thumbnails(source, staged, contents, progress)
    feedback = copy_feedback(source, staged)
    live = read_generation(staged).manifest
    _publish(staged, target)
    forget_prepared(staged)
    return Imported(target, live, thumbnails, feedback, reindexed)


def _new_directory(source: Path, name: str | None) -> Path:
    """Return the folder of the new gallery, which does not exist yet."""
    if name is None:
        try:
            target = named_gallery(source.name)
        except GalleryError as error:
            raise GalleryError(f"{error} Give it a name with --name.") from error
    else:
        target = named_gallery(name)
    _check_is_new(target)
    return target


def _check_is_new(target: Path) -> None:
    if os.path.lexists(target):
        raise GalleryError(f"{target.name} exists already in {target.parent}: give another name with --name.")


def _live_state(source: Path) -> State:
    try:
        return read_state(source)
    except GalleryNotFoundError as error:
        raise GalleryNotFoundError(f"{error} Give the folder that contains the file {CURRENT}.") from error


@contextmanager
def _staging() -> Iterator[Path]:
    """Make an empty folder beside the galleries, for one import at a time, and delete it in the end."""
    folder = galleries_folder() / STAGING
    cache_folder().mkdir(parents=True, exist_ok=True)
    try:
        with filelock.FileLock(cache_folder() / LOCK, timeout=0):
            shutil.rmtree(folder, ignore_errors=True)  # left by an import that was killed
            try:
                folder.mkdir(parents=True)
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
    except filelock.Timeout:
        raise GalleryBusyError("Another gallery is being imported: try again when that is done.") from None


def _verify(source: Path, staged: Path, manifest: Manifest) -> list[str]:
    """Check all bytes of the copy, and return the SHA-256 of each of its pictures."""
    try:
        # An index in Milvus is not copied, so only an index in the folder can be checked.
        opened = read_generation(staged, thorough=manifest.store == EMBEDDED)
        for number, item in enumerate(files_of(opened.items)):  # which also proves that all can be read
            if not SHA256.fullmatch(item.sha256):
                raise ValueError(f"picture {number} has no SHA-256")
        return opened.items.contents()
    except GalleryDamagedError as error:
        path = Path(str(error.path))
        original = source / path.relative_to(staged) if path.is_relative_to(staged) else path
        raise GalleryDamagedError(original, error.fault.replace(str(staged), str(source)), REMEDY) from error
    except UNREADABLE as error:
        raise GalleryDamagedError(source, f"cannot be read ({error})", REMEDY) from error


def _publish(staged: Path, target: Path) -> None:
    """Move the copy to its final name, atomically."""
    for path in (*staged.rglob("*"), staged):
        if THUMBNAILS not in path.relative_to(staged).parts:  # these can be made again
            confirm(path)
    _check_is_new(target)
    staged.rename(target)
    confirm(target.parent)
    events.tell("import", target)
