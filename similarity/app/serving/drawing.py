"""Turns at drawing pages, so that a visitor with very many tabs does not keep everybody else waiting.

Pages are drawn by Python, which runs one thread at a time: forty pages that are drawn at once take forty times as long
each. Two are drawn at once; the next is that of whoever had least drawn within the last minute.
"""

import functools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import streamlit as st

from similarity.app.serving import visitors
from similarity.app.wording.messages import sentence_as_markdown
from similarity.errors import QuotaError
from similarity.service.places import Places, Ticket
from similarity.service.singleton import singleton
from similarity.service.usage import Usage

PLACES, MOST_WAITING = 2, 1_000
# Seconds. A page that takes longer waits for something, such as an address, and keeps nobody else waiting.
LEASE = 0.3
MINUTE = 6_000  # hundredths of a second; nobody can have more
# Seconds in which a browser draws a grid. What comes meanwhile it draws together with the grid, all at the end: on two
# cores, a hundred results are there 212 ms after a click with this pause, and 366 without.
BROWSER_DRAWS = 0.05


class Drawing:
    """A queue of pages to draw. Safe to share between threads."""

    def __init__(self) -> None:
        self._places = Places(PLACES, most_waiting=MOST_WAITING, lease=LEASE)
        self._usage = Usage(MINUTE)
        self._mine = threading.local()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn at drawing a page of the current visitor; a turn within a turn is the same one.

        Raises:
            QuotaError: very many are waiting.
        """
        if self._ticket is not None:
            yield
            return
        visitor = visitors.current()
        with self._places.take(self._usage.of(visitor)) as self._mine.ticket:
            began = time.thread_time()
            try:
                yield
            finally:
                self._mine.ticket = None
                self._usage.add(visitor, time.thread_time() - began)

    def give_back(self) -> None:
        """Let the next page be drawn, because this one is going to wait for something."""
        if (ticket := self._ticket) is not None:
            self._places.give_back(ticket)

    @property
    def _ticket(self) -> Ticket | None:
        return getattr(self._mine, "ticket", None)


@singleton
def shared_drawing() -> Drawing:
    """Return the queue of this process."""
    return Drawing()


def draw_in_turn(draw: Callable[[], None]) -> None:
    """Draw a page, or a part of one, in turn; if very many are waiting, a sentence says so instead."""
    try:
        with shared_drawing().turn():
            draw()
    except QuotaError as error:
        st.error(sentence_as_markdown(str(error)), icon=":material/hourglass:")


def let_browser_draw() -> None:
    """Wait until a browser has drawn what it got so far, before it gets the rest; others' pages are drawn meanwhile."""
    shared_drawing().give_back()
    time.sleep(BROWSER_DRAWS)


def fragment(function: Callable[..., Any], *, run_every: float | None = None) -> Callable[..., Any]:
    """Make a function a fragment of a page, drawn in a turn of its own when it is drawn by itself."""

    @functools.wraps(function)
    def drawn(*arguments: Any, **options: Any) -> None:
        draw_in_turn(functools.partial(function, *arguments, **options))

    return st.fragment(drawn, run_every=run_every)
