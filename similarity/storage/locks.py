"""Locks on a gallery's folder: one writer at a time, and readers that keep a generation from being deleted."""

import errno
import json
import os
import socket
import sqlite3
import sys
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import filelock

from similarity.errors import GalleryBusyError, GalleryError
from similarity.files import CAREFULLY, IS_WINDOWS, WRITER_SUFFIX, drop_foreign, lock, read_json
from similarity.paths import GENERATIONS, MANIFEST, PIN_SUFFIX, SHARDS
from similarity.search.stores import COLLECTIONS
from similarity.storage import events
from similarity.storage.current import CURRENT, exists
from similarity.storage.feedback import OWN_FILES as FEEDBACK
from similarity.storage.journal import FOLDER as UNFINISHED
from similarity.storage.layout import check_own
from similarity.storage.removal import generation_folders, has_unfinished, remove_entry
from similarity.storage.shard_places import set_of
from similarity.storage.thumbnails import FOLDER as THUMBNAILS
from similarity.text.plain import one_line

# The operating system releases the lock when its process ends; the note only tells others who holds it.
LOCK, HOLDER = ".lock", ".writer.json"
MOST_BYTES = 10_000  # of the note
# In the order of deletion: the lock comes last, or another writer could start in between.
OWN_ENTRIES = (
    CURRENT,
    f"{CURRENT}.new",
    *FEEDBACK,
    THUMBNAILS,
    UNFINISHED,
    GENERATIONS,
    SHARDS,
    COLLECTIONS,
    f"{COLLECTIONS}.new",
    *(
        f"{name}{WRITER_SUFFIX}" for name in (CURRENT, FEEDBACK[0], COLLECTIONS)
    ),  # of writers that were killed on Windows
    HOLDER,
    LOCK,
)


@contextmanager
def writing(directory: Path, task: str, *, checked: bool = True) -> Iterator[None]:
    """Lock a gallery's folder for the only writer.

    If the block fails before there is a first generation, only the embeddings of an interrupted run remain.

    Args:
        task: the task of the writer, for the message to other writers.
        checked: whether to refuse a folder with links or special files in it.

    Raises:
        GalleryBusyError: another process is writing to it. GalleryError: it cannot be written, or has other files.
    """
    if whole := set_of(directory):
        raise GalleryError(f"{directory} is a shard of the set {whole.name}: change that instead.")
    try:
        if directory.exists() and not _is_gallery_folder(directory):
            raise GalleryError(f"{directory} contains other files: choose a new or empty folder for the gallery.")
        if checked:
            check_own(directory)
        for name in (LOCK, HOLDER):
            drop_foreign(directory / name)
        was_there = bool(generation_folders(directory))
        new_folders = [folder for folder in (directory, *directory.parents) if not folder.exists()]
        directory.mkdir(parents=True, exist_ok=True)
        writer = filelock.FileLock(directory / LOCK)
        writer.acquire(timeout=0)
    except filelock.Timeout:
        raise GalleryBusyError(f"The gallery in {directory} is being written by {_holder(directory)}.") from None
    except OSError as error:
        raise GalleryError(f"{directory} cannot be written ({_reason(error)}).") from error
    try:
        _note_holder(directory, task)
        with events.told(directory, task):
            yield
    except (OSError, sqlite3.Error) as error:
        raise GalleryError(f"The gallery in {directory} could not be written ({_reason(error)}).") from error
    finally:
        with suppress(OSError):
            (directory / HOLDER).unlink(missing_ok=True)
        if not (was_there or exists(directory) or has_unfinished(directory)):
            _remove_traces(directory, new_folders)
        writer.release()


def _reason(error: OSError | sqlite3.Error) -> object:
    return getattr(error, "strerror", None) or error


def _note_holder(directory: Path, task: str) -> None:
    note = {
        "process": os.getpid(),
        "computer": socket.gethostname(),
        "program": Path(sys.argv[0]).name,
        "task": task,
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    (directory / HOLDER).write_text(json.dumps(note))


def _holder(directory: Path) -> str:
    """Return a text that names the writer of a gallery, and a remedy."""
    try:
        note = read_json(directory / HOLDER, MOST_BYTES)
        facts = [one_line(str(note[name])) for name in ("process", "computer", "task", "since")]
        who = "process {} on {} ({}, since {})".format(*facts)
    except (OSError, ValueError, LookupError, TypeError):
        who = "another process"
    return f"{who}: wait for it, or stop it"


def _is_gallery_folder(directory: Path) -> bool:
    """Whether a folder has a gallery, or no files but those of an unfinished one."""
    if exists(directory) or (directory / GENERATIONS).is_dir():
        return True
    return directory.is_dir() and all(entry.name in OWN_ENTRIES for entry in directory.iterdir())


def _remove_traces(directory: Path, new_folders: list[Path]) -> None:
    """Delete our files, then the folders that were made for them, unless others use these by now."""
    for name in OWN_ENTRIES:
        with suppress(OSError):
            remove_entry(directory / name)
    for folder in new_folders:
        try:
            folder.rmdir()
        except OSError:
            return


_PINS: "weakref.WeakSet[Pin]" = weakref.WeakSet()
_PINS_LOCK = threading.Lock()


class Pin:
    """A shared lock on a folder, for as long as this object lives; raises OSError if there is no such folder."""

    def __init__(self, folder: Path) -> None:
        self._descriptor = -1
        self._descriptor = _open_pinned(folder)
        self.folder = folder
        lock(self._descriptor, shared=True)
        with _PINS_LOCK:
            _PINS.add(self)

    def release(self) -> None:
        """Let the folder be deleted; files of it that are open or mapped can still be read."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __del__(self) -> None:
        self.release()


def release_own_pins(live: Path) -> None:
    """Let the other generations of a gallery be deleted, though this process has them open.

    Args:
        live: the folder of the live generation.
    """
    with _PINS_LOCK:
        pins = [pin for pin in _PINS if pin.folder.parent == live.parent and pin.folder != live]
    for pin in pins:
        pin.release()


@contextmanager
def unless_pinned(folder: Path) -> Iterator[bool]:
    """Yield whether no reader has pinned a folder; if so, none can until the block ends."""
    descriptor = _open_pinned(folder)
    try:
        yield lock(descriptor, wait=False)
    finally:
        os.close(descriptor)
        if IS_WINDOWS and not folder.exists():
            with suppress(OSError):  # somebody has just opened it
                _pin_file(folder).unlink()


def _open_pinned(folder: Path) -> int:
    """Open what is locked while a folder is pinned: the folder itself, or a file beside it on Windows.

    A folder that may only be read can be pinned, too, as long as it can be opened: nothing is written into it.
    """
    if not IS_WINDOWS:
        return os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    if not folder.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(folder))
    try:
        return os.open(_pin_file(folder), os.O_RDWR | os.O_CREAT | CAREFULLY, 0o666)
    except PermissionError:  # who may not write there reads unpinned; what is open or mapped stays on Windows anyway
        return os.open(folder / MANIFEST, os.O_RDONLY | CAREFULLY)


def _pin_file(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}{PIN_SUFFIX}")
