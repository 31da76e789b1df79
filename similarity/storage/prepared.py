"""Files that are made once of a generation's own, to be mapped into memory: in the cache, since they can be made again.

cache/items/
  5c1e…-lines-77ab…/      named by the gallery's folder, their kind, and what they are made of; the last ones are kept
  5c1e…-lines.new/        while they are made, by whoever holds the lock
  5c1e…-lines.lock

The gallery's folder stays the master, and may be one that nobody can write. A stranger's gallery brings no such files.
"""

import errno
import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import filelock

from similarity.files import confirm, read_json
from similarity.paths import cache_folder
from similarity.storage.current import CURRENT

# Another one whenever the same gallery would get other files.
METHOD = "2"
FACTS = "facts.json"
MOST_BYTES = 200_000_000  # of the facts
# What says that files are not there, or not as they were written; any other error may pass.
ABSENT = (FileNotFoundError, ValueError, LookupError)

T = TypeVar("T")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A folder of prepared files.

    Attributes:
        directory: of the gallery.
        kind: of the files, a word.
        key: what they are made of; whenever that is another one, they are made anew.
        size: bytes that they may take; they are not made where there is less room.
    """

    directory: Path
    kind: str
    key: str
    size: int = 0

    def read_or_make(self, make: Callable[[Path], None], read: Callable[[Path], T]) -> T | None:
        """Read the files, and make them first if they are missing, damaged or of something else.

        Whoever else needs them waits meanwhile. A process that is killed leaves nothing that is ever read.

        Args:
            make: writes them into an empty folder; what it raises is raised, except OSError.
            read: opens the files in a folder; if it raises FileNotFoundError, ValueError or LookupError, they are made
                again.

        Returns:
            What was read; None if the files cannot be kept, such as on a disk that is full, or cannot be read for now.
        """
        try:
            with suppress(*ABSENT):
                return read(self._whole())
            self._folder.parent.mkdir(parents=True, exist_ok=True)
            with filelock.FileLock(self._beside("lock")):
                with suppress(*ABSENT):  # somebody else has made them
                    return read(self._whole())
                self._make(make)
                with suppress(*ABSENT):
                    return read(self._whole())
            raise OSError("they are changed after they were written")
        except OSError as error:
            logger.warning("The %s of %s are not kept in the cache: %s", self.kind, self.directory, error)
            return None

    def _make(self, make: Callable[[Path], None]) -> None:
        if shutil.disk_usage(_cache()).free < self.size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        logger.info("The %s of %s are prepared, once.", self.kind, self.directory)
        new = self._beside("new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir()
        try:
            make(new)
            # Or after a power cut, files of the right size could have other contents; and some disks stamp them now.
            for path in new.iterdir():
                confirm(path)
            facts = {"gallery": os.fspath(self.directory), "files": {path.name: _stamp(path) for path in new.iterdir()}}
            (new / FACTS).write_text(json.dumps(facts), encoding="utf-8")
            confirm(new / FACTS)
            confirm(new)
            forget_prepared(self.directory, self.kind)
            new.rename(self._folder)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
        _forget_gone(self._folder)

    def _whole(self) -> Path:
        """Return the folder; raises OSError, ValueError or LookupError if a file is not there as it was written."""
        stamps = read_json(self._folder / FACTS, MOST_BYTES)["files"]
        if any(_stamp(self._folder / name) != stamp for name, stamp in stamps.items()):
            raise ValueError(f"{self._folder.name} has changed")
        return self._folder

    @property
    def _folder(self) -> Path:
        return self._beside(None)

    def _beside(self, suffix: str | None) -> Path:
        start = f"{_digest(os.fspath(self.directory))}-{self.kind}"
        return _cache() / (f"{start}.{suffix}" if suffix else f"{start}-{_digest(METHOD + self.key)}")


def forget_prepared(directory: Path, kind: str = "") -> None:
    """Delete what was prepared for a gallery; it never fails. Who has it open can go on reading.

    Windows deletes no mapped file: there it is deleted when the next one is made, unless it is still in use.

    Args:
        kind: only this kind.
    """
    with suppress(OSError):
        for path in _cache().iterdir():
            if path.name.startswith(f"{_digest(os.fspath(directory))}-{kind}") and not path.suffix and path.is_dir():
                _remove(path)


def _forget_gone(new: Path) -> None:
    """Delete what was prepared for galleries that are not where they were, but for a new folder; it never fails."""
    with suppress(OSError):
        for path in _cache().iterdir():
            with suppress(OSError, ValueError, LookupError, TypeError):
                gallery = Path(read_json(path / FACTS, MOST_BYTES)["gallery"])
                if path != new and not path.suffix and not (gallery / CURRENT).exists():
                    _remove(path)


def _remove(folder: Path) -> None:
    """Delete a folder; what says that it is whole is deleted first."""
    with suppress(OSError):
        (folder / FACTS).unlink()
    shutil.rmtree(folder, ignore_errors=True)


def _stamp(path: Path) -> list[Any]:
    status = path.lstat()
    return [status.st_size, status.st_mtime_ns]


def _cache() -> Path:
    return cache_folder() / "items"


def _digest(name: str) -> str:
    return hashlib.sha256(os.fsencode(name)).hexdigest()[:24]
