"""What takes a while and is made once for everybody who asks for it: each by a thread, in turn, with its progress."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from similarity.errors import SimilarityError
from similarity.progress import OnProgress, Progress

T = TypeVar("T")

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Making(Generic[T]):
    """Something that was asked for.

    Attributes:
        result: it, now or later.
        begun: when it was first asked for, in seconds of time.monotonic.
        progress: how far it is, if it tells.
    """

    result: "Future[T]" = field(default_factory=Future)
    begun: float = field(default_factory=time.monotonic)
    progress: Progress | None = None

    @property
    def has_failed(self) -> bool:
        """Whether it is known that there will be none."""
        return self.result.done() and self.result.exception() is not None

    def tell(self, progress: Progress) -> None:
        """Note how far it is."""
        self.progress = progress


class Once(Generic[T]):
    """Makes each thing once, one after the other, whoever asks for it. Safe to share between threads."""

    def __init__(self, kept: int) -> None:
        """Keep so many of those that were made last."""
        self._kept = kept
        self._lock, self._turn = threading.Lock(), threading.Lock()
        self._made: dict[str, Making[T]] = {}

    def make(self, name: str, work: Callable[[OnProgress], T]) -> Making[T]:
        """What has a name, now or later; what could not be made is tried again when it is next asked for."""
        with self._lock:
            known = self._made.get(name)
            if known is None or known.has_failed:
                known = self._made[name] = Making()
                self._forget_the_oldest()
                # A daemon, so that ending the app need not wait for it.
                threading.Thread(target=self._make, args=(name, work, known), name=name, daemon=True).start()
        return known

    def find(self, name: str) -> Making[T] | None:
        """What has a name, if anybody asked for it and it did not fail."""
        with self._lock:
            known = self._made.get(name)
            return None if known is None or known.has_failed else known

    def _make(self, name: str, work: Callable[[OnProgress], T], making: Making[T]) -> None:
        try:
            with self._turn:
                making.result.set_result(work(making.tell))
        except Exception as error:  # told to everybody who waits
            if isinstance(error, SimilarityError):
                logger.info("%s could not be made: %s", name, error)
            else:
                logger.error("%s could not be made", name, exc_info=error)
            making.result.set_exception(error)

    def _forget_the_oldest(self) -> None:
        done = [name for name, making in self._made.items() if making.result.done()]
        for name in done[: max(0, len(self._made) - self._kept)]:
            del self._made[name]
