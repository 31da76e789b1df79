"""Another picture in place of the query, and what a telephone has within reach, in a real browser."""

from pathlib import Path
from typing import Any

import pytest

from e2e.conftest import NewTab
from e2e.tabs import drawn, parameters, press, rank

pytestmark = [pytest.mark.browser, pytest.mark.exhaustive]

SEARCH = "?gallery=shapes&like=item:dots/dots-0.jpg&where.label=rings"
TELEPHONE = {"width": 390, "height": 844, "is_mobile": True, "has_touch": True}
SELECT = "(root) => root.atlas.select(root.atlas.membersOf(0))"


def test_another_picture_takes_the_place_of_the_query_and_the_filters_stay(new_tab: NewTab, pictures: Path) -> None:
    tab = new_tab(SEARCH, **TELEPHONE)
    rank(tab, 1)
    drawn(tab)
    tab.get_by_role("button", name="Change", exact=True).tap()
    with tab.expect_file_chooser() as chosen:
        tab.get_by_role("button", name="Another picture").tap()
    chosen.value.set_files(pictures / "rings" / "rings-4.jpg")
    tab.wait_for_url("**like=upload*")
    rank(tab, 1)
    assert parameters(tab)["where.label"] == ["rings"]
    assert len(parameters(tab)["like"]) == 1


def test_one_step_back_from_starting_over_leads_to_the_search_with_its_filter(new_tab: NewTab) -> None:
    tab = new_tab(SEARCH)
    rank(tab, 1)
    drawn(tab)
    press(tab, "Start over")
    tab.wait_for_function("!location.search.includes('like') && !location.search.includes('where')")
    drawn(tab)
    tab.go_back()
    rank(tab, 1)
    assert parameters(tab)["where.label"] == ["rings"]


def test_what_adds_a_picture_unfolds_above_the_bar_of_pages(new_tab: NewTab) -> None:
    tab = new_tab(SEARCH, **TELEPHONE)
    rank(tab, 1)
    drawn(tab)
    tab.get_by_role("button", name="Change", exact=True).tap()
    tab.locator(".st-key-query-more summary").tap()
    bar = tab.locator(".st-key-bottom-bar").bounding_box()["y"]
    tab.wait_for_function(
        "(bar) => document.querySelector('.st-key-query-more [data-testid=stFileUploader]')"
        "?.getBoundingClientRect().bottom <= bar",
        arg=bar,
    )


def test_what_is_selected_on_the_map_of_a_telephone_covers_no_tool(new_tab: NewTab) -> None:
    tab = new_tab("map?gallery=shapes", **TELEPHONE)
    tab.locator(".atlas .groups li").first.wait_for()
    drawn(tab)
    tab.locator(".atlas").evaluate(SELECT)
    bar = box(tab, ".st-key-map-selection")
    for tool in (".atlas .lassoing", ".atlas .fit"):
        place = box(tab, tool)
        assert place["y"] + place["height"] <= bar["y"], tool
    assert bar["y"] + bar["height"] <= box(tab, ".st-key-bottom-bar")["y"]


def box(tab: Any, selector: str) -> Any:
    """Where an element is on the screen; it is waited for."""
    found = tab.locator(selector)
    found.wait_for()
    return found.bounding_box()
