"""Places at work: how many work at once, and who is next."""

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

from similarity.errors import QuotaError

TOO_MANY = "Very many people are waiting for their turn just now: try again in a moment."


@dataclass(frozen=True, slots=True, order=True)
class Ticket:
    """A request for a place, ordered by the time that its visitor has used, then by arrival."""

    used: int
    arrival: int
    is_heavy: bool
    admitted: threading.Event = field(default_factory=threading.Event, compare=False, repr=False)


class Places:
    """A limited number of places, given to those who have used least time. Safe to share between threads."""

    def __init__(
        self,
        number: int,
        *,
        heavy: int = 0,
        most_waiting: int,
        lease: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Set the limits.

        Args:
            number: of places.
            heavy: of them, those that heavy work may have.
            most_waiting: tickets; further ones are refused.
            lease: seconds after which a place is free for the next one, whether or not it has been given back.
            clock: in seconds.
        """
        self._number, self._heavy, self._most_waiting = number, heavy, most_waiting
        self._lease, self._clock = lease, clock
        self._lock = threading.Lock()
        self._waiting: list[Ticket] = []
        self._held_since: dict[Ticket, float] = {}
        self._arrivals = count()

    @contextmanager
    def take(self, used: int, *, is_heavy: bool = False) -> Iterator[Ticket]:
        """Wait for a place and hold it until the block ends, or until it is given back.

        Args:
            used: the time that the visitor has used; the least is next.
            is_heavy: whether one of the places for heavy work is needed.

        Raises:
            QuotaError: very many are waiting.
        """
        ticket = self._queue(used, is_heavy=is_heavy)
        try:
            while not ticket.admitted.wait(None if math.isinf(self._lease) else self._lease):
                self._admit()  # a lease may have ended
            yield ticket
        finally:
            self.give_back(ticket)

    def give_back(self, ticket: Ticket) -> None:
        """Free a place before its block ends; a second time, this does nothing."""
        with self._lock:
            self._held_since.pop(ticket, None)
            if ticket in self._waiting:
                self._waiting.remove(ticket)
        self._admit()

    def waiting(self) -> int:
        """Return how many wait."""
        with self._lock:
            return len(self._waiting)

    def _queue(self, used: int, *, is_heavy: bool) -> Ticket:
        with self._lock:
            if len(self._waiting) >= self._most_waiting:
                raise QuotaError(TOO_MANY)
            ticket = Ticket(used, next(self._arrivals), is_heavy)
            self._waiting.append(ticket)
        self._admit()
        return ticket

    def _admit(self) -> None:
        """Give the places that are free to those who are next."""
        with self._lock:
            while (ticket := self._next()) is not None:
                self._waiting.remove(ticket)
                self._held_since[ticket] = self._clock()
                ticket.admitted.set()

    def _next(self) -> Ticket | None:
        now = self._clock()
        held = [ticket for ticket, since in self._held_since.items() if now - since < self._lease]
        if len(held) >= self._number:
            return None
        free_for_heavy = sum(ticket.is_heavy for ticket in held) < self._heavy
        return min((ticket for ticket in self._waiting if free_for_heavy or not ticket.is_heavy), default=None)
