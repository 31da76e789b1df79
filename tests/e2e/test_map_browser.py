"""The map in the real app with a real browser: the system's Chromium, headless."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from e2e.conftest import NASTY, NewTab
from e2e.tabs import drawn, go_on, parameters, path
from similarity import Gallery

pytestmark = [pytest.mark.browser, pytest.mark.exhaustive]

# Where on the screen a picture is; then what the camera sees, and how many different colours the pictures are painted
# in, of which there is one as long as nothing is.
PLACE = """(root, name) => {
  const { map, camera } = root.atlas;
  const index = map.names.indexOf(name);
  const box = root.querySelector(".view").getBoundingClientRect();
  const [x, y] = camera.toScreen(map.points[2 * index] / 65535, map.points[2 * index + 1] / 65535);
  return [box.x + x, box.y + y];
}"""
SEEN = "(root) => { const { x, y, zoom } = root.atlas.camera; return [x, y, zoom]; }"
COLOURS = """(root) => {
  root.atlas.isStale = true;
  root.atlas.draw();
  const { width, height } = root.atlas.parts.pictures;
  const copy = new OffscreenCanvas(width, height).getContext("2d");
  copy.drawImage(root.atlas.parts.pictures, 0, 0);
  return new Set(new Uint32Array(copy.getImageData(0, 0, width, height).data.buffer)).size;
}"""


@pytest.fixture
def the_map(new_tab: NewTab) -> Any:
    """The map of shapes, drawn."""
    return open_map(new_tab(), "shapes")


def open_map(tab: Any, gallery: str) -> Any:
    tab.goto(f"map?gallery={gallery}")
    map_is_drawn(tab)
    return tab


def map_is_drawn(tab: Any) -> None:
    """Wait until it is, with all of its sheets."""
    atlas(tab).locator(".groups li").first.wait_for()
    wait_until(tab, "(root) => root.atlas.images.every(Boolean) && root.atlas.overlay.camera")
    drawn(tab)


def atlas(tab: Any) -> Any:
    return tab.locator(".atlas")


def wait_until(tab: Any, condition: str) -> None:
    tab.wait_for_function(f"(root) => ({condition})(root)", arg=atlas(tab).element_handle())


def zoom(tab: Any) -> float:
    return float(atlas(tab).evaluate(SEEN)[2])


def wait_until_still(tab: Any) -> None:
    wait_until(tab, "(root) => root.atlas.camera.flight === 0")


def spot(tab: Any, name: str) -> tuple[float, float]:
    x, y = atlas(tab).evaluate(PLACE, name)
    return x, y


def point_at(tab: Any, name: str) -> tuple[float, float]:
    """Move the mouse to a picture and wait until it is shown larger; where it is."""
    x, y = spot(tab, name)
    tab.mouse.move(x, y)
    atlas(tab).locator(".tip", has_text=name).wait_for()
    return x, y


def draw_around(tab: Any, name: str, radius: float = 6) -> None:
    """Draw a circle around the middle of a picture."""
    x, y = spot(tab, name)
    tab.mouse.move(x + radius, y)
    tab.mouse.down()
    for step in range(13):
        angle = 2 * math.pi * step / 12
        tab.mouse.move(x + radius * math.cos(angle), y + radius * math.sin(angle))
    tab.mouse.up()


def test_a_picture_is_shown_when_it_is_pointed_at_and_a_click_leads_to_a_search(the_map: Any) -> None:
    x, y = point_at(the_map, "dots-2.jpg")
    the_map.mouse.click(x, y)
    button = atlas(the_map).get_by_role("button", name="Search with it")
    button.wait_for()
    button.click()
    the_map.get_by_text("most similar first").wait_for()
    assert parameters(the_map)["like"] == ["item:dots/dots-2.jpg"]
    assert parameters(the_map)["gallery"] == ["shapes"]
    the_map.go_back()
    map_is_drawn(the_map)
    point_at(the_map, "rings-3.jpg")
    assert path(the_map) == "/map", "one stays on the map"


def test_the_wheel_and_the_buttons_zoom_and_all_can_be_seen_again(the_map: Any) -> None:
    x, y = spot(the_map, "rings-0.jpg")
    the_map.mouse.move(x, y)
    the_map.mouse.wheel(0, -400)
    wait_until(the_map, "(root) => root.atlas.camera.zoom > 1.5")
    assert spot(the_map, "rings-0.jpg") == pytest.approx((x, y), abs=60), "what one points at stays there"
    before = zoom(the_map)
    atlas(the_map).get_by_role("button", name="Zoom in").click()
    wait_until_still(the_map)
    assert zoom(the_map) == pytest.approx(1.6 * before, rel=0.01)
    atlas(the_map).get_by_role("button", name="Fit").click()
    wait_until_still(the_map)
    assert zoom(the_map) == 1


def test_pictures_that_are_large_on_the_screen_are_fetched_sharp(the_map: Any) -> None:
    wait_until(the_map, "(root) => root.atlas.sharp.there().length === 15")
    assert atlas(the_map).evaluate(COLOURS) > 100


@pytest.mark.parametrize("renderer", ["webgl", "canvas"])
def test_pictures_are_drawn_with_and_without_webgl(new_tab: NewTab, renderer: str) -> None:
    tab = new_tab()
    tab.add_init_script(f"globalThis.atlasRenderer = '{renderer}'")
    open_map(tab, "shapes")
    assert atlas(tab).get_attribute("data-drawn-by") == renderer
    assert atlas(tab).evaluate(COLOURS) > 100


def test_after_a_search_the_query_is_on_the_map_and_leads_back_to_its_results(tab: Any) -> None:
    tab.goto("?gallery=shapes&like=item:rings/rings-1.jpg")
    tab.get_by_text("most similar first").wait_for()
    tab.get_by_role("link", name="Map").first.click()
    map_is_drawn(tab)
    tab.get_by_alt_text("Your query").wait_for()
    atlas(tab).get_by_role("button", name="Show my query").click()
    atlas(tab).get_by_text("Your query, with its nearest pictures ringed.").wait_for()
    tab.get_by_role("button", name="Back to the results").click()
    tab.get_by_text("most similar first").wait_for()
    assert parameters(tab)["like"] == ["item:rings/rings-1.jpg"]


def test_without_a_mouse_a_picture_is_found_by_name(the_map: Any) -> None:
    from playwright.sync_api import expect

    the_map.get_by_role("combobox", name="Find a picture").focus()
    the_map.keyboard.type("stripes-4")
    expect(the_map.get_by_role("option")).to_have_text(["stripes-4.jpg · stripes"])
    the_map.keyboard.press("Enter")
    button = atlas(the_map).get_by_role("button", name="Search with it")
    button.wait_for()
    button.focus()
    the_map.keyboard.press("Enter")
    the_map.get_by_text("most similar first").wait_for()
    assert parameters(the_map)["like"] == ["item:stripes/stripes-4.jpg"]


def test_the_keys_move_and_zoom_the_map_and_open_what_is_in_the_middle(the_map: Any) -> None:
    view = atlas(the_map).locator(".view")
    view.focus()
    the_map.keyboard.press("+")
    the_map.keyboard.press("+")
    wait_until_still(the_map)
    assert zoom(the_map) == pytest.approx(1.6**2), "the second key is not lost in the flight of the first"
    before = atlas(the_map).evaluate(SEEN)[0]
    the_map.keyboard.press("ArrowRight")
    assert atlas(the_map).evaluate(SEEN)[0] > before
    the_map.keyboard.press("0")
    wait_until_still(the_map)
    assert zoom(the_map) == 1
    atlas(the_map).evaluate("(root) => { root.atlas.flyToPicture(6); root.atlas.closeCard(); }")
    the_map.keyboard.press("Enter")  # while it flies there, or after
    atlas(the_map).get_by_role("button", name="Search with it").wait_for()
    assert atlas(the_map).evaluate("(root) => root.atlas.shown.opened") == 6
    the_map.keyboard.press("Escape")
    atlas(the_map).locator(".card").wait_for(state="hidden")
    assert view.evaluate("(view) => view.getRootNode().activeElement === view"), "the focus is where it was"


def test_a_group_of_the_list_is_zoomed_to_and_selected(the_map: Any) -> None:
    first = atlas(the_map).locator(".groups li").first
    first.locator(".group").focus()
    the_map.keyboard.press("Enter")
    wait_until_still(the_map)
    assert zoom(the_map) > 1
    the_map.keyboard.press("Tab")
    the_map.keyboard.press("Enter")
    count = atlas(the_map).evaluate("(root) => root.atlas.map.clusters[0].count")
    the_map.get_by_text(f"{count} selected", exact=True).wait_for()


@pytest.mark.parametrize("by", ["button", "shift"])
def test_what_the_lasso_goes_around_is_selected_and_can_be_cleared(the_map: Any, by: str) -> None:
    from playwright.sync_api import expect

    line = the_map.get_by_text("1 selected", exact=True)
    if by == "button":
        atlas(the_map).get_by_role("button", name="Lasso").click()
        draw_around(the_map, "stripes-1.jpg")
    else:
        the_map.keyboard.down("Shift")
        draw_around(the_map, "stripes-1.jpg")
        the_map.keyboard.up("Shift")
    line.wait_for()
    assert zoom(the_map) == 1, "the map did not move"
    the_map.get_by_role("button", name="Clear").click()
    expect(line).to_have_count(0)
    wait_until(the_map, "(root) => root.atlas.selected.size === 0")


def test_selected_pictures_are_exported_and_searched_with(the_map: Any) -> None:
    atlas(the_map).get_by_role("button", name="Select the").first.click()
    the_map.get_by_text("selected", exact=False).first.wait_for()
    drawn(the_map)
    the_map.get_by_role("button", name="Export").click()
    with the_map.expect_download() as download:
        the_map.get_by_role("button", name="Table (CSV)").click()
    assert download.value.suggested_filename == "shapes-selected.csv"
    the_map.keyboard.press("Escape")
    the_map.get_by_role("button", name="Search with them").click()
    the_map.get_by_text("most similar first").wait_for()
    assert len(parameters(the_map)["like"]) > 1


def test_selected_pictures_are_labelled_and_the_map_shows_the_new_label(
    tab: Any, own_gallery: Callable[[str], Gallery]
) -> None:
    gallery = own_gallery("shapes")
    open_map(tab, gallery.name)
    tab.keyboard.down("Shift")
    draw_around(tab, "stripes-1.jpg")
    tab.keyboard.up("Shift")
    tab.get_by_text("1 selected", exact=True).wait_for()
    drawn(tab)
    tab.get_by_role("button", name="Label", exact=True).click()
    tab.get_by_test_id("stPopoverBody").get_by_role("combobox", name="Label").fill("zebra")
    tab.keyboard.press("Enter")
    tab.get_by_role("button", name="Label 1 picture").click()
    tab.get_by_text("now labelled").first.wait_for()
    wait_until(tab, "(root) => root.atlas.map.labels.includes('zebra')")
    assert Gallery.open(gallery.directory).find("stripes/stripes-1.jpg").label == "zebra"


def test_with_less_motion_the_map_does_not_fly(new_tab: NewTab) -> None:
    tab = open_map(new_tab(reduced_motion="reduce"), "shapes")
    found = atlas(tab).evaluate("(root) => { root.atlas.showGroup(0); return root.atlas.camera.flight; }")
    assert found == 0
    assert zoom(tab) > 1


def test_on_a_telephone_a_tap_opens_a_picture_and_two_fingers_zoom(new_tab: NewTab) -> None:
    tab = open_map(new_tab(width=390, height=844, has_touch=True, is_mobile=True), "shapes")
    x, y = spot(tab, "dots-1.jpg")
    tab.touchscreen.tap(x, y)
    atlas(tab).get_by_role("button", name="Search with it").wait_for()
    atlas(tab).get_by_role("button", name="Close").tap()
    box = atlas(tab).locator(".view").bounding_box()
    across, down = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    fingers = tab.context.new_cdp_session(tab)
    for kind, apart in (("touchStart", 20), ("touchMove", 60), ("touchMove", 100)):
        points = [{"x": across - apart, "y": down, "id": 0}, {"x": across + apart, "y": down, "id": 1}]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    fingers.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    wait_until(tab, "(root) => root.atlas.camera.zoom > 2")


def test_a_label_with_markup_in_it_is_shown_as_text(tab: Any) -> None:
    open_map(tab, "nasty")
    point_at(tab, "dots-0.jpg")
    atlas(tab).locator(".tip", has_text=NASTY).wait_for()
    atlas(tab).locator(".groups .name", has_text="onerror").first.wait_for()
    go_on(tab, "evaluate?gallery=nasty")
    tab.locator(".tile .label", has_text="onerror").first.wait_for()
    drawn(tab)
    assert tab.locator('img[src="x"]').count() == 0
    assert tab.title() != "hacked"
