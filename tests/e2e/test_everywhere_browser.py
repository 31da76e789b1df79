"""The page of all galleries in the real app with a real browser."""

from typing import Any

import pytest

from e2e.tabs import drawn, parameters, see

pytestmark = [pytest.mark.browser, pytest.mark.exhaustive]


def test_a_result_opens_in_its_own_gallery_and_a_step_back_leads_to_all_again(tab: Any) -> None:
    tab.goto("everywhere?gallery=shapes&like=item:dots/dots-0.jpg")
    see(tab, "results of ")
    drawn(tab)
    tile = tab.get_by_alt_text("Rank 2:").first
    tile.wait_for()
    named = tile.get_attribute("alt").rpartition(", in ")[2].split(" and ")[0]
    tile.click()
    tab.wait_for_url("**/?gallery=**")
    tab.locator(".st-key-results").get_by_alt_text("Rank 1:").wait_for()
    assert parameters(tab)["gallery"] == [named]
    tab.go_back()
    see(tab, "results of ")
    assert "/everywhere" in tab.url


def test_the_page_is_in_the_menu_where_there_are_several_galleries(tab: Any) -> None:
    tab.goto("?gallery=shapes")
    drawn(tab)
    tab.get_by_role("link", name="Everywhere").first.click()
    tab.get_by_role("heading", name="Everywhere").wait_for()
    drawn(tab)
    assert tab.get_by_text("could not be").count() == 0
