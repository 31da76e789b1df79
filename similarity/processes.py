"""Processes: running modules of this package in separate ones, and noticing that this one was forked.

A forked process has only the thread that forked it. OpenVINO, torch and OpenMP in FAISS wait for ever there for those
that they had started before, so that their use has to end with an error instead.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from similarity.errors import ForkError

# Idle threads of torch sleep instead of spinning. If other programs need the same two cores, an epoch of a head takes
# 0.2 s that way instead of 1.5 s; otherwise it makes no difference.
PATIENT = {"OMP_WAIT_POLICY": "PASSIVE"}


@dataclass
class _Threads:
    """The threads of libraries: whether this process has started some, and whether it was forked from one that had."""

    are_started: bool = False
    are_lost: bool = False

    def lose(self) -> None:
        self.are_lost = self.are_lost or self.are_started


_threads = _Threads()
if hasattr(os, "register_at_fork"):  # which Windows, that does not fork, has not
    os.register_at_fork(after_in_child=_threads.lose)


def need_threads() -> None:
    """Note that libraries start threads now.

    Raises:
        ForkError: this process was forked from one in which they had, so that they would wait for ever.
    """
    if _threads.are_lost:
        raise ForkError(
            "This process was forked from one that had already searched or loaded a model, which cannot go on in it: "
            "start processes with multiprocessing.get_context('spawn'), or fork before the first search."
        )
    _threads.are_started = True


def run_module(module: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run `python -m module arguments`, wait for it, and capture its output; an interrupt kills it."""
    return subprocess.run(_command(module, *arguments), env=_environment(), capture_output=True, text=True, check=False)


@contextmanager
def running_module(module: str, *arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    """Start `python -m module arguments` with pipes for lines of text; it is killed at the end."""
    with subprocess.Popen(
        _command(module, *arguments),
        env=_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()
            if process.stdin:
                with suppress(BrokenPipeError):  # input that it has not read
                    process.stdin.close()


def _command(module: str, *arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", module, *map(str, arguments)]


def _environment() -> dict[str, str]:
    """This process's environment, with the package on the search path."""
    package_root = str(Path(__file__).resolve().parent.parent)
    search_path = os.pathsep.join(filter(None, (package_root, os.environ.get("PYTHONPATH"))))
    return PATIENT | os.environ | {"PYTHONPATH": search_path}
