"""The grid of results in the real app with a real browser: rows, a thousand results, the keyboard, and what moves."""

import random
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from e2e.conftest import NewTab
from e2e.tabs import drawn, parameters, rank
from similarity import Gallery

pytestmark = [pytest.mark.browser, pytest.mark.exhaustive]

MANY, LIGHTEST = 1_050, "efficientnet-lite0"
# The boxes of the pictures that are drawn, of the whole grid, and the ratio that each picture has itself.
BOXES = """(list) => {
  const [grid, found] = [list.getBoundingClientRect(), []];
  for (const image of list.querySelectorAll(".frame img")) {
    const box = image.getBoundingClientRect();
    if (image.naturalWidth) found.push({
      left: box.left - grid.left, right: box.right - grid.left, top: Math.round(box.top - grid.top),
      width: box.width, height: box.height, own: image.naturalWidth / image.naturalHeight, id: image.alt });
  }
  return { width: grid.width, found };
}"""
# Scrolls to the end of the page, 120 pixels a frame; the milliseconds between frames.
SCROLL = """() => new Promise((done) => {
  const main = document.querySelector('[data-testid="stMain"]');
  const gaps = [];
  let last = performance.now();
  const step = (now) => {
    gaps.push(now - last);
    last = now;
    main.scrollTop += 120;
    if (main.scrollTop + main.clientHeight >= main.scrollHeight - 2) done(gaps);
    else requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})"""
# What moves from now on, but for half a second after each click, which browsers do not count.
WATCH = """() => {
  window.shifts = [];
  new PerformanceObserver((list) => window.shifts.push(...list.getEntries().filter((one) => !one.hadRecentInput)))
    .observe({ type: "layout-shift" });
}"""
SHIFTED = "() => window.shifts.reduce((sum, one) => sum + one.value, 0)"
# What has the focus, inside an element of our own too.
FOCUSED = """() => {
  let one = document.activeElement;
  while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
  return one?.dataset.of ?? one?.tagName;
}"""


@pytest.fixture(scope="session")
def many(app_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Gallery:
    """A gallery of more pictures than a search finds, upright and lying ones, some of them very much so."""
    folder, drawn_ = tmp_path_factory.mktemp("many"), random.Random(3)
    for number in range(MANY):
        size = drawn_.choice([(60, 90), (90, 60), (80, 80), (70, 90), (120, 50), (200, 30), (30, 160)])
        colour = tuple(drawn_.randrange(256) for _ in range(3))
        picture = Image.new("RGB", size, colour)
        picture.paste((number % 256, number // 256 * 50, 90), (5, 5, 25, 5 + number % 20))
        picture.save(folder / f"p{number:04}.jpg")
    return Gallery.build(folder, app_home / "galleries" / "many", model=LIGHTEST)


def searched(tab: Any, **parameters: object) -> Any:
    """Search the gallery `many`; the grid of results."""
    more = "".join(f"&{name}={value}" for name, value in parameters.items())
    tab.goto(f"?gallery=many&like=item:p0000.jpg&copies=0{more}")
    tab.locator(".st-key-results .tile").first.wait_for()
    drawn(tab)
    return tab.locator(".st-key-results .tiles")


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.usefixtures("many")
def test_pictures_keep_their_ratios_in_rows_that_fill_the_width(new_tab: NewTab, width: int) -> None:
    tab = new_tab(width=width, height=900)
    grid = searched(tab)
    tab.wait_for_timeout(1000)  # until pictures have come
    boxes = grid.evaluate(BOXES)
    rows: dict[int, list[dict[str, Any]]] = {}
    for box in boxes["found"]:
        rows.setdefault(box["top"], []).append(box)
        shown = min(max(box["own"], 0.4), 3.2)  # stripes have frames of such a ratio, and are whole in them
        assert box["width"] / box["height"] == pytest.approx(shown, rel=0.02 if shown != box["own"] else 0.01)
    assert len(rows) >= 3
    for row in list(rows.values())[:-1]:
        assert max(box["height"] for box in row) - min(box["height"] for box in row) < 0.1
        assert min(box["left"] for box in row) == pytest.approx(0, abs=1)
        assert max(box["right"] for box in row) == pytest.approx(boxes["width"], abs=2)


@pytest.mark.usefixtures("many")
def test_all_thousand_results_are_scrolled_through_without_a_dropped_second(tab: Any) -> None:
    from playwright.sync_api import expect

    grid = searched(tab)
    gaps = tab.evaluate(SCROLL)
    expect(grid.locator(".rank").last).to_have_text("1000")
    expect(grid.locator(".waiting")).to_have_count(0)
    assert grid.locator("li").count() < 150, "only those near the window are in the page"
    assert max(gaps) < 1000
    assert sorted(gaps)[len(gaps) // 2] < 40


@pytest.mark.usefixtures("many")
def test_an_old_link_to_a_page_of_results_leads_to_its_first_one(tab: Any) -> None:
    from playwright.sync_api import expect

    searched(tab, k=100, page=9)
    expect(tab.get_by_alt_text("Rank 801:")).to_be_in_viewport(ratio=0.9)
    assert parameters(tab)["page"] == ["9"]


@pytest.mark.usefixtures("many")
def test_another_query_is_read_from_its_first_result(tab: Any) -> None:
    from playwright.sync_api import expect

    grid = searched(tab)
    tab.evaluate("document.querySelector('[data-testid=\"stMain\"]').scrollTop = 4000")
    expect(tab.get_by_alt_text("Rank 1:")).to_have_count(0)
    grid.locator("li:not([aria-hidden=true]) .tile").nth(20).click()
    tab.get_by_role("button", name="Search with it").click()
    tab.get_by_role("dialog").wait_for(state="hidden")
    expect(tab.get_by_alt_text("Rank 1:")).to_be_in_viewport(ratio=0.9)


@pytest.mark.usefixtures("many")
def test_arrows_move_in_the_grid_which_is_one_stop_and_a_closed_dialog_gives_the_focus_back(tab: Any) -> None:
    from playwright.sync_api import expect

    grid = searched(tab)
    grid.locator(".tile").first.focus()
    for _ in range(3):
        tab.keyboard.press("ArrowRight")
    expect(grid.locator("li").nth(3).locator(".tile")).to_be_focused()
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("ArrowUp")
    assert tab.evaluate(FOCUSED).startswith("tile ")
    tab.keyboard.press("End")
    last = grid.locator("li[aria-posinset='1000'] .tile")
    expect(last).to_be_focused()
    tab.keyboard.press("Enter")
    tab.get_by_role("dialog").wait_for()
    tab.keyboard.press("Escape")
    tab.get_by_role("dialog").wait_for(state="hidden")
    expect(last).to_be_focused()
    drawn(tab)
    tab.wait_for_timeout(1000)  # the focus may be given back once more while the dialog's last script ends
    for kind in ("more", "less", "pick"):
        tab.keyboard.press("Tab")
        assert tab.evaluate(FOCUSED).startswith(f"{kind} ")
    tab.keyboard.press("Tab")
    assert grid.evaluate("(list) => list.getRootNode().activeElement === null"), "the next stop is out of the grid"


@pytest.mark.usefixtures("many")
def test_the_slider_resizes_pictures_at_once_and_a_browser_keeps_it(tab: Any) -> None:
    from playwright.sync_api import expect

    grid = searched(tab)
    slider = tab.get_by_role("slider", name="Picture size")
    before = grid.locator("li").first.bounding_box()["height"]
    slider.fill("300")
    tab.wait_for_function("(list) => list.querySelector('li').offsetHeight > 260", arg=grid.element_handle())
    slider.fill("80")
    expect(grid.locator(".captions")).to_have_count(0)
    grid.locator("li").nth(2).hover()
    expect(grid.locator("li").nth(2).locator(".place")).to_be_visible()
    assert grid.locator("li").first.bounding_box()["height"] < before
    tab.reload()
    expect(slider).to_have_value("80")
    expect(grid.locator(".dense .captions, .captions")).to_have_count(0)


@pytest.mark.parametrize("width", [1440])
def test_nothing_moves_from_a_click_to_the_results_nor_when_one_is_marked(new_tab: NewTab, width: int) -> None:
    place = "?gallery=sample&like=sample:lamp-02-q"
    tab = new_tab(place, width=width, height=900)  # what is measured once per gallery has been
    rank(tab, 1)
    tab.goto("?gallery=sample")
    tab.get_by_alt_text("Sample: Guitar").first.wait_for()
    drawn(tab)
    tab.evaluate(WATCH)
    tab.get_by_alt_text("Sample: Guitar").first.click()
    rank(tab, 1)
    drawn(tab)
    assert tab.evaluate(SHIFTED) <= 0.02
    third = tab.locator(".st-key-results li").nth(2)
    third.hover()
    before = tab.locator(".st-key-results .tiles").bounding_box()["y"]
    third.get_by_role("button", name="Not like this").click()
    tab.get_by_text("not like it", exact=True).wait_for()
    drawn(tab)
    # Results change places, which was asked for; their grid stays where it is.
    assert tab.locator(".st-key-results .tiles").bounding_box()["y"] == pytest.approx(before, abs=1)


def test_on_a_telephone_thumbs_are_below_pictures(new_tab: NewTab) -> None:
    tab = new_tab("?gallery=sample&like=sample:lamp-02-q", width=390, height=844, has_touch=True, is_mobile=True)
    rank(tab, 1)
    drawn(tab)
    for number in range(6):
        item = tab.locator(".st-key-results li").nth(number)
        picture, thumbs = item.locator(".frame").bounding_box(), item.locator(".thumbs").bounding_box()
        assert thumbs["y"] >= picture["y"] + picture["height"]
        assert thumbs["x"] + thumbs["width"] <= 390


@pytest.mark.usefixtures("many")
def test_the_pictures_of_a_gallery_have_no_end_before_the_last_one(tab: Any) -> None:
    from playwright.sync_api import expect

    tab.goto("?gallery=many")
    tab.locator(".st-key-gallery-pictures .tile").first.wait_for()
    drawn(tab)
    tab.locator(".st-key-gallery-pictures .tile").first.focus()
    last = tab.locator(f".st-key-gallery-pictures li[aria-posinset='{MANY}'] .tile")
    for _ in range(20):
        tab.keyboard.press("End")
        with suppress(AssertionError):
            expect(last).to_be_focused(timeout=2000)
            break
    expect(last).to_be_focused()
