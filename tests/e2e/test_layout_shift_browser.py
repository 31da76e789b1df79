"""What moves on the page, by the browser's own measure: nothing from a click to results, little while a page loads."""

from typing import Any

import pytest

from e2e.conftest import NewTab
from e2e.tabs import drawn, rank

pytestmark = [pytest.mark.browser, pytest.mark.exhaustive]

# The share of the screen that moves, times how far; also within the half second after a click, which browsers excuse.
MOST = 0.02
# Streamlit fetches the scripts of its own fields and tables while a page is drawn, and only then knows their heights.
# On a telephone more of them stand above each other.
MOST_WHILE_LOADING, MOST_ON_A_TELEPHONE = 0.1, 0.3
SETTLES_MS = 2_000
WATCH = """() => {
  window.shifts = [];
  new PerformanceObserver((list) => list.getEntries().forEach((entry) => window.shifts.push({
    value: entry.value,
    moved: entry.sources.map(({ node, previousRect, currentRect }) =>
      `${node?.className ?? "?"} from ${previousRect.y} to ${currentRect.y}`),
  }))).observe({ type: "layout-shift" });
}"""


SIZES = pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])


def moved_by(shifts: list[dict[str, Any]]) -> float:
    """Add up how far things moved."""
    return sum(shift["value"] for shift in shifts)


@SIZES
@pytest.mark.parametrize("picture", ["Sample: Guitar", "In the gallery:"])
def test_nothing_moves_from_a_click_on_a_picture_to_its_results(
    new_tab: NewTab, picture: str, width: int, height: int
) -> None:
    is_touched = width < 500
    tab = new_tab("?gallery=sample", width=width, height=height, has_touch=is_touched, is_mobile=is_touched)
    clicked = tab.get_by_alt_text(picture).first
    clicked.wait_for()
    drawn(tab)
    tab.wait_for_timeout(SETTLES_MS)
    tab.evaluate(WATCH)
    clicked.click()
    rank(tab, 10)
    drawn(tab)
    tab.wait_for_timeout(SETTLES_MS)
    shifts: list[dict[str, Any]] = tab.evaluate("window.shifts")
    assert moved_by(shifts) <= MOST, shifts


@SIZES
@pytest.mark.parametrize(
    "place", ["?gallery=sample", "?gallery=sample&like=sample:lamp-02-q", "map?gallery=sample", "galleries", "about"]
)
def test_little_moves_while_a_page_is_loaded_by_its_address(
    new_tab: NewTab, place: str, width: int, height: int
) -> None:
    is_touched = width < 500
    tab = new_tab("about", width=width, height=height, has_touch=is_touched, is_mobile=is_touched)
    tab.add_init_script(f"({WATCH})()")
    tab.goto(place)
    drawn(tab)
    tab.wait_for_timeout(SETTLES_MS)
    shifts: list[dict[str, Any]] = tab.evaluate("window.shifts")
    assert moved_by(shifts) <= (MOST_ON_A_TELEPHONE if is_touched else MOST_WHILE_LOADING), shifts


@pytest.mark.parametrize("query", ["", "&like=item:rings/rings-1.jpg", "&each=item:rings/rings-1.jpg"])
def test_the_menu_of_filters_stays_under_the_pointer_while_one_chooses_in_it(new_tab: NewTab, query: str) -> None:
    tab = new_tab(f"?gallery=shapes{query}", width=1440, height=900)
    tab.get_by_role("button", name="Filter").click()
    menu = tab.get_by_test_id("stPopoverBody")
    value = menu.get_by_text("dots", exact=True)
    value.wait_for()
    drawn(tab)
    tab.wait_for_timeout(SETTLES_MS)
    before = value.bounding_box()
    value.click()
    tab.get_by_role("button", name="Remove filter: Label: dots").wait_for()
    drawn(tab)
    tab.wait_for_timeout(SETTLES_MS)
    assert value.bounding_box() == pytest.approx(before, abs=2)


# What an element of our own would animate.
MOVING = """() => {
  const moving = [];
  const look = (root, isOurs) => root.querySelectorAll("*").forEach((element) => {
    const style = getComputedStyle(element);
    const isMoving = style.animationName !== "none" || style.transitionDuration.split(", ").some((one) => one !== "0s");
    if (isOurs && isMoving) moving.push(element.outerHTML.slice(0, 100));
    if (element.shadowRoot) look(element.shadowRoot, true);
  });
  look(document, false);
  return moving;
}"""


@pytest.mark.parametrize("place", ["?gallery=sample&like=sample:lamp-02-q", "map?gallery=sample", "galleries"])
def test_whoever_asks_for_less_motion_sees_none_of_ours(new_tab: NewTab, place: str) -> None:
    tab = new_tab(place, reduced_motion="reduce")
    drawn(tab)
    tab.wait_for_timeout(SETTLES_MS)
    assert tab.evaluate(MOVING) == []
