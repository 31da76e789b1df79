"""The palette, and where the keyboard's focus goes, in the real app with a real browser."""

from collections.abc import Callable
from typing import Any

import pytest

from e2e.conftest import NewTab
from e2e.tabs import drawn, parameters, path, rank

pytestmark = [pytest.mark.browser, pytest.mark.exhaustive]

# The element that keys go to, inside elements of our own too: its name, or "nowhere".
FOCUSED = """() => {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  return !element || element === document.body ? "nowhere" : element.getAttribute("aria-label") || element.title
    || element.textContent.trim() || element.tagName;
}"""


def call(tab: Any, key: str = "/") -> Any:
    """Open the palette by a key."""
    from playwright.sync_api import expect

    drawn(tab)
    tab.locator(".st-key-palette .keys dt").first.wait_for(state="attached")  # its script runs, and hears keys
    tab.keyboard.press(key)
    field = tab.get_by_role("combobox", name="Galleries, pages, samples and actions")
    expect(field).to_be_focused()
    return field


def options(tab: Any) -> Any:
    return tab.locator(".st-key-palette").get_by_role("option")


def chosen(tab: Any) -> str:
    return str(tab.locator(".st-key-palette [role=option][aria-selected=true]").inner_text())


def test_the_palette_is_opened_narrowed_and_closed_by_key_and_gives_the_focus_back(new_tab: NewTab) -> None:
    from playwright.sync_api import expect

    tab = new_tab("?gallery=shapes")
    opener = tab.get_by_role("button", name="Go to")
    opener.focus()
    field = call(tab, "Control+k")
    tab.keyboard.type("li")
    assert "light" in options(tab).all_inner_texts()
    assert "Map" not in options(tab).all_inner_texts()
    first = chosen(tab)
    tab.keyboard.press("ArrowDown")
    assert chosen(tab) != first
    tab.keyboard.press("ArrowUp")
    assert chosen(tab) == first
    expect(field).to_have_attribute("aria-activedescendant", "option-0")
    tab.keyboard.type(" no such thing")
    tab.get_by_text("Nothing has this name.").wait_for()
    tab.keyboard.press("Escape")
    expect(opener).to_be_focused()


def test_a_slash_in_a_field_is_a_slash_and_a_question_mark_shows_the_shortcuts(new_tab: NewTab) -> None:
    from playwright.sync_api import expect

    tab = new_tab("galleries?new=1")
    field = tab.get_by_role("textbox", name="Name")
    field.focus()
    tab.keyboard.type("a/b?")
    expect(field).to_have_value("a/b?")
    expect(tab.get_by_role("dialog", name="Go to")).to_have_count(0)
    tab.keyboard.press("Escape")
    field.blur()
    tab.keyboard.press("?")
    tab.get_by_text("The same, also while typing").wait_for()


def test_a_gallery_a_page_and_a_sample_are_gone_to_and_the_query_stays(new_tab: NewTab) -> None:
    tab = new_tab("?gallery=shapes&like=sample:lamp-02-q")
    rank(tab, 1)
    call(tab)
    tab.keyboard.type("light")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**gallery=light**")
    assert parameters(tab)["like"] == ["sample:lamp-02-q"]
    call(tab)
    tab.keyboard.type("map")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/map**")
    call(tab)
    tab.keyboard.type("guitar")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/?*guitar*")
    assert path(tab) == "/"
    rank(tab, 1)


def test_the_link_is_copied(new_tab: NewTab) -> None:
    tab = new_tab("?gallery=shapes", permissions=["clipboard-read", "clipboard-write"])
    call(tab, "Control+k")
    tab.keyboard.type("copy")
    tab.keyboard.press("Enter")
    tab.get_by_text("Copied.").wait_for()
    assert "gallery=shapes" in tab.evaluate("navigator.clipboard.readText()")


def focus_settles(tab: Any, act: Callable[[], Any], sign: Any) -> str:
    """Do something, wait for what it brings, and name what has the focus then."""
    act()
    sign.first.wait_for()
    drawn(tab)
    tab.wait_for_function(f"({FOCUSED})() !== 'nowhere'", timeout=5_000)
    return str(tab.evaluate(FOCUSED))


def test_the_focus_is_never_lost_to_the_body(new_tab: NewTab) -> None:
    tab = new_tab("?gallery=sample")
    results = tab.locator(".st-key-results")
    first = results.get_by_alt_text("Rank 1:")
    enter = lambda: tab.keyboard.press("Enter")  # noqa: E731
    tab.get_by_role("button", name="Sample: Guitar").first.focus()
    assert "guitar" in focus_settles(tab, enter, first), "searched by key"
    dialog = tab.get_by_role("dialog")
    focus_settles(tab, enter, dialog)
    tab.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    assert "guitar" in focus_settles(tab, lambda: None, first), "closed a dialog"
    results.get_by_role("button", name="More like this").first.focus()
    focus_settles(tab, enter, results.locator('[aria-pressed="true"]'))
    tab.get_by_role("button", name="Start over").focus()
    focus_settles(tab, enter, tab.get_by_role("button", name="Sample: Guitar"))
    tab.goto("?gallery=sample&like=sample:lamp-02-q&min=1")
    tab.get_by_role("button", name="Clear all filters").last.focus()
    assert "lamp" in focus_settles(tab, enter, first), "cleared the filters"


def test_who_looks_for_a_dark_app_is_told_what_it_follows(new_tab: NewTab) -> None:
    tab = new_tab("?gallery=shapes")
    call(tab)
    tab.keyboard.type("dark")
    tab.keyboard.press("Enter")
    tab.get_by_text("The app is dark or light as your system is").wait_for()
