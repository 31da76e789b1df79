"""Places at work: who gets the next one, and when a place is free again."""

import threading
from collections.abc import Callable, Iterator

import pytest

from similarity.errors import QuotaError
from similarity.service.places import Places, Ticket


class Worker:
    """Somebody who takes a place and holds it until everybody may end."""

    def __init__(self, places: Places) -> None:
        self.has_begun, self.may_end = threading.Event(), threading.Event()
        self.ticket: Ticket | None = None
        self._places = places
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.thread.start()

    def _work(self) -> None:
        with self._places.take(0) as self.ticket:
            self.has_begun.set()
            assert self.may_end.wait(60)


Work = Callable[[Places], Worker]


@pytest.fixture
def work() -> Iterator[Work]:
    """Lets somebody take a place; at the end, all give theirs back."""
    workers: list[Worker] = []

    def begin(places: Places) -> Worker:
        workers.append(Worker(places))
        return workers[-1]

    yield begin
    for worker in workers:
        worker.may_end.set()
    for worker in workers:
        worker.thread.join(60)


def until(condition: Callable[[], bool]) -> None:
    """Waits for something that is about to happen in another thread."""
    pause = threading.Event()
    for _ in range(3_000):
        if condition():
            return
        pause.wait(0.01)
    pytest.fail("it did not happen")


def test_a_place_that_is_held_for_longer_than_its_lease_keeps_nobody_waiting(work: Work) -> None:
    places = Places(1, most_waiting=9, lease=0.05)
    assert work(places).has_begun.wait(30)
    with places.take(0):
        assert places.waiting() == 0


def test_a_place_without_a_lease_is_held_until_its_work_ends(work: Work) -> None:
    places = Places(1, most_waiting=9)
    first = work(places)
    assert first.has_begun.wait(30)
    second = work(places)
    until(lambda: places.waiting() == 1)
    assert not second.has_begun.wait(0.2)
    first.may_end.set()
    assert second.has_begun.wait(30)


def test_a_place_that_is_given_back_early_is_the_next_ones_and_is_not_freed_twice(work: Work) -> None:
    places = Places(1, most_waiting=9)
    first = work(places)
    assert first.has_begun.wait(30)
    assert first.ticket
    second, third = work(places), work(places)
    until(lambda: places.waiting() == 2)
    for _ in range(2):
        places.give_back(first.ticket)
    assert second.has_begun.wait(30)
    assert not third.has_begun.wait(0.2), "one place is not two"


def test_the_next_place_is_that_of_whoever_has_used_least_and_then_of_whoever_came_first(work: Work) -> None:
    places, order = Places(1, most_waiting=99), list[tuple[int, int]]()
    first = work(places)
    assert first.has_begun.wait(30)

    def take(used: int, number: int) -> None:
        with places.take(used):
            order.append((used, number))

    threads = []
    for number, used in enumerate((500, 0, 30, 0, 30)):
        threads.append(threading.Thread(target=take, args=(used, number), daemon=True))
        threads[-1].start()
        until(lambda already=number + 1: places.waiting() == already)  # type: ignore[misc]
    first.may_end.set()
    for thread in threads:
        thread.join(30)
    assert order == [(0, 1), (0, 3), (30, 2), (30, 4), (500, 0)]


def test_whoever_cannot_even_wait_is_told_so_and_takes_nothing() -> None:
    places = Places(1, most_waiting=0)
    for _ in range(2):
        with pytest.raises(QuotaError, match="Very many people are waiting"), places.take(0):
            pytest.fail("it has begun")
