"""Turns at work: how many work at once, who is next, and how much each may have."""

import threading
import time
from collections.abc import Callable

import pytest

from similarity.errors import QuotaError
from similarity.service.turns import Turns
from similarity.service.visitor import Visitor

ONE, OTHER = Visitor("one", "192.0.2.1"), Visitor("other", "192.0.2.2")


class Clock:
    """Time that passes when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def in_thread(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def wait_until_waiting(turns: Turns, most: int) -> None:
    """Until so many wait for their turn; whoever has one says so himself."""
    while turns.waiting() < most:
        time.sleep(0.01)


def test_two_work_at_once_and_the_third_waits_until_one_is_done() -> None:
    turns, go, inside = Turns(), threading.Event(), threading.Semaphore(0)
    most, working, lock = [0], [0], threading.Lock()

    def work() -> None:
        with turns.take(ONE):
            with lock:
                working[0] += 1
                most[0] = max(most[0], working[0])
            inside.release()
            assert go.wait(30)
            with lock:
                working[0] -= 1

    threads = [in_thread(work) for _ in range(6)]
    assert inside.acquire(timeout=30)
    assert inside.acquire(timeout=30)
    wait_until_waiting(turns, 4)
    go.set()
    for thread in threads:
        thread.join(30)
    assert most == [2]


def test_one_place_is_free_of_heavy_work_and_one_that_waits_lets_light_work_pass() -> None:
    turns, go, inside = Turns(), threading.Event(), threading.Event()

    def work() -> None:
        with turns.take(ONE, heavy=True):
            inside.set()
            assert go.wait(30)

    heavy = [in_thread(work) for _ in range(3)]
    assert inside.wait(30)
    wait_until_waiting(turns, 2)
    with turns.take(ONE), turns.take(OTHER, heavy=True):
        pass
    go.set()
    for thread in heavy:
        thread.join(30)
    with turns.take(OTHER, heavy=True):
        pass


def test_whoever_has_had_least_is_next_however_late_he_came() -> None:
    clock = Clock()
    turns = Turns(places=1, clock=clock)
    with turns.take(ONE):
        clock.now += 5
    order: list[str] = []
    began, go = threading.Event(), threading.Event()

    def work(name: str, visitor: Visitor) -> None:
        with turns.take(visitor):
            if name == "first":
                began.set()
                assert go.wait(30)
            order.append(name)

    first = in_thread(lambda: work("first", ONE))
    assert began.wait(30)
    greedy = [in_thread(lambda: work("greedy", ONE)) for _ in range(3)]
    wait_until_waiting(turns, 3)
    modest = in_thread(lambda: work("modest", OTHER))
    wait_until_waiting(turns, 4)
    go.set()
    for thread in (first, *greedy, modest):
        thread.join(30)
    assert order == ["first", "modest", "greedy", "greedy", "greedy"]


def test_a_new_tab_for_each_search_makes_nobody_a_newcomer() -> None:
    clock = Clock()
    turns = Turns(clock=clock)
    for number in range(5):
        with turns.take(Visitor(str(number), "192.0.2.1")):
            clock.now += 2
    assert turns.used(Visitor("new", "192.0.2.1")) > turns.used(Visitor("new", "192.0.2.9")) == 0


def test_a_turn_within_a_turn_is_the_same_one() -> None:
    turns = Turns(places=1)
    with turns.take(ONE), turns.take(ONE), turns.take(OTHER):
        pass
    with turns.take(ONE):
        pass


def test_who_has_used_up_a_minute_is_refused_and_others_are_not() -> None:
    clock = Clock()
    turns = Turns(quota=100, clock=clock)
    with turns.take(ONE):
        clock.now += 0.9
    with turns.counting(ONE):
        clock.now += 10  # much more than is left
    for asking in (turns.take(ONE), turns.counting(ONE)):
        with pytest.raises(QuotaError, match="wait a minute"), asking:
            pytest.fail("it has begun")
    with turns.take(OTHER):
        pass


def test_work_that_fails_is_counted_and_gives_its_turn_back() -> None:
    clock = Clock()
    turns = Turns(places=1, quota=100, clock=clock)

    def fail() -> None:
        with turns.take(ONE):
            clock.now += 1
            raise ValueError("no picture")

    with pytest.raises(ValueError, match="no picture"):
        fail()
    with turns.take(OTHER):
        pass
    with pytest.raises(QuotaError), turns.take(ONE):
        pass


def test_work_that_is_done_for_nobody_in_particular_is_not_refused() -> None:
    clock = Clock()
    turns = Turns(quota=100, clock=clock)
    for _ in range(3):
        with turns.take(Visitor()):
            clock.now += 60


def test_when_very_many_wait_the_next_is_told_so_at_once() -> None:
    turns, go, began = Turns(places=1, most_waiting=2), threading.Event(), threading.Event()

    def work() -> None:
        with turns.take(ONE):
            began.set()
            assert go.wait(30)

    threads = [in_thread(work)]
    assert began.wait(30)
    threads += [in_thread(work), in_thread(work)]
    wait_until_waiting(turns, 2)
    with pytest.raises(QuotaError, match="Very many people"), turns.take(OTHER):
        pass
    go.set()
    for thread in threads:
        thread.join(30)
