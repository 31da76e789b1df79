"""Slow results that are computed once, in the background, for all visitors who ask for them."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from similarity.errors import SimilarityError
from similarity.progress import OnProgress, Progress
from similarity.service.jobs import CancelledError

T = TypeVar("T")

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Computation(Generic[T]):
    """A result that is being computed, or has been.

    Attributes:
        result: resolves once the computation has ended.
        started: when it was first requested, in seconds of time.monotonic.
        progress: the latest that was reported, if any.
    """

    result: "Future[T]" = field(default_factory=Future)
    started: float = field(default_factory=time.monotonic)
    progress: Progress | None = None

    @property
    def has_failed(self) -> bool:
        """Whether it has ended with an error, or was cancelled."""
        return self.result.cancelled() or (self.result.done() and self.result.exception() is not None)

    def cancel(self) -> None:
        """Cancel it for all who wait, at once; its work ends when it next reports progress."""
        self.result.cancel()

    def report(self, progress: Progress) -> None:
        """Store the latest progress; called by its work. Raises CancelledError if it was cancelled."""
        if self.result.cancelled():
            raise CancelledError
        self.progress = progress


class SingleFlight(Generic[T]):
    """Computes each named result once, one after the other, and keeps the latest. Safe to share between threads."""

    def __init__(self, kept: int) -> None:
        """Keep so many results, the latest."""
        self._kept = kept
        self._lock, self._turn = threading.Lock(), threading.Lock()
        self._computations: dict[str, Computation[T]] = {}

    def start(self, name: str, work: Callable[[OnProgress], T]) -> Computation[T]:
        """Return the computation with a name; start it unless it runs or has succeeded."""
        with self._lock:
            known = self._computations.get(name)
            if known is None or known.has_failed:
                known = self._computations[name] = Computation()
                self._forget_oldest()
                # A daemon, so that ending the app need not wait for it.
                threading.Thread(target=self._run, args=(name, work, known), name=name, daemon=True).start()
        return known

    def find(self, name: str) -> Computation[T] | None:
        """Return the computation with a name, if it was started and has not failed."""
        with self._lock:
            known = self._computations.get(name)
            return None if known is None or known.has_failed else known

    def keep(self, name: str, result: T) -> None:
        """Keep a result that is known without computing it, unless there is one with this name."""
        with self._lock:
            if name not in self._computations:
                self._computations[name] = Computation()
                self._computations[name].result.set_result(result)
                self._forget_oldest()

    def _run(self, name: str, work: Callable[[OnProgress], T], computation: Computation[T]) -> None:
        try:
            with self._turn:
                if not computation.result.cancelled():
                    computation.result.set_result(work(computation.report))
        except (CancelledError, InvalidStateError):
            computation.result.cancel()
        except Exception as error:  # raised again for everybody who waits
            if computation.result.cancelled():
                return
            if isinstance(error, SimilarityError):
                logger.info("%s could not be made: %s", name, error)
            else:
                logger.error("%s could not be made", name, exc_info=error)
            computation.result.set_exception(error)

    def _forget_oldest(self) -> None:
        done = [name for name, computation in self._computations.items() if computation.result.done()]
        for name in done[: max(0, len(self._computations) - self._kept)]:
            del self._computations[name]
