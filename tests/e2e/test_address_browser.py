"""The address of a page names the gallery that it shows, also when another page had chosen it."""

from typing import Any

import pytest
from playwright.sync_api import expect

from e2e.conftest import NewTab
from e2e.tabs import drawn, parameters

pytestmark = [pytest.mark.browser, pytest.mark.exhaustive]


@pytest.mark.parametrize("page", ["map", "evaluate"])
def test_a_page_that_is_loaded_again_shows_the_same_gallery_and_one_step_back_leaves_it(
    new_tab: NewTab, page: str
) -> None:
    tab = new_tab("?gallery=shapes")
    chosen_is(tab, "shapes")
    tab.locator(f'a[href$="/{page}"]').first.click() if page == "map" else open_lab(tab, "Evaluate")
    tab.wait_for_url(f"**/{page}?gallery=shapes")
    drawn(tab)
    entries = tab.evaluate("history.length")
    tab.reload()
    chosen_is(tab, "shapes")
    assert tab.evaluate("history.length") == entries
    tab.go_back()
    chosen_is(tab, "shapes")
    assert parameters(tab) == {"gallery": ["shapes"]}
    assert page not in tab.url.split("?")[0].rsplit("/", 1)[-1]


def test_the_gallery_that_is_shown_by_default_needs_no_address(new_tab: NewTab) -> None:
    tab = new_tab("")
    chosen_is(tab, "sample")
    assert parameters(tab) == {}


def chosen_is(tab: Any, name: str) -> None:
    expect(tab.get_by_role("combobox", name="Gallery", exact=True)).to_have_value(name)
    drawn(tab)


def open_lab(tab: Any, page: str) -> None:
    tab.get_by_test_id("stTopNavSection").click()
    tab.get_by_text(page, exact=True).last.click()
