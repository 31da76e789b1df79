"""The tools above the results and the notices below them, in the real app with a real browser."""

import re
from typing import Any

import pytest

from e2e.conftest import NewTab
from e2e.tabs import drawn, names, parameters, rank, thumb

pytestmark = [pytest.mark.browser, pytest.mark.exhaustive]

TELEPHONE: dict[str, Any] = {"width": 390, "height": 844, "has_touch": True, "is_mobile": True}
QUERY = "like=item:dots/dots-0.jpg"
SHAPES = f"?gallery=shapes&{QUERY}"
FINGER = 44  # pixels
HIGH = "(all) => all.map((one) => one.getBoundingClientRect().height)"
# What is cut short: of the words of a button, and of the choices of a menu.
CUT = "(all) => all.filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.textContent)"


def on_a_telephone(new_tab: NewTab, place: str = SHAPES) -> Any:
    tab = new_tab(place, **TELEPHONE)
    rank(tab, 3)
    drawn(tab)
    return tab


def menu(tab: Any, name: str) -> Any:
    return tab.get_by_test_id("stPopoverButton").filter(has_text=name)


def open_sheet(tab: Any, name: str = "Filter") -> Any:
    menu(tab, name).tap()
    sheet = tab.get_by_test_id("stPopoverBody")
    sheet.get_by_role("button", name="Done", exact=True).wait_for()
    return sheet


@pytest.mark.parametrize("name", ["Filter", "Export"])
def test_a_sheet_is_closed_by_its_button_by_a_tap_beside_it_and_by_a_step_back(new_tab: NewTab, name: str) -> None:
    from playwright.sync_api import expect

    tab = on_a_telephone(new_tab)
    address = tab.url
    for leave in (
        lambda: tab.get_by_role("button", name="Done", exact=True).tap(),
        lambda: tab.touchscreen.tap(200, 100),
        tab.go_back,
    ):
        sheet = open_sheet(tab, name)
        leave()
        expect(sheet).to_have_count(0)
        tab.wait_for_function("history.state?.sheet === undefined")
        assert tab.url == address
        rank(tab, 3)


def test_what_was_chosen_in_a_sheet_stays_when_a_step_back_closes_it_and_the_next_steps_undo_it(
    new_tab: NewTab,
) -> None:
    from playwright.sync_api import expect

    tab = on_a_telephone(new_tab)
    sheet = open_sheet(tab)
    sheet.get_by_role("button", name=re.compile("^rings: ")).tap()
    tab.wait_for_url("**where.label=rings**")
    drawn(tab)
    tab.go_back()
    expect(sheet).to_have_count(0)
    assert parameters(tab)["where.label"] == ["rings"]
    tab.go_back()
    tab.wait_for_function("!location.search.includes('where')")
    rank(tab, 3)
    assert parameters(tab)["like"] == ["item:dots/dots-0.jpg"]
    drawn(tab)
    tab.go_forward()
    tab.wait_for_url("**where.label=rings**")
    drawn(tab)
    assert parameters(tab)["where.label"] == ["rings"]


def test_a_step_back_closes_the_panel_of_the_query(new_tab: NewTab) -> None:
    tab = on_a_telephone(new_tab)
    address = tab.url
    change = tab.get_by_role("button", name="Change", exact=True)
    change.tap()
    tab.get_by_role("button", name="Start over").wait_for()
    tab.go_back()
    change.wait_for()
    tab.get_by_role("button", name="Start over").wait_for(state="hidden")
    assert tab.url == address


def test_what_is_tapped_in_a_menu_is_high_enough_for_a_finger_and_not_cut_short(new_tab: NewTab) -> None:
    tab = on_a_telephone(new_tab)
    tab.locator(".st-key-sort input").tap()
    options = tab.get_by_role("option")
    options.first.wait_for()
    assert min(options.evaluate_all(HIGH)) >= FINGER
    assert options.locator("*").evaluate_all(CUT) == []
    tab.keyboard.press("Escape")
    sheet = open_sheet(tab)
    sheet.locator(".histogram .bar").first.wait_for()
    buttons = sheet.locator(".histogram button, .sheet-head button, [data-variant=segmented_control]")
    assert min(buttons.evaluate_all(HIGH)) >= FINGER


def test_each_tool_above_the_results_has_its_word(new_tab: NewTab) -> None:
    from playwright.sync_api import expect

    tab = on_a_telephone(new_tab)
    toolbar = tab.locator(".st-key-toolbar")
    for word in ("Filter", "Export", "Copy link", "Select", "Size"):
        expect(toolbar.get_by_text(word, exact=True)).to_be_visible()
    assert menu(tab, "Export").locator("p").evaluate_all(CUT) == []
    tab.set_viewport_size({"width": 1440, "height": 900})
    for word in ("Filter", "Export", "Copy link", "Size"):
        expect(toolbar.get_by_text(word, exact=True)).to_be_visible()


@pytest.mark.parametrize("device", [{}, TELEPHONE], ids=["wide", "telephone"])
def test_a_mark_says_what_it_has_done_and_is_undone(new_tab: NewTab, device: dict[str, Any]) -> None:
    from playwright.sync_api import expect

    tab = new_tab(SHAPES, **device)
    rank(tab, 3).hover()
    drawn(tab)
    before = names(tab)
    thumb(tab, before[2], "Not like this").click()
    expect(tab.get_by_text(f"Ranked again: less like {before[2]}")).to_be_visible()
    drawn(tab)
    assert before[2] not in names(tab)
    tab.get_by_role("button", name="Undo", exact=True).click()
    expect(tab.get_by_text("Ranked again")).to_have_count(0)
    tab.wait_for_function("!location.search.includes('not=')")
    drawn(tab)
    assert names(tab) == before


def test_filters_that_stay_on_for_another_picture_are_said_and_can_be_cleared(new_tab: NewTab) -> None:
    from playwright.sync_api import expect

    tab = new_tab(f"{SHAPES}&where.label=rings&sort=label")
    rank(tab, 3)
    drawn(tab)
    said = tab.get_by_text("Still on: Label: rings · Label A–Z")
    expect(said).to_have_count(0)
    tab.locator(".st-key-results .tile").nth(2).click()
    tab.get_by_role("button", name="Search with it").click()
    expect(said).to_be_visible()
    tab.get_by_role("button", name="Clear", exact=True).click()
    expect(said).to_have_count(0)
    tab.wait_for_function("!/where|sort/.test(location.search)")
    rank(tab, 8)
