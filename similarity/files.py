"""TODO."""

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

# Windows has no such files to be careful with.
CAREFULLY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def read_own(path: Path, most: int) -> bytes:
    """The bytes of a file of ours; raises OSError if it is none, a link, a pipe, or larger than `most` bytes."""
    with open_own(path) as file:
        if os.fstat(file.fileno()).st_size > most:
            raise OSError(errno.EFBIG, f"it is larger than {most:,} bytes", str(path))
        return file.read(most)


def open_own(path: Path) -> BufferedReader:
    """A file of ours, opened to be read; raises OSError if it is none, a link or a pipe."""
    file = open(os.open(path, os.O_RDONLY | CAREFULLY), "rb")  # noqa: PTH123, SIM115 - of what is open already
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    return file


def drop_foreign(path: Path) -> None:
    """Take away what stands in the place of a file of ours and is a link or a pipe, but not where it leads."""
    if path.is_symlink() or (path.exists() and not (path.is_file() or path.is_dir())):
        path.unlink()


def confirm(path: Path) -> None:
    """Have the disk confirm a file or a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
