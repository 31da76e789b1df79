"""One writer at a time in a gallery's folder, and no traces of one that failed before there was a gallery."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from similarity.errors import GalleryError

LOCK = ".lock"
OWN_ENTRIES = {"CURRENT", "CURRENT.new", "generations", "thumbnails", LOCK}


@contextmanager
def writing(directory: Path) -> Iterator[None]:
    """Hold a gallery's folder as its only writer; if this fails before there is a first generation, nothing stays.

    Raises:
        GalleryError: somebody else writes it, it cannot be written, or it is a folder of something else.
    """
    try:
        if directory.exists() and not _is_gallery_folder(directory):
            raise GalleryError(f"{directory} holds other files: choose a new or empty folder for the gallery.")
        new_folders = [folder for folder in (directory, *directory.parents) if not folder.exists()]
        directory.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(directory / LOCK)
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise GalleryError(f"The gallery in {directory} is being written by another process: wait for it.") from None
    except OSError as error:
        raise GalleryError(f"{directory} cannot be written ({error.strerror or error}).") from error
    try:
        yield
    except OSError as error:
        raise GalleryError(f"The gallery in {directory} could not be written ({error.strerror or error}).") from error
    finally:
        if not (directory / "CURRENT").exists():
            _remove_traces(directory, new_folders)
        lock.release()


def _is_gallery_folder(directory: Path) -> bool:
    """Whether a folder is empty or holds nothing but a gallery, finished or not."""
    return directory.is_dir() and all(entry.name in OWN_ENTRIES for entry in directory.iterdir())


def _remove_traces(directory: Path, new_folders: list[Path]) -> None:
    """Empty the folder, then take away those that were made for it, unless somebody else uses them by now."""
    for name in OWN_ENTRIES:
        if (directory / name).is_dir():
            shutil.rmtree(directory / name, ignore_errors=True)
        else:
            (directory / name).unlink(missing_ok=True)
    for folder in new_folders:
        try:
            folder.rmdir()
        except OSError:
            return
