"""Numbers and times in words."""

from zoneinfo import ZoneInfo

import pytest

from similarity.app.wording import wording


def test_times_are_those_of_the_browsers_clock_and_of_utc_where_it_names_none(monkeypatch: pytest.MonkeyPatch) -> None:
    stamp = "2026-02-03T22:05:00+00:00"
    assert wording.moment(stamp) == "3 February 2026, 22:05 UTC"
    monkeypatch.setattr(wording, "_time_zone", lambda: ZoneInfo("Asia/Tokyo"))
    assert wording.moment(stamp) == "4 February 2026, 07:05"
    assert wording.moment("2026-02-03T22:05:00") == "3 February 2026, 22:05 UTC"
    assert wording.moment("yesterday") == "at an unknown time"
