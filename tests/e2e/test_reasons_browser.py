"""Why a result is similar, in the real app with a real browser."""

import re
from typing import Any

import pytest

from e2e.conftest import NewTab
from e2e.tabs import fits

pytestmark = [pytest.mark.browser, pytest.mark.exhaustive]

# What is painted on the picture of a side, as a number that changes when it is painted otherwise.
PAINTED = """(canvas) => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data
  .reduce((sum, value, place) => (sum * 31 + value * (place % 97)) % 1000003, 7)"""


def look_closer(tab: Any, place: str, rank: int) -> Any:
    """Open a result of a search beside its query."""
    tab.goto(place)
    tab.locator(".st-key-results").get_by_alt_text(f"Rank {rank}:").click()
    dialog = tab.get_by_role("dialog")
    dialog.get_by_text("Why", exact=True).wait_for()
    return dialog


def painted(dialog: Any) -> list[int]:
    return [dialog.locator(".why canvas").nth(number).evaluate(PAINTED) for number in (0, 1)]


def test_heat_is_shown_on_both_pictures_when_it_is_asked_for(tab: Any) -> None:
    dialog = look_closer(tab, "?gallery=sample&like=sample:lamp-02-q", 3)
    assert dialog.locator(".why").count() == 0
    dialog.get_by_text("Why", exact=True).click()
    dialog.get_by_alt_text("Your query: lamp-02-q.jpg, with heat").wait_for()
    dialog.get_by_alt_text("Result: lamp, with heat").wait_for()
    dialog.get_by_text(re.compile(r"Of the score of 0\.\d\d, 0\.\d\d comes from the two pictures")).wait_for()
    assert len(set(painted(dialog))) == 2

    slider = dialog.get_by_role("slider", name="Heat")
    canvas = dialog.locator(".why canvas").first
    assert canvas.evaluate("(one) => one.style.opacity") == "0.75"
    slider.fill("20")
    assert canvas.evaluate("(one) => one.style.opacity") == "0.2"

    before = painted(dialog)
    query, result = dialog.locator(".why .frame").first, dialog.locator(".why .frame").nth(1)
    query.hover(position={"x": 120, "y": 200})
    dialog.get_by_text("Where this region of the query matches in the result.").wait_for()
    here = painted(dialog)
    assert here[0] == before[0]
    assert here[1] != before[1]
    result.hover()
    dialog.get_by_text("Where this region of the result matches in the query.").wait_for()
    assert painted(dialog)[0] != before[0]
    dialog.get_by_role("heading", level=3).hover()
    dialog.get_by_text("Point at a region of either picture").wait_for()
    assert painted(dialog) == before

    dialog.get_by_role("slider", name="Heat").press("Shift+Tab")  # with the keyboard
    query.focus()
    dialog.get_by_text("Arrow keys choose a region of this picture.").wait_for()
    query.press("ArrowRight")
    chosen = painted(dialog)
    assert chosen[1] != before[1]
    query.press("ArrowDown")
    assert painted(dialog)[1] != chosen[1]
    query.press("Escape")
    assert painted(dialog) == before
    dialog.wait_for()
    dialog.get_by_text("Both", exact=True).click()
    dialog.locator(".why").wait_for(state="detached")
    dialog.get_by_alt_text("Result: lamp").wait_for()


def test_a_tap_shows_where_a_region_matches_and_another_one_ends_that(new_tab: NewTab) -> None:
    query = "like=item:rings/rings-1.jpg@5,10,80,95"
    tab = new_tab(width=390, has_touch=True)
    dialog = look_closer(tab, f"?gallery=shapes&{query}", 2)
    dialog.get_by_text("Why", exact=True).tap()
    frame = dialog.locator(".why .frame").first
    frame.wait_for()
    assert fits(tab)
    before = painted(dialog)
    frame.tap()
    assert painted(dialog)[1] != before[1]
    assert dialog.locator(".cell.shown").count() == 1
    frame.tap()
    assert painted(dialog) == before
