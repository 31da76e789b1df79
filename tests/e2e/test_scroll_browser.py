"""The place that a page is scrolled to, in the real app with a real browser: whoever comes back is there again."""

from typing import Any

import pytest
from playwright.sync_api import expect

from e2e.conftest import NewTab
from e2e.tabs import drawn, rank

pytestmark = [pytest.mark.browser, pytest.mark.exhaustive]

SEARCH = "?gallery=sample&like=sample:lamp-02-q"
SCROLLED = "document.querySelector('[data-testid=\"stMain\"]').scrollTop"
DOWN = 1500
TELEPHONE = {"width": 390, "height": 844, "has_touch": True, "is_mobile": True}


def scroll(tab: Any, down: int = DOWN) -> int:
    """Scroll the results, as a hand does."""
    rank(tab, 1)
    drawn(tab)
    tab.keyboard.press("Shift")  # somebody is there: what follows the page as it is drawn leaves it to them
    tab.evaluate(f"{SCROLLED} = {down}")
    tab.wait_for_timeout(400)
    return int(tab.evaluate(SCROLLED))


def is_at(tab: Any, place: int) -> None:
    """Wait until a page is scrolled to a place, and see that it stays there."""
    tab.wait_for_function(f"(place) => Math.abs({SCROLLED} - place) <= 2", arg=place)
    drawn(tab)
    tab.wait_for_timeout(600)
    assert abs(tab.evaluate(SCROLLED) - place) <= 2


def in_sight(tab: Any) -> Any:
    """A picture in the middle of the screen."""
    tiles = tab.locator(".st-key-results li .tile")
    middle = tab.viewport_size["height"] / 2
    for number in range(tiles.count()):
        box = tiles.nth(number).bounding_box()
        if box and box["y"] <= middle <= box["y"] + box["height"]:
            return tiles.nth(number)
    raise AssertionError("there is none")


@pytest.mark.parametrize("screen", [{"width": 1440, "height": 900}, TELEPHONE], ids=["desktop", "telephone"])
def test_back_from_the_search_with_a_result_leads_to_the_place_it_was_found_at(
    new_tab: NewTab, screen: dict[str, Any]
) -> None:
    tab = new_tab(**screen)
    tab.goto(SEARCH)
    place = scroll(tab)
    in_sight(tab).click()
    dialog = tab.get_by_role("dialog")
    dialog.get_by_role("button", name="Search with it").click()
    tab.wait_for_function("location.search.includes('like=item') && !location.search.includes('open=')")
    rank(tab, 1)
    tab.go_back()
    dialog.wait_for()
    is_at(tab, place)
    tab.go_back()
    dialog.wait_for(state="detached")
    is_at(tab, place)


@pytest.mark.parametrize("page", ["map", "galleries"])
def test_back_from_another_page_leads_to_the_place_in_the_results(tab: Any, page: str) -> None:
    tab.goto(SEARCH)
    place = scroll(tab)
    tab.locator(f'a[href$="/{page}"]').first.click()
    tab.wait_for_function("(page) => location.pathname === `/${page}`", arg=page)
    tab.get_by_role("heading", level=1).first.wait_for()
    drawn(tab)
    tab.go_back()
    is_at(tab, place)


def test_back_from_the_search_with_an_evaluated_query_leads_to_that_query(new_tab: NewTab) -> None:
    tab = new_tab("evaluate?gallery=shapes", height=500)
    query = tab.get_by_alt_text("Query: ").nth(2)
    query.scroll_into_view_if_needed()
    entries = tab.evaluate("history.length")
    query.click()
    rank(tab, 1)
    assert tab.evaluate("history.length") == entries + 1
    tab.go_back()
    tab.get_by_text("Query by query").wait_for()
    tab.wait_for_function(f"{SCROLLED} > 500")
    drawn(tab)
    expect(query).to_be_in_viewport()


def test_a_page_that_is_loaded_again_is_where_it_was(tab: Any) -> None:
    tab.goto(SEARCH)
    place = scroll(tab)
    tab.reload()
    is_at(tab, place)


def test_an_address_that_is_opened_anew_begins_at_the_top(tab: Any) -> None:
    tab.goto(SEARCH)
    scroll(tab)
    tab.goto("map")
    drawn(tab)
    tab.goto(SEARCH)
    rank(tab, 1)
    drawn(tab)
    assert tab.evaluate(SCROLLED) == 0


def test_whoever_scrolls_meanwhile_is_left_alone(tab: Any) -> None:
    tab.goto(SEARCH)
    scroll(tab)
    tab.locator('a[href$="/map"]').first.click()
    tab.wait_for_function("location.pathname === '/map'")
    tab.get_by_role("heading", level=1).first.wait_for()
    drawn(tab)
    tab.evaluate("addEventListener('popstate', () => dispatchEvent(new WheelEvent('wheel')))")
    tab.go_back()
    rank(tab, 1)
    drawn(tab)
    assert tab.evaluate(SCROLLED) == 0
