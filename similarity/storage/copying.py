"""Files copied out of a folder that belongs to somebody else, who may be changing it at that moment.

Nothing is looked at twice: what is opened is a regular file that no link leads to, and what is hashed is the copy.
"""

import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from similarity.files import CAREFULLY

BLOCK = 1 << 20


def open_within(folder: Path, name: str) -> BinaryIO:
    """A file in a folder, opened to be read.

    Args:
        folder: as somebody here named it, so links may lead to it.
        name: from there on, with slashes; nothing on the way may be a link.

    Raises:
        OSError: it is not there, or is a link, a pipe or the like, or in a folder that is a link.
    """
    *folders, last = PurePosixPath(name).parts
    inner = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in folders:
            outer, inner = inner, os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=inner)
            os.close(outer)
        file = open(os.open(last, os.O_RDONLY | CAREFULLY, dir_fd=inner), "rb")  # noqa: PTH123, SIM115 - of what is open
    finally:
        os.close(inner)
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(f"{name} is not a regular file")
    return file


def read_within(folder: Path, name: str, most: int) -> bytes:
    """The bytes of a file in a folder; raises OSError as `open_within`, or if there are more than so many."""
    with open_within(folder, name) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(f"{name} is larger than {most:,} bytes")
    return data


def copy(file: BinaryIO, target: Path, size: int, advance: Callable[[int], object]) -> str:
    """Copy a file that is open, and have the disk confirm the copy; returns its SHA-256 in hex.

    Args:
        target: which is not there yet.
        size: that the file must have, in bytes.
        advance: called with how many bytes have been copied since the last time.

    Raises:
        ValueError: it has another size. OSError: it cannot be read, or the copy cannot be written.
    """
    digest, left = hashlib.sha256(), size
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as copied:
        while block := file.read(min(BLOCK, left + 1)):
            left -= len(block)
            if left < 0:
                break
            digest.update(block)
            copied.write(block)
            advance(len(block))
        copied.flush()
        os.fsync(copied.fileno())
    if left:
        raise ValueError(f"it has not {size:,} bytes")
    return digest.hexdigest()
