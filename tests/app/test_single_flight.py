"""Slow results that are computed once for all who ask, and cancelled for all of them."""

import threading
from concurrent.futures import CancelledError

import pytest

from similarity.app.serving.single_flight import SingleFlight
from similarity.progress import OnProgress, Progress


def test_a_cancelled_computation_ends_at_once_and_begins_anew_when_asked_again() -> None:
    flights: SingleFlight[str] = SingleFlight(2)
    go_on, has_ended = threading.Event(), threading.Event()

    def work(progress: OnProgress) -> str:
        try:
            assert go_on.wait(30)
            progress(Progress("Looking"))
            return "never"
        finally:
            has_ended.set()

    first = flights.start("name", work)
    first.cancel()
    with pytest.raises(CancelledError):
        first.result.result(30)
    assert flights.find("name") is None
    again = flights.start("name", lambda _: "done")
    assert not again.result.done(), "the work of before still has its turn"
    go_on.set()
    assert again.result.result(30) == "done"
    assert has_ended.is_set()


def test_a_result_that_comes_after_it_was_cancelled_is_not_kept() -> None:
    flights: SingleFlight[str] = SingleFlight(2)
    go_on = threading.Event()
    late = flights.start("name", lambda _: "late" if go_on.wait(30) else "")
    late.cancel()
    go_on.set()
    assert flights.start("name", lambda _: "anew").result.result(30) == "anew"
