"""Uploads that arrive in pieces: each into a folder of its own, until a gallery is made of it or it is given up.

    SIMILARITY_HOME/uploads/.incoming/5f0c…/shoes/1.jpg

A piece is appended where the file ends, so an upload that was interrupted goes on where it stopped.
"""

import logging
import os
import secrets
import shutil
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from similarity.errors import QuotaError, SourceError
from similarity.files import CAREFULLY
from similarity.images.formats import SUFFIXES as PICTURES
from similarity.paths import home
from similarity.service.singleton import singleton
from similarity.sources.uploads import SUFFIXES as LISTS
from similarity.sources.uploads import keep_arrived

KINDS = tuple(sorted({*PICTURES, *LISTS}))
PIECE = 4_000_000  # bytes
# For one upload, and how many there are at once, for a browser and in all.
MOST_BYTES, MOST_FILES, MOST_OF_BROWSER, MOST_IN_ALL = 50_000_000_000, 100_000, 3, 10
RESERVE = 1_000_000_000  # bytes of the disk that stay free
IDLE = 3600.0  # seconds after which an upload that has stopped is deleted
LONGEST_NAME, DEEPEST = 255, 20  # bytes of a name, and folders in folders
FULL = "The disk of this app is nearly full: the upload was stopped."
TOO_MANY = "Too many uploads are under way: wait until one is done."

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Upload:
    """An upload under way.

    Attributes:
        folder: where its files are.
        browser: what tells the visitor's browser from others.
        sizes: bytes that have arrived of each file, by its path in the folder.
        total: bytes that have arrived of all files.
        is_complete: whether all has arrived.
        touched: value of `time.monotonic` when something happened last.
        lock: held while a piece is written.
    """

    folder: Path
    browser: str
    sizes: dict[str, int] = field(default_factory=dict)
    total: int = 0
    is_complete: bool = False
    touched: float = field(default_factory=time.monotonic)
    lock: threading.Lock = field(default_factory=threading.Lock)


class OutOfStepError(Exception):
    """A piece does not continue its file; `size` is how much of that has arrived."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size


class Incoming:
    """The uploads of this process. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._uploads: dict[str, Upload] = {}

    def open(self, browser: str) -> str:
        """Begin an upload of a visitor who may make galleries; returns its name, which nobody can guess.

        Where there are too many, the oldest one that has nothing yet makes room: a page that was opened, and left.

        Raises:
            QuotaError: too many are under way.
        """
        self.expire()
        with self._lock:
            mine = {name: upload for name, upload in self._uploads.items() if upload.browser == browser}
            crowd = mine if len(mine) >= MOST_OF_BROWSER else self._uploads
            if crowd is mine or len(crowd) >= MOST_IN_ALL:
                empty = [name for name, upload in crowd.items() if not upload.sizes]
                if not empty:
                    raise QuotaError(TOO_MANY)
                del self._uploads[empty[0]]
            name = secrets.token_urlsafe(32)
            self._uploads[name] = Upload(_folder() / name, browser)
            return name

    def find(self, name: str, browser: str) -> Upload | None:
        """Return an upload of this browser; None if there is none of that name."""
        with self._lock:
            upload = self._uploads.get(name)
        return upload if upload and upload.browser == browser else None

    def write(self, upload: Upload, path: str, at: int, data: bytes) -> int:
        """Append a piece to a file; returns the bytes that have arrived of the file.

        Raises:
            OutOfStepError: the file does not end there. SourceError: the path is not one of a picture, a zip or a CSV,
                there is too much, or it cannot be written.
        """
        clean = _clean(path)
        with upload.lock:
            size = upload.sizes.get(clean, 0)
            if upload.is_complete:
                raise SourceError("This upload is complete: begin another one.")
            if at != size:
                raise OutOfStepError(size)
            if clean not in upload.sizes and len(upload.sizes) >= MOST_FILES:
                raise SourceError(f"More than {MOST_FILES:,} files cannot be uploaded: give the path of a folder.")
            if upload.total + len(data) > MOST_BYTES:
                raise SourceError("This is too large to be uploaded: give the path of a folder or a zip.")
            _append(upload.folder, clean, at, data)
            upload.sizes[clean] = size + len(data)
            upload.total += len(data)
            upload.touched = time.monotonic()
            return upload.sizes[clean]

    def empty(self, upload: Upload) -> None:
        """Delete what has arrived of an upload, which then begins anew; never fails."""
        with upload.lock:
            shutil.rmtree(upload.folder, ignore_errors=True)
            upload.sizes.clear()
            upload.total, upload.is_complete, upload.touched = 0, False, time.monotonic()

    def complete(self, upload: Upload) -> None:
        """Note that all of an upload has arrived."""
        upload.is_complete, upload.touched = True, time.monotonic()

    def take(self, name: str, browser: str, gallery: str, *, as_sent: bool = False) -> Path:
        """Move what has arrived to the uploads of a gallery; returns its place there.

        Args:
            as_sent: whether a folder that all pictures are in stays one; see `keep_arrived`.

        Raises:
            SourceError: it is not complete, or is not one zip or CSV, or pictures.
        """
        upload = self.find(name, browser)
        if upload is None or not upload.is_complete:
            raise SourceError("The upload has not arrived: wait for it, or choose the files again.")
        with upload.lock:
            kept = keep_arrived(gallery, upload.folder, as_sent=as_sent)
        self.drop(name)
        return kept

    def drop(self, name: str) -> None:
        """Delete an upload; never fails."""
        with self._lock:
            upload = self._uploads.pop(name, None)
        if upload:
            with upload.lock:
                upload.is_complete = True  # a piece that is on its way would make the folder anew
                shutil.rmtree(upload.folder, ignore_errors=True)

    def expire(self) -> None:
        """Delete uploads that have stopped, those of earlier processes too; never fails."""
        now = time.monotonic()
        with self._lock:
            gone = [name for name, upload in self._uploads.items() if now - upload.touched > IDLE]
            known = set(self._uploads)
        for name in gone:
            logger.info("An upload that had stopped was deleted")
            self.drop(name)
        with suppress(OSError):
            for folder in list(_folder().iterdir()):
                if folder.name not in known and time.time() - folder.stat().st_mtime > 24 * IDLE:
                    shutil.rmtree(folder, ignore_errors=True)


@singleton
def shared_incoming() -> Incoming:
    """Return the uploads of this process."""
    return Incoming()


def _folder() -> Path:
    return home() / "uploads" / ".incoming"


def _clean(path: str) -> str:
    """Return a path within a folder; raises SourceError if it is not one, or of a kind that is not read."""
    parts = path.split("/")
    is_path = len(parts) <= DEEPEST and all(
        part not in ("", ".", "..") and part.isprintable() and len(part.encode(errors="replace")) <= LONGEST_NAME
        for part in parts
    )
    if not is_path or "\\" in path:
        raise SourceError("The name of a file cannot be used: rename it.")
    if Path(parts[-1]).suffix.lower() not in KINDS:
        raise SourceError(f"{parts[-1]} is neither a picture nor a zip or a CSV.")
    return path


def _append(folder: Path, path: str, at: int, data: bytes) -> None:
    target = folder / path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(folder).free - len(data) < RESERVE:
            raise SourceError(FULL)
        # A file object writes all, or fails: a disk that fills up takes a part of what `os.write` is given.
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | CAREFULLY, 0o600), "wb") as file:
            file.seek(at)
            file.write(data)
            file.truncate()  # of a piece that was cut off, nothing is left behind
    except OSError as error:
        raise SourceError(f"The upload could not be stored ({error.strerror or error}).") from error
