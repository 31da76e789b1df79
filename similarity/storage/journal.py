"""The embeddings of an interrupted run, from which the next run goes on, whatever ended the first.

    photos/unfinished/4f0c….sqlite     a line for each picture; the name stands for the network that embedded it

SQLite keeps each transaction whole when the process is killed. Against anything else that may happen to the file, every
line has a checksum of its own, which is looked at whenever the line is read: one that fails it was never written.
"""

import hashlib
import json
import logging
import sqlite3
import struct
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from similarity.errors import GalleryError
from similarity.paths import UNFINISHED
from similarity.storage.removal import has_unfinished, journals, remove_entry, remove_journal, take_away
from similarity.vectors.arrays import Vectors

FOLDER = UNFINISHED
# No index, which could lead to other lines than the table's: lines are found by the row in which they were read.
TABLE = "CREATE TABLE finished (sha256 TEXT, width INT, height INT, vector BLOB, source TEXT, sum INT)"
CREATE = TABLE.replace("TABLE", "TABLE IF NOT EXISTS")
# No value is longer, in bytes: an embedding has some thousand numbers.
LONGEST = 1 << 20
SELECT = "SELECT rowid, sha256, width, height, vector, source, sum FROM finished"
INSERT = "INSERT INTO finished VALUES (?, ?, ?, ?, ?, ?)"
# How many lines are asked for at once; SQLite takes no more than 999 values in old versions.
BLOCK = 500
# What nobody goes on with for so long is dropped, in seconds.
KEPT_FOR = 30 * 24 * 3600.0
# Of SQLite's errors, those that do not mean that the file is damaged.
OUTER_ERRORS = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
}

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Finished:
    """A picture that was embedded: its size in pixels, as seen upright, and its line in the file."""

    width: int
    height: int
    row: int


class Journal:
    """The embeddings of a run that has not ended. One thread at a time.

    Attributes:
        finished: what was found when it was opened and has been added since, by the SHA-256 of the picture's file.
    """

    def __init__(self, directory: Path, identity: Any, dim: int, source: str) -> None:
        """Open or begin it.

        Args:
            directory: the gallery's.
            identity: all that embeddings depend on beside the picture, in JSON's own types.
            dim: length of an embedding.
            source: what is being embedded.

        Raises:
            OSError, sqlite3.Error: it cannot be written.
        """
        key = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]
        self._path = directory / FOLDER / f"{key}.sqlite"
        self._path.parent.mkdir(exist_ok=True)
        self._dim = dim
        self._source = source
        self.finished: dict[str, Finished] = {}
        try:
            self._open()
        except (sqlite3.DatabaseError, ValueError, TypeError) as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in OUTER_ERRORS:
                raise
            logger.warning("%s is damaged, and what it held is embedded again: %s", self._path, error)
            self._file.close()
            remove_journal(self._path)
            self._open()

    def _open(self) -> None:
        self._file = _connect(self._path)
        _check(self._file)
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute("PRAGMA synchronous = NORMAL")
        self._file.execute(CREATE)
        lines = filter(self._is_sound, self._file.execute(SELECT))
        self.finished = {line[1]: Finished(line[2], line[3], line[0]) for line in lines}

    def add(self, sha256: str, size: tuple[int, int], vector: Vectors) -> None:
        """Keep an embedding, float32 (dim,); from now on a killed process does not lose it.

        Args:
            size: width and height of the picture, in pixels.
        """
        line = (sha256, *size, np.ascontiguousarray(vector, "<f4").tobytes(), self._source)
        row = self._file.execute(INSERT, (*line, _checksum(line))).lastrowid
        self.finished[sha256] = Finished(*size, row or 0)

    def vectors(self, contents: Sequence[str]) -> Iterator[tuple[str, Vectors]]:
        """Embeddings by their pictures' SHA-256, in any order; all must be in `finished`.

        Raises:
            GalleryError: the file was damaged since it was opened.
        """
        for start in range(0, len(contents), BLOCK):
            rows = {self.finished[sha256].row: sha256 for sha256 in contents[start : start + BLOCK]}
            places = ", ".join("?" * len(rows))
            for line in self._file.execute(f"{SELECT} WHERE rowid IN ({places})", list(rows)):
                if self._is_sound(line) and rows.pop(line[0], None) == line[1]:
                    yield line[1], np.frombuffer(line[4], "<f4")
            if rows:
                raise GalleryError(f"{self._path} was damaged while it was in use: run the same command again.")

    def close(self) -> None:
        """Leave it as it is, to go on with later; one that nothing is in is taken away."""
        self._file.close()
        if not self.finished:
            remove_journal(self._path)

    def _is_sound(self, line: tuple[Any, ...]) -> bool:
        _, *content, checksum = line
        try:
            return len(content[3]) == 4 * self._dim and checksum == _checksum(tuple(content))
        except (TypeError, AttributeError, ValueError, struct.error):  # values of other types
            return False


def settle(directory: Path, source: str | None) -> None:
    """Forget what was embedded for a source, whose run has ended; None forgets everything.

    It never fails: what stays is known anyway, and is forgotten the next time.
    """
    for path in journals(directory):
        with suppress(OSError):
            if source is None or time.time() - path.stat().st_mtime > KEPT_FOR or not _forget(path, source):
                remove_journal(path)
    if not has_unfinished(directory):  # what SQLite has left beside journals that are gone
        with suppress(OSError):
            remove_entry(directory / FOLDER)


def _forget(path: Path, source: str) -> bool:
    """Take a source's lines out of a journal; whether it has others."""
    try:
        with closing(_connect(path)) as file:
            _check(file)
            if not file.execute("SELECT 1 FROM finished WHERE source <> ? LIMIT 1", (source,)).fetchone():
                return False
            file.execute("DELETE FROM finished WHERE source = ?", (source,))
            return True
    except (sqlite3.Error, ValueError):
        return False


def _connect(path: Path) -> sqlite3.Connection:
    # SQLite's own journal beside it, which it does not need in its mode here, could make it delete a file anywhere.
    take_away(path.with_name(f"{path.name}-journal"))
    file = sqlite3.connect(path, isolation_level=None)
    file.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST)
    file.text_factory = lambda data: data.decode(errors="replace")
    return file


def _check(file: sqlite3.Connection) -> None:
    """Raise sqlite3.DatabaseError if there is anything but our table: a view could make SQLite compute for ever."""
    file.execute("PRAGMA trusted_schema = OFF")
    told = file.execute("SELECT type, name, sql FROM sqlite_master LIMIT 2").fetchall()
    if told and told != [("table", "finished", TABLE)]:
        raise sqlite3.DatabaseError("it is not a journal")


def _checksum(line: tuple[Any, ...]) -> int:
    sha256, width, height, data, source = line
    text = f"{sha256} {source}".encode(errors="replace")
    return zlib.crc32(data, zlib.crc32(struct.pack("<ii", width, height), zlib.crc32(text)))
