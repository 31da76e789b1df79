"""The journal: embeddings of an interrupted run, with which the next run continues.

    photos/unfinished/4f0c….sqlite     a row for each picture; the name identifies the network that embedded it

SQLite keeps transactions atomic when the process is killed. Against other damage to the file, each row has its own
checksum, which is verified whenever the row is read; rows that fail are ignored.
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
from similarity.storage.removal import has_unfinished, journals, remove_entry, remove_file, remove_journal
from similarity.vectors.arrays import Vectors

FOLDER = UNFINISHED
# Without an index, since a damaged one could lead to other rows: rows are found by the rowid that was read.
TABLE = "CREATE TABLE finished (sha256 TEXT, width INT, height INT, vector BLOB, source TEXT, sum INT)"
CREATE = TABLE.replace("TABLE", "TABLE IF NOT EXISTS")
# Maximum bytes of a value: an embedding has some thousand numbers.
MAX_VALUE = 1 << 20
SELECT = "SELECT rowid, sha256, width, height, vector, source, sum FROM finished"
INSERT = "INSERT INTO finished VALUES (?, ?, ?, ?, ?, ?)"
# Rows that are read by one query; older versions of SQLite accept at most 999 parameters.
BLOCK = 500
# Seconds after which an unused journal is deleted.
MAX_AGE = 30 * 24 * 3600.0
# Errors of SQLite that do not mean that the file is damaged.
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
    """A picture that was embedded: its size in pixels, as seen upright, and its row in the file."""

    width: int
    height: int
    row: int


class Journal:
    """The embeddings of a run that has not ended. One thread at a time.

    Attributes:
        finished: all pictures in the journal, by the SHA-256 of the picture's file.
    """

    def __init__(self, directory: Path, identity: Any, dim: int, source: str) -> None:
        """Open the journal, or create it.

        Args:
            directory: the gallery's folder.
            identity: all values that embeddings depend on, beside the picture, as JSON.
            dim: length of an embedding.
            source: name of the source whose pictures are embedded.

        Raises:
            OSError, sqlite3.Error: the file cannot be written.
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
            logger.warning("%s is damaged, and its pictures are embedded again: %s", self._path, error)
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
        """Store an embedding, float32 (dim,), so that it survives if the process is killed.

        Args:
            size: width and height of the picture, in pixels.
        """
        line = (sha256, *size, np.ascontiguousarray(vector, "<f4").tobytes(), self._source)
        row = self._file.execute(INSERT, (*line, _checksum(line))).lastrowid
        self.finished[sha256] = Finished(*size, row or 0)

    def vectors(self, contents: Sequence[str]) -> Iterator[tuple[str, Vectors]]:
        """Yield SHA-256 and embedding of pictures, in any order; all must be in `finished`.

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
        """Close the file; an empty one is deleted."""
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
    """Delete the embeddings of a source whose run has ended, or all of them if `source` is None.

    It never fails: rows that remain do no harm, and are deleted the next time.
    """
    for path in journals(directory):
        with suppress(OSError):
            if source is None or time.time() - path.stat().st_mtime > MAX_AGE or not _forget(path, source):
                remove_journal(path)
    if not has_unfinished(directory):  # deletes files that SQLite left beside deleted journals
        with suppress(OSError):
            remove_entry(directory / FOLDER)


def _forget(path: Path, source: str) -> bool:
    """Delete a source's rows from a journal; returns whether it has others."""
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
    # A file that looks like SQLite's own journal, which this mode does not need, could make it delete any file.
    remove_file(path.with_name(f"{path.name}-journal"))
    file = sqlite3.connect(path, isolation_level=None)
    file.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE)
    file.text_factory = lambda data: data.decode(errors="replace")
    return file


def _check(file: sqlite3.Connection) -> None:
    """Raise sqlite3.DatabaseError unless only our table is there: a view could make SQLite compute for ever."""
    file.execute("PRAGMA trusted_schema = OFF")
    schema = file.execute("SELECT type, name, sql FROM sqlite_master LIMIT 2").fetchall()
    if schema and schema != [("table", "finished", TABLE)]:
        raise sqlite3.DatabaseError("it is not a journal")


def _checksum(line: tuple[Any, ...]) -> int:
    sha256, width, height, data, source = line
    text = f"{sha256} {source}".encode(errors="replace")
    return zlib.crc32(data, zlib.crc32(struct.pack("<ii", width, height), zlib.crc32(text)))
