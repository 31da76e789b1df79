"""Copying files out of a foreign folder, which may be changed at the same time.

Each file is opened once, without following links, and must be a regular file; the hash is that of the copied bytes.
"""

import hashlib
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from similarity.files import CAREFULLY, is_link, open_own

BLOCK = 1 << 20


def open_within(folder: Path, name: str) -> BinaryIO:
    """Open a file in a folder for reading.

    Args:
        folder: a path that our own user gave, so it may contain links.
        name: the path within the folder, with slashes; no part of it may be a link.

    Raises:
        OSError: the file does not exist, is a link, a pipe or the like, or is in a folder that is a link.
    """
    *folders, last = PurePosixPath(name).parts
    if os.open not in os.supports_dir_fd:
        return _open_unlinked(folder, folders, last)
    inner = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in folders:
            outer, inner = inner, os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=inner)
            os.close(outer)
        file = open(os.open(last, os.O_RDONLY | CAREFULLY, dir_fd=inner), "rb")  # noqa: PTH123, SIM115 - it is open already
    finally:
        os.close(inner)
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(f"{name} is not a regular file")
    return file


def _open_unlinked(folder: Path, folders: Sequence[str], last: str) -> BinaryIO:
    """Open a file on Windows, where a folder could become a link after it was looked at; raises OSError."""
    for part in folders:
        folder = folder / part
        if is_link(folder.lstat()):
            raise OSError(f"{folder} is a link")
    if is_link((folder / last).lstat()):
        raise OSError(f"{folder / last} is a link")
    return open_own(folder / last)


def read_within(folder: Path, name: str, limit: int) -> bytes:
    """Read a file in a folder; raises OSError as `open_within`, or if it has more than `limit` bytes."""
    with open_within(folder, name) as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise OSError(f"{name} is larger than {limit:,} bytes")
    return data


def copy(file: BinaryIO, target: Path, size: int, advance: Callable[[int], object]) -> str:
    """Copy an open file, and sync the copy to disk; returns its SHA-256 in hex.

    Args:
        target: a path that does not exist yet.
        size: expected size of the file in bytes.
        advance: called with the number of bytes copied since the last call.

    Raises:
        ValueError: the file has another size. OSError: it cannot be read, or the copy cannot be written.
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
        raise ValueError(f"its size is not {size:,} bytes")
    return digest.hexdigest()
