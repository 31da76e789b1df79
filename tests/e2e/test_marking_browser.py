"""Marks on results in the real app with a real browser: the system's Chromium, headless."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from e2e.conftest import NewTab
from e2e.tabs import drawn, fits, named, names, rank, thumb
from similarity import Gallery
from similarity.storage.feedback import read_feedback

pytestmark = pytest.mark.browser
QUERY = "like=item:dots/dots-0.jpg"


def going_to(tab: Any, gallery: str) -> list[str]:
    """Search a gallery; the names of what is found."""
    tab.goto(f"?gallery={gallery}&{QUERY}")
    rank(tab, 10)
    drawn(tab)
    return names(tab)


def kept(gallery: Gallery) -> list[tuple[str, bool]]:
    return [(Path(mark.item).name, mark.wanted) for mark in read_feedback(gallery.directory)]


def test_a_mark_ranks_anew_at_once_is_kept_and_can_be_taken_back(
    tab: Any, own_gallery: Callable[[str], Gallery]
) -> None:
    from playwright.sync_api import expect

    gallery = own_gallery("shapes")
    before = going_to(tab, gallery.name)
    wanted, unwanted = before[7], before[2]
    rank(tab, 8).hover()
    thumb(tab, wanted, "More like this").click()
    tab.get_by_text("also like it", exact=True).wait_for()
    drawn(tab)
    expect(thumb(tab, wanted, "More like this")).to_have_attribute("aria-pressed", "true")
    assert names(tab) != before
    assert names(tab).index(wanted) < 7
    assert tab.get_by_role("dialog").count() == 0
    rank(tab, 1 + names(tab).index(unwanted)).hover()
    thumb(tab, unwanted, "Not like this").click()
    tab.get_by_text("not like it", exact=True).wait_for()
    drawn(tab)
    expect(named(tab, has_text=unwanted)).to_have_count(0)
    tab.get_by_text("Marks are kept with the gallery").wait_for()
    assert sorted(is_wanted for _, is_wanted in kept(gallery)) == [False, True]
    rank(tab, 1 + names(tab).index(wanted)).hover()
    thumb(tab, wanted, "More like this").click()
    tab.get_by_text("also like it", exact=True).wait_for(state="hidden")
    drawn(tab)
    assert [is_wanted for _, is_wanted in kept(gallery)] == [False]
    tab.locator("[class*='st-key-icon-remove-item'] button").first.click()
    tab.get_by_text("not like it", exact=True).wait_for(state="hidden")
    drawn(tab)
    expect(named(tab)).to_have_text(before)
    assert kept(gallery) == []


@pytest.mark.exhaustive
def test_marks_are_made_with_the_keyboard_which_goes_on_from_there(
    tab: Any, own_gallery: Callable[[str], Gallery]
) -> None:
    from playwright.sync_api import expect

    gallery = own_gallery("shapes")
    name = going_to(tab, gallery.name)[1]
    more = thumb(tab, name, "More like this")
    tab.locator(".st-key-results .tile").nth(1).focus()
    tab.keyboard.press("Tab")
    assert more.evaluate("(one) => one.getRootNode().activeElement === one")
    expect(more).to_have_css("opacity", "1")
    tab.keyboard.press("Enter")
    tab.get_by_text("also like it", exact=True).wait_for()
    expect(more).to_have_attribute("aria-pressed", "true")
    drawn(tab)
    assert more.evaluate("(one) => one.getRootNode().activeElement === one")
    tab.keyboard.press("Enter")
    tab.get_by_text("also like it", exact=True).wait_for(state="hidden")
    assert kept(gallery) == []


@pytest.mark.exhaustive
def test_where_nothing_can_be_pointed_with_the_buttons_are_always_there(new_tab: NewTab) -> None:
    tab = new_tab(width=390, height=844, has_touch=True, is_mobile=True)
    name = going_to(tab, "shapes")[1]
    assert thumb(tab, name, "Not like this").evaluate("(one) => getComputedStyle(one).opacity") == "1"
    assert fits(tab)
