"""Reading and writing the program's own files: only regular files, JSON within bounds, and atomic writes."""

import errno
import json
import math
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO

# Suffix of the file beside another that will replace it, and on Windows of the file that its writer locks.
UNFINISHED_SUFFIX = ".new"
WRITER_SUFFIX = f"{UNFINISHED_SUFFIX}.lock"

# Windows opens no folders, and neither renames nor deletes a file that is open or mapped.
IS_WINDOWS = os.name == "nt"
JUNCTION = 0xA0000003  # IO_REPARSE_TAG_MOUNT_POINT
# Seconds to wait there until nobody reads the file that is to be replaced.
PATIENCE = 10.0

# These flags do not exist on Windows, nor do the special files that they guard against.
CAREFULLY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def read_own(path: Path, limit: int) -> bytes:
    """Read one of our files; raises OSError if it is not a regular file, or larger than `limit` bytes."""
    with open_own(path) as file:
        if os.fstat(file.fileno()).st_size > limit:
            raise OSError(errno.EFBIG, f"it is larger than {limit:,} bytes", str(path))
        return file.read(limit)


def open_own(path: Path) -> BufferedReader:
    """Open one of our files for reading; raises OSError if it is missing, a link or a pipe."""
    file = open(os.open(path, os.O_RDONLY | CAREFULLY), "rb")  # noqa: PTH123, SIM115 - wraps an open descriptor
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    return file


def is_link(status: os.stat_result) -> bool:
    """Whether the status of a path, as of `Path.lstat`, is that of a link, or of a junction, the link of Windows."""
    return stat.S_ISLNK(status.st_mode) or getattr(status, "st_reparse_tag", 0) == JUNCTION


def drop_foreign(path: Path) -> None:
    """Remove a link or a pipe in the place of one of our files, but not the target of the link."""
    with suppress(FileNotFoundError, NotADirectoryError):
        mode = path.lstat().st_mode  # read once, since the file may be replaced a moment later
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            path.unlink()


def confirm(path: Path) -> None:
    """Sync a file or a folder to disk; folders are left to Windows, which opens none."""
    if IS_WINDOWS and path.is_dir():
        return
    # Windows syncs only what is open for writing.
    descriptor = os.open(path, os.O_RDWR | CAREFULLY if IS_WINDOWS else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def lock(descriptor: int, *, shared: bool = False, wait: bool = True) -> bool:
    """Lock an open file or folder; the operating system unlocks it when it is closed or the process ends.

    Args:
        shared: let others share the lock, and keep out those who do not.
        wait: for the others; on Windows at most ten seconds for a lock that is not shared.

    Returns:
        Whether it was locked; on a file system without locks always True.
    """
    import portalocker  # here, since it takes longer than all other imports of a start

    flags = portalocker.LOCK_SH if shared else portalocker.LOCK_EX
    try:
        portalocker.lock(descriptor, flags if wait else flags | portalocker.LOCK_NB)
    except portalocker.AlreadyLocked:
        return False
    except portalocker.LockException:
        return True
    return True


def write_atomically(path: Path, data: bytes | str | Callable[[BinaryIO], object], *, durable: bool = False) -> None:
    """Write a file so that its path has the old content or the new one, and never a part of it.

    The content is written to `unfinished(path)`, which then replaces the file. If writing fails, that file is deleted;
    if a killed process left it, the next writer overwrites it. Writers of the same path take turns.

    Args:
        path: a path in an existing folder.
        data: the content, text as UTF-8, or a function that writes it to the open file.
        durable: sync the file and its folder to disk.

    Raises:
        OSError: it cannot be written; once it has replaced the old file, only syncing the folder can fail.
    """
    new = unfinished(path)
    with _sole_writer_on_windows(new) if IS_WINDOWS else _sole_writer(new) as file:
        _fill(file, data)
        if durable:
            os.fsync(file.fileno())
        if IS_WINDOWS:
            file.close()
            _replace_when_unread(new, path)
        else:
            new.replace(path)
    if durable:
        confirm(path.parent)


def unfinished(path: Path) -> Path:
    """Return the path beside a file where its next content is written."""
    return path.with_name(f"{path.name}{UNFINISHED_SUFFIX}")


def _fill(file: BinaryIO, data: bytes | str | Callable[[BinaryIO], object]) -> None:
    if callable(data):
        data(file)
    else:
        file.write(data.encode() if isinstance(data, str) else data)
    file.flush()


@contextmanager
def _sole_writer(new: Path) -> Iterator[BinaryIO]:
    """Open an empty file, locked against other writers; it is removed if the block fails, or opening is interrupted."""
    try:
        with _open_locked(new) as file:
            file.truncate()
            yield file
    except BaseException:
        with suppress(OSError):
            _remove_unlocked(new)
        raise


def _open_locked(new: Path) -> BinaryIO:
    """Open a file and wait for its lock; the operating system unlocks it when it is closed or the process ends."""
    while True:
        drop_foreign(new)
        file = open(os.open(new, os.O_WRONLY | os.O_CREAT | CAREFULLY, 0o666), "wb")  # noqa: PTH123, SIM115
        try:
            lock(file.fileno())
            if _is_at(file, new):
                return file
        except BaseException:
            file.close()
            raise
        file.close()  # its previous writer has moved or removed it


def _remove_unlocked(new: Path) -> None:
    """Remove a file unless another writer has it by now; raises OSError if it is missing."""
    with open(os.open(new, os.O_WRONLY | CAREFULLY), "wb") as file:  # noqa: PTH123 - wraps an open descriptor
        if lock(file.fileno(), wait=False) and _is_at(file, new):
            new.unlink()


def _is_at(file: BinaryIO, path: Path) -> bool:
    """Whether an open file is still the one at a path."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.lstat())
    except FileNotFoundError:
        return False


@contextmanager
def _sole_writer_on_windows(new: Path) -> Iterator[BinaryIO]:
    """Do what `_sole_writer` does, but lock a file of its own, since `new` has to be closed before it is renamed."""
    import filelock

    # It is deleted when it is unlocked; the next writer deletes one that a killed process has left.
    with filelock.FileLock(new.with_name(new.name.removesuffix(UNFINISHED_SUFFIX) + WRITER_SUFFIX)):
        drop_foreign(new)
        with ExitStack() as opened:
            try:
                descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | CAREFULLY, 0o666)
                yield opened.enter_context(open(descriptor, "wb"))  # noqa: PTH123 - wraps an open descriptor
            except BaseException:
                with suppress(OSError):
                    opened.close()
                with suppress(OSError):
                    new.unlink(missing_ok=True)
                raise


def _replace_when_unread(new: Path, path: Path) -> None:
    """Put a closed file in the place of another once nobody has that open; raises PermissionError after a while."""
    from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_random

    again = retry(
        retry=retry_if_exception_type(PermissionError),
        stop=stop_after_delay(PATIENCE),
        wait=wait_random(0, 0.02),
        reraise=True,
    )
    again(new.replace)(path)


# JSON of up to SMALL bytes is always parsed. Larger JSON may have one bracket per PER_BRACKET bytes and one comma per
# PER_COMMA bytes: ours has fewer, and each value takes up to seventy times as much memory as space in the file.
SMALL, PER_BRACKET, PER_COMMA = 1 << 20, 24, 8


def read_json(path: Path, limit: int) -> Any:
    """Read a JSON file of up to `limit` bytes; raises OSError, or ValueError if it is not JSON as we write it."""
    return parse_json(read_own(path, limit))


def parse_json(data: bytes | str) -> Any:
    """Parse JSON; raises ValueError if it is malformed, nested too deep, or has more values than ours."""
    raw = data.encode(errors="replace") if isinstance(data, str) else data
    if len(raw) > SMALL:
        brackets, commas = raw.count(b"[") + raw.count(b"{"), raw.count(b",")
        if PER_BRACKET * brackets > len(raw) or PER_COMMA * commas > len(raw):
            raise ValueError("it has too many values for its size")
    try:
        return json.loads(data, parse_constant=_refuse, parse_float=_finite)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def _refuse(constant: str) -> float:
    raise ValueError(f"it contains {constant}, which is not a number")


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(f"it contains {text[:20]}, which is too large")
    return number
