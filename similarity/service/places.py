"""Places at work: how many work at once, and who is next."""

import math
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Generic, TypeVar

from similarity.errors import QuotaError

TOO_MANY = "Very many people are waiting for their turn just now: try again in a moment."
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Work(Generic[T]):
    """Work that nobody waits with, and what comes of it."""

    do: Callable[[], T]
    outcome: Future[T] = field(default_factory=Future)

    def run(self) -> None:
        """Do it, unless it was cancelled before."""
        if not self.outcome.set_running_or_notify_cancel():
            return
        try:
            result = self.do()
        except BaseException as error:  # noqa: BLE001 - it is whoever asks for the outcome that it concerns
            self.outcome.set_exception(error)
        else:
            self.outcome.set_result(result)


@dataclass(frozen=True, slots=True, order=True)
class Ticket:
    """A request for a place, ordered by the time that its visitor has used, then by arrival.

    Attributes:
        work: to be done in the place; None if somebody waits for it.
        admitted: for them.
    """

    used: int
    arrival: int
    is_heavy: bool
    work: Work[Any] | None = field(default=None, compare=False, repr=False)
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
        self._threads = ThreadPoolExecutor(number, thread_name_prefix="place")

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

    def submit(self, used: int, do: Callable[[], T], *, is_heavy: bool = False) -> Future[T]:
        """Do some work in another thread once there is a place for it; this does not wait.

        For work of milliseconds: a thread that is done with it goes on with what is next, while a thread that waits
        would have to be woken for its turn and to get hold of the interpreter, which takes as long as the work.

        Raises:
            QuotaError: very many are waiting.
        """
        work = Work(do)
        self._queue(used, is_heavy=is_heavy, work=work)
        return work.outcome

    def run_if_free(self, do: Callable[[], T]) -> Future[T] | None:
        """Do some work in this thread if there is a place for it and nobody waits; None, and nothing done, if not."""
        with self._lock:
            if self._waiting or len(self._held()) >= self._number:
                return None
            work, ticket = Work(do), Ticket(0, next(self._arrivals), is_heavy=False)
            self._held_since[ticket] = self._clock()
        try:
            work.run()
        finally:
            self.give_back(ticket)
        return work.outcome

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

    def _queue(self, used: int, *, is_heavy: bool, work: Work[Any] | None = None) -> Ticket:
        with self._lock:
            if len(self._waiting) >= self._most_waiting:
                raise QuotaError(TOO_MANY)
            ticket = Ticket(used, next(self._arrivals), is_heavy, work)
            self._waiting.append(ticket)
        self._admit()
        return ticket

    def _admit(self) -> None:
        """Give the places that are free to those who are next."""
        for ticket in self._admitted():
            self._threads.submit(self._work, ticket)

    def _admitted(self) -> list[Ticket]:
        """Give the places that are free to those who are next, and return those whose work is now to be done."""
        admitted = []
        with self._lock:
            while (ticket := self._next()) is not None:
                self._waiting.remove(ticket)
                self._held_since[ticket] = self._clock()
                admitted.append(ticket)
        for ticket in admitted:
            ticket.admitted.set()
        return [ticket for ticket in admitted if ticket.work]

    def _work(self, ticket: Ticket | None) -> None:
        """Do the work of a ticket, and what is next as long as there is some."""
        while ticket and ticket.work:
            ticket.work.run()
            with self._lock:
                del self._held_since[ticket]
            admitted = self._admitted()
            ticket = admitted[0] if admitted else None
            for other in admitted[1:]:
                self._threads.submit(self._work, other)

    def _held(self) -> list[Ticket]:
        """Return the tickets whose places are not free."""
        now = self._clock()
        return [ticket for ticket, since in self._held_since.items() if now - since < self._lease]

    def _next(self) -> Ticket | None:
        if not self._waiting:
            return None
        held = self._held()
        if len(held) >= self._number:
            return None
        free_for_heavy = sum(ticket.is_heavy for ticket in held) < self._heavy
        return min((ticket for ticket in self._waiting if free_for_heavy or not ticket.is_heavy), default=None)
