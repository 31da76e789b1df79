"""The lightbox in the real app with a real browser: from one result to the next, back again, and on a telephone."""

import re
from typing import Any

import pytest

from e2e.conftest import NewTab
from e2e.tabs import drawn, fits, parameters, path, rank
from similarity.app.pages import LAB

pytestmark = [pytest.mark.browser, pytest.mark.exhaustive]

SEARCH = "?gallery=sample&like=sample:lamp-02-q"
OPENED = """() => { let one = document.activeElement;
  while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
  return one?.dataset.opens; }"""
SCROLLED = "document.querySelector('[data-testid=\"stMain\"]').scrollTop"
STEPS = 6
CLOSE_AT_ONCE = """() => new MutationObserver(() => {
  const dialog = document.querySelector('[role="dialog"]');
  if (!dialog || window.closedAtOnce) return;
  window.closedAtOnce = true;
  dialog.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true, cancelable: true }));
}).observe(document.body, { childList: true, subtree: true })"""


def look_closer(tab: Any, place: int = 3) -> Any:
    """Open a result of a search."""
    tab.goto(SEARCH)
    rank(tab, place).click()
    return wait_for(tab, place)


def wait_for(tab: Any, place: int) -> Any:
    """Wait until the result at a place is open and drawn."""
    dialog = tab.get_by_role("dialog")
    dialog.get_by_text(f"Rank {place}, score").wait_for()
    drawn(tab)
    return dialog


def place_of(dialog: Any) -> str:
    return str(dialog.locator(".position").inner_text())


def box(element: Any) -> tuple[int, ...]:
    """Where an element is: left, top, width and height."""
    found = element.bounding_box()
    return tuple(round(found[side]) for side in ("x", "y", "width", "height"))


def swipe(tab: Any, start: tuple[int, int], across: int) -> None:
    """Stroke over the screen with one finger."""
    session = tab.context.new_cdp_session(tab)
    x, y = start
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in range(1, STEPS + 1):
        at = {"x": x + across * step / STEPS, "y": y}
        session.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [at]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_arrows_go_on_to_the_next_result_and_escape_leaves_one_at_its_tile(tab: Any) -> None:
    from playwright.sync_api import expect

    dialog = look_closer(tab)
    entries, scrolled = tab.evaluate("history.length"), tab.evaluate(SCROLLED)
    assert place_of(dialog) == "3 of 675"
    for _ in range(3):
        tab.keyboard.press("ArrowRight")
    wait_for(tab, 6)
    tab.keyboard.press("ArrowLeft")
    wait_for(tab, 5)
    dialog.get_by_role("button", name="Previous result").click()
    wait_for(tab, 4)
    assert place_of(dialog) == "4 of 675"
    (shown,) = parameters(tab)["open"]
    assert tab.evaluate("history.length") == entries, "pictures that were passed are no steps back"
    assert tab.evaluate(SCROLLED) == scrolled, "the page behind stays"
    tab.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    tab.wait_for_function(f"(id) => ({OPENED})() === id", arg=shown)
    assert "open" not in parameters(tab)
    tab.keyboard.press("Enter")
    wait_for(tab, 4)


def test_nothing_comes_before_the_first_result(tab: Any) -> None:
    from playwright.sync_api import expect

    dialog = look_closer(tab, 1)
    expect(dialog.get_by_role("button", name="Previous result")).to_have_attribute("aria-disabled", "true")
    tab.keyboard.press("ArrowLeft")
    tab.keyboard.press("ArrowRight")
    wait_for(tab, 2)
    assert place_of(dialog) == "2 of 675"


@pytest.mark.parametrize("width", [1440, 390])
def test_the_picture_is_in_the_address_so_back_closes_it_forward_opens_it_and_a_reload_keeps_it(
    new_tab: NewTab, width: int
) -> None:
    from playwright.sync_api import expect

    tab = new_tab(width=width, height=844)
    dialog = look_closer(tab)
    tab.go_back()
    expect(dialog).to_have_count(0)
    rank(tab, 3)
    assert "open" not in parameters(tab)
    tab.go_forward()
    wait_for(tab, 3)
    tab.reload()
    wait_for(tab, 3)
    place = tab.url
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_have_count(0)
    rank(tab, 3)
    assert "open" not in parameters(tab)
    other = new_tab(place, width=width, height=844)
    shown = wait_for(other, 3)
    shown.get_by_role("button", name="Close").click()
    expect(shown).to_have_count(0)
    rank(other, 3)
    assert "open" not in parameters(other)
    other.reload()
    rank(other, 3)
    assert other.get_by_role("dialog").count() == 0


def test_another_search_from_a_picture_can_be_gone_back_from(tab: Any) -> None:
    from playwright.sync_api import expect

    dialog = look_closer(tab)
    dialog.get_by_role("button", name="Search with it").click()
    expect(dialog).to_have_count(0)
    tab.wait_for_function("location.search.includes('like=item')")
    rank(tab, 1)
    tab.go_back()
    wait_for(tab, 3)
    tab.go_back()
    expect(dialog).to_have_count(0)
    assert parameters(tab)["like"] == ["sample:lamp-02-q"]


def test_a_divider_between_query_and_result_is_dragged_and_moved_with_keys(tab: Any) -> None:
    from playwright.sync_api import expect

    dialog = look_closer(tab)
    dialog.get_by_text("Slider", exact=True).click()
    divider = dialog.get_by_role("slider", name="Divider between query and result")
    expect(divider).to_have_attribute("aria-valuenow", "50")
    divider.press("ArrowRight")
    divider.press("ArrowRight")
    expect(divider).to_have_attribute("aria-valuenow", "54")
    assert place_of(dialog) == "3 of 675", "keys on the divider move it, and nothing else"
    left, top, width, height = box(divider)
    frame = box(dialog.locator(".lightbox .frame"))
    tab.mouse.move(left + width / 2, top + height / 2)
    tab.mouse.down()
    tab.mouse.move(frame[0] + frame[2] / 4, top + 10, steps=3)
    tab.mouse.up()
    expect(divider).to_have_attribute("aria-valuenow", re.compile("2[456]"))
    dialog.locator(".position").click()
    dialog.get_by_role("button", name="Next result").click()
    wait_for(tab, 4)
    expect(divider).to_have_attribute("aria-valuenow", re.compile("2[456]"))


@pytest.mark.parametrize("width", [1440, 390])
def test_heat_takes_the_place_of_the_pictures_and_moves_nothing_above_it(new_tab: NewTab, width: int) -> None:
    tab = new_tab(width=width, height=844)
    dialog = look_closer(tab)
    choice = dialog.get_by_test_id("stButtonGroup")
    result, button = dialog.get_by_alt_text("Result: lamp"), dialog.get_by_role("button", name="Next result")
    before = [box(one) for one in (choice, result, button)]
    dialog.get_by_text("Why", exact=True).click()
    heated = dialog.get_by_alt_text("Result: lamp, with heat")
    heated.wait_for()
    drawn(tab)
    after = [box(one) for one in (choice, heated, button)]
    assert all(
        abs(old - new) <= 1
        for one, other in zip(before, after, strict=True)
        for old, new in zip(one, other, strict=True)
    )
    tab.keyboard.press("ArrowRight")
    wait_for(tab, 4)
    dialog.locator(".why canvas").first.wait_for()


def test_facts_come_before_the_path_and_the_link_can_be_copied(new_tab: NewTab) -> None:
    tab = new_tab()
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    dialog = look_closer(tab)
    assert dialog.get_by_role("heading", level=3).inner_text() == "lamp"
    assert dialog.locator("table").inner_text().startswith("Label")
    assert box(dialog.locator("table"))[1] < box(dialog.locator(".st-key-place code"))[1]
    dialog.get_by_role("button", name="Copy link").click()
    dialog.get_by_text("Link copied").wait_for()
    assert tab.evaluate("navigator.clipboard.readText()") == tab.url


def test_on_a_telephone_it_fills_the_screen_and_a_swipe_goes_on(new_tab: NewTab) -> None:
    from playwright.sync_api import expect

    tab = new_tab(width=390, height=844, has_touch=True, is_mobile=True)
    dialog = look_closer(tab)
    left, top, width, height = box(dialog)
    assert (left, top, width) == (0, 0, 390)
    assert height >= 844
    assert fits(tab)
    assert box(dialog.get_by_alt_text("Result: lamp"))[2] >= 240
    thumbs = [dialog.get_by_role("button", name=name) for name in ("More like this", "Not like this")]
    boxes = [box(one) for one in thumbs]
    assert boxes[0][1] == boxes[1][1], "beside each other"
    assert all(one[2] >= 150 and 36 <= one[3] <= 48 for one in boxes), "in one line each"
    for name in ("Previous result", "Next result"):
        assert min(box(dialog.get_by_role("button", name=name))[2:]) >= 44
    swipe(tab, (300, 300), -160)
    wait_for(tab, 4)
    swipe(tab, (90, 300), 160)
    wait_for(tab, 3)
    dialog.get_by_text("Slider", exact=True).tap()
    divider = dialog.get_by_role("slider", name="Divider between query and result")
    x, y, wide, high = box(divider)
    swipe(tab, (x + wide // 2, y + high // 2), -100)
    expect(divider).not_to_have_attribute("aria-valuenow", "50")
    assert place_of(dialog) == "3 of 675", "a stroke on the divider moves it, and nothing else"


@pytest.mark.parametrize("width", [1440, 390])
def test_what_closes_it_and_the_link_to_it_stay_in_sight(new_tab: NewTab, width: int) -> None:
    from playwright.sync_api import expect

    tab = new_tab(width=width, height=480)
    dialog = look_closer(tab)
    kept = [dialog.get_by_role("button", name=name) for name in ("Close", "Copy link")]
    tab.get_by_test_id("stDialog").evaluate("(one) => { one.scrollTop = one.scrollHeight; }")
    expect(dialog.locator(".st-key-place")).to_be_in_viewport()
    for one in kept:
        expect(one).to_be_in_viewport(ratio=1)
    assert kept[0].bounding_box()["x"] >= sum(kept[1].bounding_box()[side] for side in ("x", "width"))
    kept[0].click()
    expect(dialog).to_have_count(0)


# Whichever of them is there first: the dialog or what is in it.
def test_escape_while_it_is_being_drawn_leaves_no_picture_in_the_address(tab: Any) -> None:
    from playwright.sync_api import expect

    tab.goto(SEARCH)
    rank(tab, 3)
    drawn(tab)
    tab.evaluate(CLOSE_AT_ONCE)
    rank(tab, 3).click()
    tab.wait_for_function("window.closedAtOnce && !location.search.includes('open=')")
    drawn(tab)
    expect(tab.get_by_role("dialog")).to_have_count(0)
    tab.reload()
    rank(tab, 3)
    drawn(tab)
    assert tab.get_by_role("dialog").count() == 0


def test_the_focus_is_given_back_once(tab: Any) -> None:
    dialog = look_closer(tab)
    tab.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    tab.wait_for_function(f"Boolean(({OPENED})())")
    tab.keyboard.press("ArrowRight")
    gone_on = tab.evaluate(OPENED)
    tab.wait_for_timeout(600)
    assert tab.evaluate(OPENED) == gone_on


PAGES = ("map", "galleries", "about", "everywhere", "evaluate", "train", "faceoff", "duplicates")


@pytest.mark.parametrize("page", PAGES)
def test_back_from_another_page_is_one_step_to_the_same_search(tab: Any, page: str) -> None:
    tab.goto(SEARCH)
    rank(tab, 3)
    drawn(tab)
    before = parameters(tab)
    link = tab.locator(f'a[href$="/{page}"]')
    if page in LAB:
        tab.get_by_text("Lab", exact=True).click()
    link.click()
    tab.wait_for_function("(page) => location.pathname === `/${page}`", arg=page)
    tab.get_by_role("heading", level=1).first.wait_for()
    drawn(tab)
    tab.go_back()
    rank(tab, 3)
    assert path(tab) == "/"
    assert parameters(tab) == before
