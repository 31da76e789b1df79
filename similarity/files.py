"""Reading and writing the program's own files: only regular files, JSON within bounds, and atomic writes."""

import errno
import fcntl
import json
import math
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO

# Beside a file that is being replaced lies what it is replaced with.
UNFINISHED_SUFFIX = ".new"

# Windows has no such files to be careful with.
CAREFULLY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def read_own(path: Path, most: int) -> bytes:
    """Read a file of ours; raises OSError if it is not a regular file, or larger than `most` bytes."""
    with open_own(path) as file:
        if os.fstat(file.fileno()).st_size > most:
            raise OSError(errno.EFBIG, f"it is larger than {most:,} bytes", str(path))
        return file.read(most)


def open_own(path: Path) -> BufferedReader:
    """Open a file of ours to read it; raises OSError if it is missing, a link or a pipe."""
    file = open(os.open(path, os.O_RDONLY | CAREFULLY), "rb")  # noqa: PTH123, SIM115 - of what is open already
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    return file


def drop_foreign(path: Path) -> None:
    """Remove a link or a pipe that stands in the place of a file of ours, but not the target of the link."""
    with suppress(FileNotFoundError, NotADirectoryError):
        mode = path.lstat().st_mode  # once: what lies there may be another file a moment later
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            path.unlink()


def confirm(path: Path) -> None:
    """Wait until the disk has confirmed a file or a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomically(path: Path, data: bytes | str | Callable[[BinaryIO], object], *, durable: bool = False) -> None:
    """Write a file so that its path has the old content or the new one, and never a part of it.

    The content is written to `unfinished(path)`, which then takes the file's place. If writing fails, nothing of it
    stays; what a killed process has left there is written over by the next one. Writers of the same path take turns.

    Args:
        path: in a folder that exists.
        data: the content, text as UTF-8, or a function that writes it to the open file.
        durable: wait until the disk has confirmed the file and its folder.

    Raises:
        OSError: it cannot be written; once it has replaced the old file, only the confirmation of the folder can fail.
    """
    new = unfinished(path)
    with _sole_writer(new) as file:
        _fill(file, data)
        if durable:
            os.fsync(file.fileno())
        new.replace(path)
    if durable:
        confirm(path.parent)


def unfinished(path: Path) -> Path:
    """The file beside another that holds its next content while this is written."""
    return path.with_name(f"{path.name}{UNFINISHED_SUFFIX}")


def _fill(file: BinaryIO, data: bytes | str | Callable[[BinaryIO], object]) -> None:
    if callable(data):
        data(file)
    else:
        file.write(data.encode() if isinstance(data, str) else data)
    file.flush()


@contextmanager
def _sole_writer(new: Path) -> Iterator[BinaryIO]:
    """An empty file that nobody else writes to until the block ends; it is removed if the block fails."""
    with _locked(new) as file:
        try:
            file.truncate()
            yield file
        except BaseException:
            with suppress(OSError):
                new.unlink(missing_ok=True)
            raise


def _locked(new: Path) -> BinaryIO:
    """Open a file and wait for its lock; the operating system unlocks it when it is closed or the process ends."""
    while True:
        drop_foreign(new)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | CAREFULLY, 0o666)
        file = open(descriptor, "wb")  # noqa: PTH123, SIM115 - of what is open already
        with suppress(OSError):  # some file systems have no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), new.lstat()):
                return file
        file.close()  # whoever held the lock has moved it to its place, or removed it


# JSON of up to SMALL bytes is parsed whatever it holds. Larger JSON may have one bracket in every PER_BRACKET bytes and
# one comma in every PER_COMMA: ours has fewer, and each takes up to seventy times the memory that it takes in the file.
SMALL, PER_BRACKET, PER_COMMA = 1 << 20, 24, 8


def read_json(path: Path, most: int) -> Any:
    """Read a JSON file of up to `most` bytes; raises OSError, or ValueError if it is not JSON as we write it."""
    return parse_json(read_own(path, most))


def parse_json(data: bytes | str) -> Any:
    """Parse JSON; raises ValueError if it is malformed, nested too deep, or has more parts than ours."""
    raw = data.encode(errors="replace") if isinstance(data, str) else data
    if len(raw) > SMALL:
        brackets, commas = raw.count(b"[") + raw.count(b"{"), raw.count(b",")
        if PER_BRACKET * brackets > len(raw) or PER_COMMA * commas > len(raw):
            raise ValueError("it has more parts than ours have")
    try:
        return json.loads(data, parse_constant=_refuse, parse_float=_finite)
    except RecursionError as error:
        raise ValueError("its parts lie too deep in each other") from error


def _refuse(constant: str) -> float:
    raise ValueError(f"it holds {constant}, which is no number")


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(f"it holds {text[:20]}, which is too large")
    return number
