"""Every page on the screen of a telephone, in the real app with a real browser."""

from collections.abc import Callable
from typing import Any

import pytest

from e2e.conftest import NewTab
from e2e.tabs import drawn, fits, go_on

pytestmark = pytest.mark.browser

# What is on a page once it is there; each is another page than the one before, so that it cannot be taken for that.
PAGES = {
    "galleries": "role=heading[name='Galleries']",
    "evaluate?gallery=shapes": "text=Query by query",
    "galleries?new=1": "input[aria-label='Name']",
    "faceoff?gallery=shapes&against=light&like=item:dots/dots-0.jpg": "text=results are in both",
    "everywhere?gallery=shapes&like=item:dots/dots-0.jpg": "text=results of ",
    "duplicates?gallery=shapes&kind=exact": "text=No duplicates of this kind.",
    "galleries?gallery=shapes": "button:has-text('Check every file')",
    "train?gallery=shapes": "role=heading[name='Train']",
    "map?gallery=shapes": ".atlas .groups li",
    "about": "text=Your pictures stay on the computer",
}


@pytest.mark.exhaustive
def test_no_page_is_wider_than_the_screen_and_none_connects_anywhere(
    new_tab: NewTab, connects_to: Callable[[], set[str]]
) -> None:
    tab = new_tab("?gallery=sample&like=sample:headphones-09-q&precision=0.95", width=390, height=844)
    tab.get_by_test_id("stAlert").wait_for()
    tab.locator(".st-key-results .chance").first.wait_for()
    drawn(tab)
    assert fits(tab), "percentages and the banner above them"
    for place, sign in PAGES.items():
        go_on(tab, place)
        tab.locator(sign).first.wait_for()
        drawn(tab)
        assert fits(tab), place
        if place.startswith("map"):
            leaves_room_to_scroll(tab)
    assert connects_to() == set()


def leaves_room_to_scroll(tab: Any) -> None:
    """The map is low enough for a thumb to scroll the page beside it."""
    box = tab.locator(".atlas .view").bounding_box()
    assert box["width"] <= 390
    assert box["height"] <= 0.67 * 844
