"""Numbers and times in words."""

from zoneinfo import ZoneInfo

import pytest

from similarity.app.wording import wording
from similarity.progress import Progress


def test_times_are_those_of_the_browsers_clock_and_of_utc_where_it_names_none(monkeypatch: pytest.MonkeyPatch) -> None:
    stamp = "2026-02-03T22:05:00+00:00"
    assert wording.moment(stamp) == "3 February 2026, 22:05 UTC"
    monkeypatch.setattr(wording, "_time_zone", lambda: ZoneInfo("Asia/Tokyo"))
    assert wording.moment(stamp) == "4 February 2026, 07:05"
    assert wording.moment("2026-02-03T22:05:00") == "3 February 2026, 22:05 UTC"
    assert wording.moment("yesterday") == "at an unknown time"


@pytest.mark.parametrize(("done", "seconds", "told"), [
    (4, 0.5, "Indexing: 4 of 600 pictures, 8 a second"), (60, 20.0, "Indexing: 60 of 600 pictures, 3 a second"),
    (120, 10.0, "Indexing: 120 of 600 pictures, 12 a second, 40 s left"),
    (60, 30.0, "Indexing: 60 of 600 pictures, 2 a second, 4 min left"),
    (600, 30.0, "Indexing: 600 of 600 pictures, 20 a second"),
])  # fmt: skip
def test_the_time_left_is_told_once_the_first_slow_pictures_do_not_decide_it(
    done: int, seconds: float, told: str
) -> None:
    assert wording.progress(Progress("Indexing", done, 600, seconds)) == told
