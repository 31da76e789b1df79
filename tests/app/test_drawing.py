"""Turns at drawing pages: whose page is drawn next, and what keeps nobody else waiting."""

import threading
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from similarity.app.serving import computing, drawing, visitors
from similarity.app.serving.drawing import PLACES, Drawing
from similarity.service.places import Places
from similarity.service.visitor import Visitor

APP = Path(__file__).resolve().parents[2] / "similarity" / "app"
GREEDY, MODEST = Visitor("greedy", "192.0.2.1"), Visitor("modest", "192.0.2.2")


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Drawing:
    """The queue of this test, in which a page is drawn for as long as it likes."""
    monkeypatch.setattr(drawing, "LEASE", 600.0)
    queue = Drawing()
    monkeypatch.setattr(drawing, "shared_drawing", lambda: queue)
    return queue


class Page(threading.Thread):
    """A page that is drawn until it may end."""

    def __init__(self, queue: Drawing, visitor: Visitor, drawn: list[str], *, computes: bool = False) -> None:
        super().__init__(daemon=True)
        self.queue, self.visitor, self.drawn, self.computes = queue, visitor, drawn, computes
        self.has_begun, self.may_end = threading.Event(), threading.Event()
        self.start()

    def run(self) -> None:
        with visitors.acting_for(self.visitor), self.queue.turn():
            self.drawn.append(self.visitor.session)
            self.has_begun.set()
            if self.computes:
                with computing.take_turn():
                    assert self.may_end.wait(60)
            assert self.may_end.wait(60)


def end(*pages: Page) -> None:
    for page in pages:
        page.may_end.set()
    for page in pages:
        page.join(60)


def spend(queue: Drawing, visitor: Visitor, seconds: float) -> None:
    queue._usage.add(visitor, seconds)


def wait_until_waiting(queue: Drawing, most: int) -> None:
    pause = threading.Event()
    while queue._places.waiting() < most:
        pause.wait(0.01)


def test_the_page_of_whoever_had_least_drawn_is_next_however_many_tabs_another_one_has(queue: Drawing) -> None:
    spend(queue, GREEDY, 5)
    drawn: list[str] = []
    first = [Page(queue, GREEDY, drawn) for _ in range(PLACES)]
    assert all(page.has_begun.wait(60) for page in first)
    tabs = [Page(queue, Visitor(f"tab {number}", GREEDY.address), drawn) for number in range(6)]
    wait_until_waiting(queue, 6)
    modest = Page(queue, MODEST, drawn)
    wait_until_waiting(queue, 7)
    end(first[0])
    assert modest.has_begun.wait(60)
    assert drawn == ["greedy"] * PLACES + ["modest"]
    end(*first, modest, *tabs)


def test_a_page_that_computes_keeps_no_other_page_waiting(queue: Drawing) -> None:
    drawn: list[str] = []
    computing = [Page(queue, Visitor(str(number)), drawn, computes=True) for number in range(PLACES)]
    other = Page(queue, MODEST, drawn)
    assert other.has_begun.wait(60)
    end(*computing, other)


def test_a_part_of_a_page_that_is_drawn_with_it_takes_no_turn_of_its_own(queue: Drawing) -> None:
    pages = [Page(queue, Visitor(str(number)), []) for number in range(PLACES - 1)]
    with visitors.acting_for(MODEST), queue.turn(), queue.turn():
        assert queue._places.waiting() == 0
    end(*pages)


def test_when_very_many_pages_wait_the_next_one_says_so(queue: Drawing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "_places", Places(1, most_waiting=0, lease=600.0))

    def page() -> None:
        from similarity.app.serving import drawing

        drawing.draw_in_turn(lambda: None)

    drawn = AppTest.from_function(page).run()
    assert not drawn.exception
    assert drawn.error[0].value.startswith("Very many people are waiting for their turn just now")


def test_what_is_drawn_is_counted_for_the_tab_and_its_address(queue: Drawing) -> None:
    with visitors.acting_for(GREEDY), queue.turn():
        sum(range(3_000_000))  # hundredths of a second of the processor are counted
    assert queue._usage.of(Visitor("", GREEDY.address)) > 0
    assert queue._usage.of(MODEST) == 0


def test_every_part_of_a_page_that_is_drawn_by_itself_takes_turns() -> None:
    own = {path.relative_to(APP).as_posix() for path in APP.rglob("*.py") if "st.fragment" in path.read_text()}
    assert own == {"serving/drawing.py"}
