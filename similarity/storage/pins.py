"""Readers' holds on a generation, so that no writer takes it away under them.

A hold is a shared lock on the generation's folder. The operating system lets go of it when the process ends, however it
ends, so a hold can never be left behind.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Pin:
    """A hold on a folder, from now until this object is gone; raises OSError where there is no such folder."""

    def __init__(self, folder: Path) -> None:
        self._descriptor = -1
        self._descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        _lock(self._descriptor, fcntl.LOCK_SH)

    def __del__(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)


@contextmanager
def unless_pinned(folder: Path) -> Iterator[bool]:
    """Whether nobody holds a folder; if so, nobody can until the block ends."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield _lock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, how: int) -> bool:
    """Whether nobody else is in the way; on a file system that has no locks nobody ever is."""
    try:
        fcntl.flock(descriptor, how)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
