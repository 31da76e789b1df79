"""The record of a shard in progress: which pictures are being decoded, so that one that ends its worker is found.

A decoder that crashes, or memory that the operating system takes back, ends a worker without an exception. So each
picture has a byte in a file beside its shard: a bit while it is decoded, and how often it was left in that state. What
a worker wrote outlives it, though not a power cut, which is no picture's fault; so nothing is flushed to the disk.

A last byte is for workers that die at no picture, if a model is too large, say: a cluster would start them for ever.

Several pictures are decoded at a time, and all of them are suspected at first. A chunk with suspects is decoded one
picture at a time, so that only the one that ends the worker is suspected again.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from similarity.errors import ShardError
from similarity.files import CAREFULLY
from similarity.shards.shard_file import remove
from similarity.sources import Item

SUFFIX = ".attempts"
# How often a picture may end its worker before it is given up.
TRIES = 3
GIVEN_UP = "it ended its worker three times"
# How often workers may die at no picture; computers that go away are among them.
DEATHS = 100
# The bit of a picture that is being decoded; the others count.
BUSY = 0x80


class Attempts:
    """The record of a chunk while it is embedded, a context; deleted at the end, unless it failed and has suspects.

    Attributes:
        given_up: IDs of the pictures that have ended their worker three times.
    """

    def __init__(self, shard: Path, items: Sequence[Item]) -> None:
        """Read what an earlier worker has left, if one has, and begin anew.

        Raises:
            ShardError: the record cannot be read or written, or workers died again and again at no picture.
        """
        self._path = shard.with_name(f"{shard.name}{SUFFIX}")
        self._rows = {item.id: row for row, item in enumerate(items)}
        self._writing, self._alone = threading.Lock(), threading.Lock()
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | CAREFULLY, 0o666)
            self._file = open(descriptor, "r+b", buffering=0)  # noqa: PTH123, SIM115 - wraps an open descriptor
            *counts, deaths = _after_death(self._file.read(), len(items))
            self._counts = bytes(counts)
            self._write(0, bytes([*counts, BUSY | deaths % DEATHS]))
        except OSError as error:
            raise ShardError(f"{self._path} cannot be written ({error.strerror or error}).") from error
        if deaths >= DEATHS:
            self._file.close()
            raise ShardError(
                f"{deaths} workers died while they embedded {shard.name}, at no picture in particular: they may lack "
                "memory. Run the same command again with fewer workers, or with another model."
            )
        self.given_up = frozenset(name for name, row in self._rows.items() if self._counts[row] >= TRIES)
        self._has_suspects = any(self._counts)

    def __enter__(self) -> "Attempts":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._note(len(self._counts), 0)
        self._file.close()
        if kind is None or not self._has_suspects:
            remove(self._path)

    @contextmanager
    def decoding(self, item: Item) -> Iterator[None]:
        """Note that a picture is being decoded until the block ends; one at a time if the chunk has suspects."""
        row = self._rows[item.id]
        if self._has_suspects:
            with self._alone, self._noted(row):
                yield
        else:
            with self._noted(row):
                yield

    @contextmanager
    def _noted(self, row: int) -> Iterator[None]:
        count = self._counts[row]
        self._note(row, count | BUSY)
        try:
            yield
        finally:
            self._note(row, count)

    def _note(self, row: int, value: int) -> None:
        with suppress(OSError, ValueError):  # closed, or full; the record only matters if this process dies
            self._write(row, bytes([value]))

    def _write(self, row: int, data: bytes) -> None:
        with self._writing:
            self._file.seek(row)
            self._file.write(data)


def _after_death(found: bytes, count: int) -> bytes:
    """The counts that a new worker begins with: pictures that were being decoded have ended the one before it."""
    if len(found) != count + 1:
        return bytes(count + 1)
    *pictures, worker = found
    counts = [min(TRIES, _count(byte) + _is_busy(byte)) for byte in pictures]
    return bytes([*counts, _count(worker) + (_is_busy(worker) and not any(map(_is_busy, pictures)))])


def _is_busy(byte: int) -> bool:
    return bool(byte & BUSY)


def _count(byte: int) -> int:
    return byte & ~BUSY
