"""What an interrupted run had embedded, so that the next one goes on from there, whatever ended it.

    photos/unfinished/4f0c….sqlite     a line for each picture; the name stands for the network that embedded it

SQLite keeps each transaction whole when the process is killed. Against anything else that may happen to the file, every
line has a checksum of its own: one that fails it counts as never written.
"""

import hashlib
import json
import logging
import shutil
import sqlite3
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from similarity.vectors import Vectors

FOLDER = "unfinished"
TABLE = (
    "CREATE TABLE IF NOT EXISTS finished (sha256 TEXT PRIMARY KEY, width INT, height INT, vector BLOB, checksum INT)"
)
# How many pictures are asked for at once; SQLite takes no more than 999 values in old versions.
BLOCK = 500

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Finished:
    """A picture that was embedded: its size in pixels, as seen upright."""

    width: int
    height: int


class Journal:
    """The embeddings of a run that has not ended. One thread at a time.

    Attributes:
        finished: what was found when it was opened and has been added since, by the SHA-256 of the picture's file.
    """

    def __init__(self, directory: Path, identity: Any, dim: int) -> None:
        """Open or begin it.

        Args:
            directory: the gallery's.
            identity: all that embeddings depend on beside the picture, in JSON's own types.
            dim: length of an embedding.

        Raises:
            OSError, sqlite3.Error: it cannot be written.
        """
        key = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]
        path = directory / FOLDER / f"{key}.sqlite"
        path.parent.mkdir(exist_ok=True)
        self._path = path
        self._dim = dim
        try:
            self._open(path)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            logger.warning("%s is damaged, and what it held is embedded again: %s", path, error)
            for leftover in path.parent.glob(f"{path.name}*"):
                leftover.unlink()
            self._open(path)

    def _open(self, path: Path) -> None:
        self._file = sqlite3.connect(path, isolation_level=None)
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute("PRAGMA synchronous = NORMAL")
        self._file.execute(TABLE)
        lines = self._file.execute("SELECT * FROM finished")
        self.finished = {line[0]: Finished(line[1], line[2]) for line in lines if self._is_sound(line)}

    def add(self, sha256: str, size: Finished, vector: Vectors) -> None:
        """Keep an embedding, float32 (dim,); from now on a killed process does not lose it."""
        data = np.ascontiguousarray(vector, "<f4").tobytes()
        line = (sha256, size.width, size.height, data)
        self._file.execute("INSERT OR REPLACE INTO finished VALUES (?, ?, ?, ?, ?)", (*line, _checksum(line)))
        self.finished[sha256] = size

    def vectors(self, contents: Sequence[str]) -> Iterator[tuple[str, Vectors]]:
        """Embeddings by their pictures' SHA-256, in any order; all must be in `finished`."""
        for start in range(0, len(contents), BLOCK):
            block = contents[start : start + BLOCK]
            places = ", ".join("?" * len(block))
            for line in self._file.execute(f"SELECT * FROM finished WHERE sha256 IN ({places})", block):
                yield line[0], np.frombuffer(line[3], "<f4")

    def close(self) -> None:
        """Leave it as it is, to go on with later; one that nothing is in is taken away."""
        self._file.close()
        if not self.finished:
            self._path.unlink(missing_ok=True)

    def _is_sound(self, line: tuple[Any, ...]) -> bool:
        return len(line) == 5 and len(line[3]) == 4 * self._dim and line[4] == _checksum(line[:4])


def has_unfinished(directory: Path) -> bool:
    """Whether an interrupted run has left anything to go on with."""
    return any((directory / FOLDER).glob("*.sqlite"))


def drop_unfinished(directory: Path) -> None:
    """Forget interrupted runs. The folder is first given another name, so that no half of it can be taken for one."""
    gone = directory / f"{FOLDER}.old"
    shutil.rmtree(gone, ignore_errors=True)
    with suppress(OSError):  # what stays is known anyway, and dropped the next time
        (directory / FOLDER).rename(gone)
    shutil.rmtree(gone, ignore_errors=True)


def _checksum(line: tuple[Any, ...]) -> int:
    sha256, width, height, data = line
    return zlib.crc32(data, zlib.crc32(struct.pack("<ii", width, height), zlib.crc32(sha256.encode())))
