"""TODO."""

import errno
import json
import math
import os
import stat
from io import BufferedReader
from pathlib import Path
from typing import Any

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


# Up to so many bytes it may hold whatever it likes. Of more, every so many bytes there may be a bracket or a comma: in
# ours there is less, and each takes up to seventy times the memory that it takes in the file.
SMALL, PER_BRACKET, PER_COMMA = 1 << 20, 24, 8


def read_json(path: Path, most: int) -> Any:
    """What a file of up to `most` bytes holds; raises OSError, or ValueError if it is no JSON, or none of ours."""
    return parse_json(read_own(path, most))


def parse_json(data: bytes | str) -> Any:
    """What is in some JSON; raises ValueError if it is none, or none of ours."""
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
