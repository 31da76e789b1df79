"""Turns at work that takes processor time, so that all visitors get their share of the computer.

Two pieces of work run at once, of which one may be heavy, such as decoding a very large picture: that bounds memory,
and small work need not wait for large work. The next turn is that of whoever used the least time during the last
minute, so a visitor who keeps the computer busy waits and everybody else does not.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TypeVar

from similarity.errors import QuotaError
from similarity.images.decoding import count_pixels
from similarity.service.places import Places
from similarity.service.singleton import singleton
from similarity.service.usage import Usage
from similarity.service.visitor import Visitor

PLACES, HEAVY_PLACES = 2, 1
# Of a minute, in hundredths of a second. A search takes 0.1 to 0.5 s of work, so that nobody reaches this by hand.
QUOTA = 4_000
MOST_WAITING = 100
# Decoding a PNG of so many pixels takes about 0.3 s.
HEAVY_PIXELS = 12_000_000
USED_UP = "You have had very much computed within a minute: wait a minute, and try again."

T = TypeVar("T")


def is_heavy(data: bytes) -> bool:
    """Whether decoding a picture file is heavy work."""
    return count_pixels(data) > HEAVY_PIXELS


class Turns:
    """A queue that gives turns to visitors. Safe to share between threads."""

    def __init__(
        self,
        places: int = PLACES,
        quota: int = QUOTA,
        most_waiting: int = MOST_WAITING,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Set how many may work at once, the time a minute of each in hundredths of a second, and how many may wait."""
        self._places = Places(places, heavy=HEAVY_PLACES, most_waiting=most_waiting)
        self._usage, self._clock = Usage(quota), clock
        self._mine = threading.local()

    @contextmanager
    def take(self, visitor: Visitor, *, heavy: bool = False) -> Iterator[None]:
        """Wait for a turn and have it until the block ends; a turn within a turn is the same one.

        Args:
            visitor: whose turn it is.
            heavy: whether the work takes seconds, or hundreds of megabytes.

        Raises:
            QuotaError: the visitor has used up a minute's share, or very many are waiting.
        """
        if getattr(self._mine, "has_turn", False):
            yield
            return
        self._refuse_if_used_up(visitor)
        with (
            self._places.take(self._usage.of(visitor), is_heavy=heavy),
            self._counted(visitor),
            self._having_turn(),
        ):
            yield

    def submit(self, visitor: Visitor, work: Callable[[], T], *, heavy: bool = False, quick: bool = False) -> Future[T]:
        """Do some work in another thread when it is its turn; as `take`, which waits for it.

        Args:
            quick: whether it takes so little time that it is done at once, in this thread, unless others are at work:
                to have another thread do it, and to share the interpreter with that, takes as long.
        """
        self._refuse_if_used_up(visitor)

        def done() -> T:
            with self._counted(visitor), self._having_turn():
                return work()

        at_once = self._places.run_if_free(done) if quick else None
        return at_once or self._places.submit(self._usage.of(visitor), done, is_heavy=heavy)

    @contextmanager
    def counting(self, visitor: Visitor) -> Iterator[None]:
        """Count the time of a block without waiting for a turn; raises QuotaError if the share is used up already."""
        self._refuse_if_used_up(visitor)
        with self._counted(visitor):
            yield

    def waiting(self) -> int:
        """Return how many wait for a turn."""
        return self._places.waiting()

    def used(self, visitor: Visitor) -> int:
        """Return the time that a visitor has used within the last minute, in hundredths of a second."""
        return self._usage.of(visitor)

    def _refuse_if_used_up(self, visitor: Visitor) -> None:
        if visitor.session and self._usage.is_used_up(visitor.session):
            raise QuotaError(USED_UP)

    @contextmanager
    def _having_turn(self) -> Iterator[None]:
        self._mine.has_turn = True
        try:
            yield
        finally:
            self._mine.has_turn = False

    @contextmanager
    def _counted(self, visitor: Visitor) -> Iterator[None]:
        began = self._clock()
        try:
            yield
        finally:
            self._usage.add(visitor, self._clock() - began)


@singleton
def shared_turns() -> Turns:
    """Return the queue of this process."""
    return Turns()
