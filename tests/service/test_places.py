"""Places at work: who gets the next one, and when a place is free again."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

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


def test_work_is_done_in_a_place_and_its_thread_goes_on_with_what_is_next() -> None:
    places = Places(1, most_waiting=9)
    done: list[tuple[int, int]] = []

    def note(number: int) -> int:
        done.append((number, threading.get_ident()))
        return number

    with places.take(0):
        outcomes = [places.submit(used, partial(note, used)) for used in (5, 1, 3)]
        assert places.waiting() == 3
        assert not any(outcome.done() for outcome in outcomes)
    assert [outcome.result(30) for outcome in outcomes] == [5, 1, 3]
    assert [number for number, _ in done] == [1, 3, 5]
    assert len({thread for _, thread in done}) == 1


def test_quick_work_is_done_in_this_thread_where_a_place_is_free_and_nobody_waits() -> None:
    places = Places(1, most_waiting=9)
    done = places.run_if_free(threading.get_ident)
    assert done is not None
    assert done.result(0) == threading.get_ident()
    with places.take(0):
        assert places.run_if_free(lambda: pytest.fail("no place is free")) is None
        waiting = places.submit(0, lambda: 7)
    assert waiting.result(30) == 7
    failed = places.run_if_free(lambda: 1 // 0)
    assert failed is not None
    assert isinstance(failed.exception(0), ZeroDivisionError)
    until(lambda: (again := places.run_if_free(lambda: 8)) is not None and again.result(0) == 8)


def test_while_quick_work_is_done_nobody_else_has_its_place() -> None:
    places = Places(1, most_waiting=9)
    waiting: list[Future[int]] = []

    def quick() -> int:
        waiting.append(places.submit(0, lambda: 5))
        time.sleep(0.05)
        assert not waiting[0].done()
        return 4

    done = places.run_if_free(quick)
    assert done is not None
    assert (done.result(0), waiting[0].result(30)) == (4, 5)


def test_work_and_those_who_wait_take_turns_and_no_more_have_a_place_than_there_are() -> None:
    places = Places(2, most_waiting=200)
    lock, now, most = threading.Lock(), 0, 0

    def be_there(number: int) -> int:
        nonlocal now, most
        with lock:
            now, most = now + 1, max(most, now + 1)
        time.sleep(0.001)
        with lock:
            now -= 1
        return number

    def wait_and_be_there(number: int) -> int:
        with places.take(number % 3):
            return be_there(number)

    with ThreadPoolExecutor(20) as pool:
        waiting = [pool.submit(wait_and_be_there, number) for number in range(60)]
        outcomes = [places.submit(number % 3, partial(be_there, number)) for number in range(60)]
        assert [outcome.result(30) for outcome in waiting] == list(range(60))
    assert [outcome.result(30) for outcome in outcomes] == list(range(60))
    assert most == 2


def test_the_error_of_work_is_its_outcome_and_its_place_is_free_again() -> None:
    places = Places(1, most_waiting=9)

    def fail() -> None:
        raise QuotaError("no")

    with pytest.raises(QuotaError, match="no"):
        places.submit(0, fail).result(30)
    assert places.submit(0, lambda: 7).result(30) == 7


def test_work_that_is_cancelled_while_it_waits_is_not_done() -> None:
    places = Places(1, most_waiting=1)
    done: list[int] = []
    with places.take(0):
        outcome = places.submit(0, lambda: done.append(1))
        with pytest.raises(QuotaError):
            places.submit(0, lambda: done.append(2))
        assert outcome.cancel()
    assert places.submit(0, lambda: done.append(3)).result(30) is None
    assert done == [3]
