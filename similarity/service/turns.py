"""Turns at work that takes processor time, so that all visitors get their share of the computer.

Two pieces of work run at once, of which one may be heavy, such as decoding a very large picture: that bounds memory,
and small work need not wait for large work. The next turn is that of whoever used the least time during the last
minute, so a visitor who keeps the computer busy waits and everybody else does not.
"""

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from similarity.errors import QuotaError
from similarity.service.singleton import singleton

PLACES, HEAVY_PLACES = 2, 1
# In hundredths of a second. A search takes 0.1 to 0.5 s of work, so that nobody reaches this by hand.
QUOTA = parse("4000/minute")
MOST_WAITING = 100
USED_UP = "You have had very much computed within a minute: wait a minute, and try again."
TOO_MANY = "Very many people are waiting for their turn just now: try again in a moment."


@dataclass(frozen=True, slots=True)
class Visitor:
    """The visitor for whom work is done.

    Attributes:
        session: of the browser's tab; empty if it is unknown.
        address: the network address of the visitor's computer, if it is known; many visitors may share one.
    """

    session: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Ticket:
    """A place in the queue, ordered by the time that its visitor has used, then by arrival."""

    used: int
    arrival: int
    is_heavy: bool


class Turns:
    """A queue that gives turns to visitors. Safe to share between threads."""

    def __init__(
        self,
        places: int = PLACES,
        quota: RateLimitItem = QUOTA,
        most_waiting: int = MOST_WAITING,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Set how many may work at once, the time a minute of each in hundredths of a second, and how many may wait."""
        self._free, self._free_for_heavy = places, HEAVY_PLACES
        self._quota, self._most_waiting, self._clock = quota, most_waiting, clock
        self._used = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._changed = threading.Condition()
        self._waiting: list[Ticket] = []
        self._arrivals = count()
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
        with self.counting(visitor), self._turn(self._used_by(visitor), is_heavy=heavy):
            self._mine.has_turn = True
            try:
                yield
            finally:
                self._mine.has_turn = False

    @contextmanager
    def counting(self, visitor: Visitor) -> Iterator[None]:
        """Count the time of a block without waiting for a turn; raises QuotaError if the share is used up already."""
        if visitor.session and not self._used.test(self._quota, visitor.session):
            raise QuotaError(USED_UP)
        began = self._clock()
        try:
            yield
        finally:
            self._count(visitor, self._clock() - began)

    @contextmanager
    def _turn(self, used: int, *, is_heavy: bool) -> Iterator[None]:
        ticket = Ticket(used, next(self._arrivals), is_heavy)
        with self._changed:
            if len(self._waiting) >= self._most_waiting:
                raise QuotaError(TOO_MANY)
            self._waiting.append(ticket)
            self._changed.wait_for(lambda: self._is_next(ticket))
            self._waiting.remove(ticket)
            self._occupy(ticket, 1)
        try:
            yield
        finally:
            with self._changed:
                self._occupy(ticket, -1)

    def _is_next(self, ticket: Ticket) -> bool:
        possible = [waiting for waiting in self._waiting if self._free_for_heavy or not waiting.is_heavy]
        return self._free > 0 and ticket == min(possible, default=None)

    def _occupy(self, ticket: Ticket, places: int) -> None:
        self._free -= places
        self._free_for_heavy -= places if ticket.is_heavy else 0
        self._changed.notify_all()

    def _used_by(self, visitor: Visitor) -> int:
        """Return the time used by the session and at the address: a new tab has used none, but its address has."""
        return sum(self._quota.amount - self._left(key) for key in (visitor.session, visitor.address) if key)

    def _left(self, key: str) -> int:
        return self._used.get_window_stats(self._quota, key).remaining

    def _count(self, visitor: Visitor, seconds: float) -> None:
        for key in filter(None, (visitor.session, visitor.address)):
            # A cost beyond what is left would not be counted at all.
            self._used.hit(self._quota, key, cost=max(0, min(math.ceil(100 * seconds), self._left(key))))


@singleton
def shared_turns() -> Turns:
    """Return the queue of this process."""
    return Turns()
