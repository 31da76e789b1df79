"""Threads of libraries, which a forked process does not have.

A forked process has only the thread that forked it. OpenVINO, torch and OpenMP in FAISS wait for ever there for those
that they had started before, so that their use has to end with an error instead.
"""

import os
from dataclasses import dataclass

from similarity.errors import ForkError


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


def cores() -> int:
    """Number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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
