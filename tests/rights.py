"""The rights of an ordinary user on Linux for a block of a test, also where tests run as root."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# <linux/capability.h>: which files root may open, whatever their mode says.
VERSION, DAC_OVERRIDE, DAC_READ_SEARCH = 0x20080522, 1, 2
Header, Data = ctypes.c_uint32 * 2, ctypes.c_uint32 * 6


@contextmanager
def without(path: Path, mode: int = 0) -> Iterator[None]:
    """Take the rights to a file or folder away until the block ends, from root too."""
    before = path.stat().st_mode
    path.chmod(mode)
    try:
        with ordinary_user():
            yield
    finally:
        path.chmod(before)


@contextmanager
def ordinary_user() -> Iterator[None]:
    """Have this thread, and what it starts, obey the modes of files."""
    if os.geteuid() != 0:
        yield
        return
    libc, header, before, less = ctypes.CDLL(None, use_errno=True), Header(VERSION, 0), Data(), Data()
    assert libc.capget(header, before) == 0
    less[:] = before[:]
    less[0] &= ~(1 << DAC_OVERRIDE | 1 << DAC_READ_SEARCH)  # the effective ones
    assert libc.capset(header, less) == 0
    try:
        yield
    finally:
        assert libc.capset(header, before) == 0
