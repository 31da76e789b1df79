"""Selecting results, bars that filter, the order and the copied link, in the real app with a real browser."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from e2e.conftest import NewTab
from e2e.tabs import drawn, parameters, rank
from similarity import Gallery

pytestmark = [pytest.mark.browser, pytest.mark.exhaustive]
QUERY = "like=item:dots/dots-0.jpg"
BAR = ".st-key-selection-bar"


def search(tab: Any, gallery: str, more: str = "") -> None:
    tab.set_default_timeout(20_000)
    tab.goto(f"?gallery={gallery}&{QUERY}{more}")
    rank(tab, 5)
    drawn(tab)


def pick(tab: Any, number: int) -> None:
    """Select the result of a rank; on a telephone the box is there once anything is selected."""
    place(tab, number).locator(".pick").evaluate("(box) => box.click()")


def place(tab: Any, number: int) -> Any:
    """The place of a result in the grid."""
    return tab.locator(f".st-key-results li[aria-posinset='{number}']")


def top(tab: Any) -> float:
    """Where the grid begins."""
    return float(tab.locator(".st-key-results").evaluate("(grid) => grid.getBoundingClientRect().top"))


@pytest.mark.parametrize("width", [1440, 390])
def test_selected_results_become_a_gallery_and_nothing_moves_meanwhile(
    new_tab: NewTab, own_gallery: Callable[[str], Gallery], width: int
) -> None:
    from playwright.sync_api import expect

    gallery, name = own_gallery("shapes"), f"chosen {width}"
    tab = new_tab(width=width)
    search(tab, gallery.name)
    before = top(tab)
    pick(tab, 2)
    expect(tab.locator(BAR)).to_contain_text("1 selected")
    pick(tab, 4)
    expect(tab.locator(BAR)).to_contain_text("2 selected")
    assert top(tab) == before
    box = tab.locator(BAR).bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    tab.get_by_role("button", name="Make a gallery").click()
    field = tab.get_by_label("Name", exact=True)
    field.fill(name)
    field.press("Enter")
    expect(tab.locator(BAR)).to_contain_text(f"{name} has 2 pictures")
    tab.get_by_role("button", name="Open it").click()
    expect(tab.get_by_text("2 pictures ·")).to_be_visible()
    assert parameters(tab)["gallery"] == [name]
    made = gallery.directory.parent / name
    assert len(Gallery.open(made)) == 2
    shutil.rmtree(made)


def test_selected_results_are_taken_out_and_put_back_with_the_keyboard(
    tab: Any, own_gallery: Callable[[str], Gallery]
) -> None:
    from playwright.sync_api import expect

    gallery = own_gallery("shapes")
    search(tab, gallery.name)
    place(tab, 3).locator(".tile").focus()
    tab.keyboard.press("x")
    expect(tab.locator(BAR)).to_contain_text("1 selected")
    take_out = tab.get_by_role("button", name="Remove from the gallery", exact=False).last
    take_out.focus()
    tab.keyboard.press("Enter")
    tab.get_by_role("dialog").get_by_role("button", name="Remove 1 picture").press("Enter")
    expect(tab.locator(BAR)).to_contain_text("1 file removed")
    assert len(Gallery.open(gallery.directory)) == 14
    expect(tab.get_by_text("This link was made for state")).to_have_count(0)
    tab.get_by_role("button", name="Undo").press("Enter")
    expect(tab.locator(BAR)).to_contain_text("1 file is in the gallery again")
    assert len(Gallery.open(gallery.directory)) == 15


def test_a_bar_filters_keeps_the_focus_and_filters_no_longer_after_a_second_click(tab: Any) -> None:
    from playwright.sync_api import expect

    search(tab, "shapes")
    tab.get_by_role("button", name="Filter").click()
    rings = tab.locator(".histogram").get_by_role("button", name="rings: 5")
    rings.focus()
    tab.keyboard.press("Enter")
    expect(rings).to_have_attribute("aria-pressed", "true")
    expect(rings).to_be_focused()
    expect(tab.locator(".st-key-results .tile")).to_have_count(5)
    assert parameters(tab)["where.label"] == ["rings"]
    tab.keyboard.press("Enter")
    expect(rings).to_have_attribute("aria-pressed", "false")
    assert "where.label" not in parameters(tab)


def test_results_are_put_in_another_order_beside_the_filter(new_tab: NewTab) -> None:
    tab = new_tab(width=390, has_touch=True, is_mobile=True)
    search(tab, "shapes")
    tab.locator(".st-key-sort input").tap()
    tab.get_by_role("option", name="Label A–Z").click()
    tab.get_by_text("ordered by label A–Z").wait_for()
    assert parameters(tab)["sort"] == ["label"]


def test_the_link_to_a_search_is_copied_and_leads_to_it(new_tab: NewTab) -> None:
    from playwright.sync_api import expect

    tab = new_tab(permissions=["clipboard-read", "clipboard-write"])
    search(tab, "shapes", "&where.label=rings&exclude_query=1")
    tab.get_by_role("button", name="Copy link").click()
    expect(tab.get_by_text("Link copied")).to_be_visible()
    assert tab.evaluate("navigator.clipboard.readText()") == tab.url


def test_selected_results_are_exported_with_their_conditions(tab: Any, tmp_path: Path) -> None:
    search(tab, "shapes", "&where.label=rings")
    pick(tab, 1)
    pick(tab, 3)
    tab.locator(".st-key-selection-export button").click()
    with tab.expect_download() as begun:
        tab.locator(".st-key-selection-json button").click()
    begun.value.save_as(tmp_path / "chosen.json")
    facts = json.loads((tmp_path / "chosen.json").read_text())
    assert [hit["rank"] for hit in facts["hits"]] == [1, 3]
    assert facts["conditions"]["where"] == {"label": ["rings"]}


def test_who_switches_selecting_off_on_a_touched_screen_has_nothing_selected(new_tab: NewTab) -> None:
    from playwright.sync_api import expect

    tab = new_tab(width=390, height=844, is_mobile=True, has_touch=True)
    search(tab, "shapes")
    switch = tab.get_by_role("button", name="Select", exact=True)
    switch.tap()
    place(tab, 1).locator(".tile").tap()
    expect(tab.locator(BAR)).to_contain_text("1 selected")
    expect(place(tab, 2).locator(".pick")).to_be_visible()
    switch.tap()
    expect(tab.locator(BAR)).to_have_count(0)
    expect(place(tab, 1).locator(".pick")).not_to_be_checked()
    expect(place(tab, 2).locator(".pick")).to_be_hidden()
