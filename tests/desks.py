"""A computer without POSIX, played to our modules on Linux, and what is done with a gallery there.

`play_windows` has to come before the first import of ours. Then no module of ours can import one of POSIX, and the
`os`, `signal` and `mmap` that ours see have only what Windows has. Files and folders are as stubborn as there:
a folder cannot be opened, and what this process has open or mapped is neither renamed nor deleted. Third parties keep
what they have, since theirs are other files on Windows. What is played is what Python documents; it is not Windows.

python -m desks SCENE FOLDER
"""

import builtins
import errno
import fcntl
import importlib
import mmap
import multiprocessing
import os
import signal
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

POSIX_MODULES = {"fcntl", "grp", "posix", "pty", "pwd", "readline", "resource", "syslog", "termios", "tty"}
# Names of modules that both have, which Windows lacks (Python's documentation: "Availability: Unix").
LACKING = {
    "os": {
        "O_CLOEXEC", "O_DIRECTORY", "O_DSYNC", "O_NOFOLLOW", "O_NONBLOCK", "O_SYNC", "O_TMPFILE", "chown", "fchmod",
        "fchown", "fdatasync", "fork", "forkpty", "fstatvfs", "getegid", "geteuid", "getgid", "getgroups", "getloadavg",
        "getpgid", "getpgrp", "getpriority", "getsid", "getuid", "getxattr", "killpg", "lchown", "lockf", "mkfifo",
        "nice", "openpty", "pathconf", "pipe2", "posix_fadvise", "posix_fallocate", "posix_spawn", "pread", "preadv",
        "pwrite", "pwritev", "register_at_fork", "sched_getaffinity", "sched_setaffinity", "sched_yield", "sendfile",
        "setgid", "setpgid", "setpriority", "setsid", "setuid", "setxattr", "statvfs", "sync", "sysconf",
        "sysconf_names", "uname", "wait", "wait3", "wait4", "waitid",
    },
    "signal": {
        "SIGALRM", "SIGCHLD", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGSTOP", "SIGUSR1", "SIGUSR2", "SIGXFSZ",
        "alarm", "pause", "pthread_kill", "pthread_sigmask", "setitimer", "siginterrupt", "sigpending", "sigwait",
    },
    "mmap": {name for name in dir(mmap) if name.startswith(("MADV_", "MAP_", "PROT_"))},
}  # fmt: skip


class Played(types.ModuleType):
    """A module as Windows has it."""

    def __init__(self, real: types.ModuleType, **others: object) -> None:
        super().__init__(real.__name__)
        self.__dict__.update(others)
        self._real = real

    def __getattr__(self, name: str) -> Any:
        if name in LACKING[self.__name__]:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}", name=name)
        return getattr(self._real, name)


def play_windows() -> None:
    """Take from our modules what Windows has not, and let this process change no file that it has open."""
    if any(name.partition(".")[0] == "similarity" for name in sys.modules):
        raise RuntimeError("modules of ours have been imported already")
    played = {
        "os": Played(
            os, name="nt", supports_dir_fd=set[object](), supports_fd=set[object](), open=_open_file, fsync=_fsync
        ),
        "signal": Played(signal),
        "mmap": Played(mmap),
    }
    real = builtins.__import__

    def import_as_there(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
        if level == 0 and (globals or {}).get("__name__", "").partition(".")[0] == "similarity":
            if name.partition(".")[0] in POSIX_MODULES:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            if name in played:
                return played[name]
        return real(name, globals, locals, fromlist, level)

    builtins.__import__ = import_as_there
    for name, places in {"rename": 2, "replace": 2, "unlink": 1, "remove": 1, "rmdir": 1}.items():
        setattr(os, name, _unless_open(getattr(os, name), places))


def _open_file(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
    if dir_fd is not None:
        raise NotImplementedError("dir_fd unavailable on this platform")
    if Path(path).is_dir():
        raise PermissionError(errno.EACCES, "Permission denied", str(path))
    return os.open(path, flags, mode)


def _fsync(descriptor: int) -> None:
    if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
        raise OSError(errno.EBADF, "Bad file descriptor")
    os.fsync(descriptor)


def _unless_open(change: Callable[..., None], places: int) -> Callable[..., None]:
    def changed(*paths: Any, dir_fd: int | None = None, **options: Any) -> None:
        where = Path(f"/proc/self/fd/{dir_fd}").readlink() if dir_fd is not None else Path.cwd()
        full = [os.fspath(where / os.fsdecode(path)) for path in paths[:places]]
        if busy := next((one for one in _held() if one in full or one.startswith(tuple(f"{it}/" for it in full))), ""):
            raise PermissionError(errno.EACCES, "The process cannot access the file because it is in use", busy)
        change(*paths, **options, **({} if dir_fd is None else {"dir_fd": dir_fd}))

    return changed


def _held() -> set[str]:
    """The paths of the files that this process has open or mapped."""
    held = {
        line.split(maxsplit=5)[5].strip() for line in Path("/proc/self/maps").read_text().splitlines() if "/" in line
    }
    for entry in Path("/proc/self/fd").iterdir():
        try:
            path = entry.readlink()
        except OSError:  # the one of the listing
            continue
        if not path.is_dir():  # as shutil has open while it deletes
            held.add(str(path))
    return held


PROCESSES = multiprocessing.get_context("fork")


def in_a_process(target: Callable[..., object], *arguments: object) -> int | None:
    """Run a function in a fork of this process, which has started no thread; returns its exit code."""
    process = PROCESSES.Process(target=target, args=arguments)
    process.start()
    process.join(60)
    return process.exitcode


if __name__ == "__main__":
    play_windows()
    getattr(importlib.import_module("desk_scenes"), sys.argv[1])(Path(sys.argv[2]))
