"""Taking in a gallery from elsewhere: a folder that somebody else made, and may have made to do harm.

    galleries/.importing/copy/shoes     a copy of what belongs to a gallery, made and read whole
    galleries/shoes                     the same folder, once all of it is sound

Its live state is copied: the files that its manifest lists and that a gallery can have, each compared with its hash
while it is copied; thumbnails, each decoded and encoded anew; and marks. What an import that was killed has left in
`.importing` is in no list, and the next import takes it away. Pictures are neither copied nor read.
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
from similarity.indexing.incoming import NOTHING, SHA256, copy_generation, copy_marks, copy_thumbnails
from similarity.paths import THUMBNAILS, cache_folder, full_path, galleries_folder
from similarity.progress import OnProgress, Progress
from similarity.search.stores import EMBEDDED
from similarity.sources.base import files_of
from similarity.storage.current import CURRENT, State, read_state
from similarity.storage.generations import UNREADABLE, read_generation
from similarity.storage.inventory import named_gallery
from similarity.storage.layout import check_own
from similarity.storage.manifest import Manifest

STAGING, LOCK = ".importing", "importing.lock"


@dataclass(frozen=True, slots=True)
class Imported:
    """The result of an import.

    Attributes:
        directory: of the new gallery.
        thumbnails: how many came along; others are made anew from the pictures when they are wanted.
        marks: how many came along.
        reindexed: whether its index was made anew, in its own folder.
    """

    directory: Path
    manifest: Manifest
    thumbnails: int
    marks: int
    reindexed: bool


def import_gallery(folder: str | Path, name: str | None = None, *, progress: OnProgress | None = None) -> Imported:
    """Take the gallery in a folder in as a new one of SIMILARITY_HOME; the folder is only read.

    Its earlier states stay behind, and so does what it has in Milvus: its index is made anew in its own folder then.

    Args:
        name: of the new gallery; the folder's unless given.
        progress: told what is going on.

    Raises:
        GalleryNotFoundError: there is none. GalleryDamagedError: it is damaged, or has something in it that no gallery
            of ours has. GalleryBusyError: another one is being imported. GalleryError: the name is taken or cannot be
            one, there is no room, or the gallery cannot be read or written.
    """
    source = full_path(folder)
    target = _new_place(source, name)
    state = _live(source)
    try:
        with _staging() as staging:
            return _take_in(source, state, staging, target, progress)
    except OSError as error:
        raise GalleryError(
            f"The gallery in {source} could not be imported ({error.strerror or error}): nothing was imported."
        ) from error


def _take_in(source: Path, state: State, staging: Path, target: Path, progress: OnProgress | None) -> Imported:
    check_own(source)
    staged = staging / "copy" / target.name
    manifest = copy_generation(source, state, staged, progress)
    if progress:
        progress(Progress("Checking the copy"))
    contents = _verified(source, staged, manifest)
    reindexed = manifest.store != EMBEDDED
    if reindexed:
        copied, staged = staged, staging / "anew" / target.name
        operations.rebuild(copied, store=EMBEDDED, into=staged, progress=progress)
    thumbnails = copy_thumbnails(source, staged, contents, progress)
    marks = copy_marks(source, staged)
    live = read_generation(staged).manifest
    _publish(staged, target)
    return Imported(target, live, thumbnails, marks, reindexed)


def _new_place(source: Path, name: str | None) -> Path:
    """The folder of the new gallery, which is not there yet."""
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
        raise GalleryError(f"There is {target.name} in {target.parent} already: give another name with --name.")


def _live(source: Path) -> State:
    try:
        return read_state(source)
    except GalleryNotFoundError as error:
        raise GalleryNotFoundError(f"{error} Give the folder that has the file {CURRENT} in it.") from error


@contextmanager
def _staging() -> Iterator[Path]:
    """An empty folder beside the galleries, for one import at a time, of which nothing stays."""
    folder = galleries_folder() / STAGING
    cache_folder().mkdir(parents=True, exist_ok=True)
    try:
        with filelock.FileLock(cache_folder() / LOCK, timeout=0):
            shutil.rmtree(folder, ignore_errors=True)  # of one that was killed
            try:
                folder.mkdir(parents=True)
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
    except filelock.Timeout:
        raise GalleryBusyError("Another gallery is being imported: wait until that is done.") from None


def _verified(source: Path, staged: Path, manifest: Manifest) -> list[str]:
    """The SHA-256 of each picture of a copy that is sound to the last byte."""
    try:
        # Another store than the folder's own would have to be asked, and is left behind.
        opened = read_generation(staged, thorough=manifest.store == EMBEDDED)
        for number, item in enumerate(files_of(opened.items)):  # each of them can be read
            if not SHA256.fullmatch(item.sha256):
                raise ValueError(f"picture {number} has no SHA-256")
        return opened.items.contents()
    except GalleryDamagedError as error:
        path = Path(str(error.path))
        there = source / path.relative_to(staged) if path.is_relative_to(staged) else path
        raise GalleryDamagedError(there, error.fault.replace(str(staged), str(source)), NOTHING) from error
    except UNREADABLE as error:
        raise GalleryDamagedError(source, f"cannot be read ({error})", NOTHING) from error


def _publish(staged: Path, target: Path) -> None:
    """Have the copy appear under its name, whole."""
    for path in (*staged.rglob("*"), staged):
        if THUMBNAILS not in path.relative_to(staged).parts:  # nobody waits for these
            confirm(path)
    _check_is_new(target)
    staged.rename(target)
    confirm(target.parent)
