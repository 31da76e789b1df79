"""The map in the real app with a real browser: the system's Chromium, headless."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from e2e.conftest import NASTY, NewTab
from e2e.tabs import drawn, go_on, parameters, path
from similarity import Gallery, Item

pytestmark = [pytest.mark.browser, pytest.mark.exhaustive]

# What is painted on the map, as a number that changes when it is painted otherwise; 0 as long as nothing is.
PAINTED = """() => {
  const canvas = document.querySelector("canvas");
  if (!canvas) return 0;
  const pixels = new Uint32Array(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer);
  return pixels.reduce((sum, value, place) => (sum + value * (place % 9973)) % 1000000007, 0);
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
    """Wait until it is, and takes what the mouse does."""
    tab.wait_for_function(PAINTED)
    drawn(tab)


def layout(app_home: Path, gallery: str) -> tuple[Gallery, np.ndarray]:
    """A gallery, and where its pictures are on the map, from what is kept of that: shares of its width and height."""
    opened = Gallery.open(app_home / "galleries" / gallery)
    sha256 = opened.manifest.files["embeddings.npy"]["sha256"]
    (file,) = (app_home / "cache" / "maps").glob(f"*{sha256}*")
    return opened, (np.load(file) + 0.04) / 1.08


def on_screen(tab: Any, x: float, y: float) -> tuple[float, float]:
    """Where a place on the map is."""
    box = tab.locator("canvas").first.bounding_box()
    left, top, width, height = 1, 36, box["width"] - 2, box["height"] - 37
    return box["x"] + left + x * width, box["y"] + top + (1 - y) * height


def spot(tab: Any, app_home: Path, item_id: str, gallery: str = "shapes") -> tuple[float, float, Item]:
    """Where on the screen a picture's point is."""
    opened, points = layout(app_home, gallery)
    row = [item.id for item in opened.items].index(item_id)
    return *on_screen(tab, *points[row].tolist()), opened.items[row]


def point_at(tab: Any, app_home: Path, item_id: str, gallery: str = "shapes") -> tuple[float, float]:
    """Move the mouse to a picture and wait until its thumbnail is shown; where that is."""
    x, y, item = spot(tab, app_home, item_id, gallery)
    tab.mouse.move(x, y)
    shown = tab.locator(f'img[src*="{item.sha256}"]')
    shown.wait_for()
    tab.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=shown.element_handle())
    return x, y


def test_a_picture_is_shown_when_it_is_pointed_at_and_a_click_searches_with_it(the_map: Any, app_home: Path) -> None:
    x, y = point_at(the_map, app_home, "dots/dots-2.jpg")
    the_map.get_by_text("dots-2.jpg").wait_for()
    the_map.mouse.click(x, y)
    the_map.get_by_text("most similar first").wait_for()
    assert parameters(the_map)["like"] == ["item:dots/dots-2.jpg"]
    assert parameters(the_map)["gallery"] == ["shapes"]
    the_map.go_back()
    map_is_drawn(the_map)
    point_at(the_map, app_home, "rings/rings-3.jpg")
    drawn(the_map)
    assert path(the_map) == "/map", "one stays on the map"


def test_the_wheel_zooms_and_the_whole_map_can_be_shown_again(the_map: Any, app_home: Path) -> None:
    whole = the_map.evaluate(PAINTED)
    # Where no picture is that would look different because it is pointed at.
    _, points = layout(app_home, "shapes")
    places = np.stack(np.meshgrid(*[np.linspace(0.2, 0.8, 20)] * 2), axis=-1).reshape(-1, 2)
    distances = np.linalg.norm(places[:, np.newaxis] - points, axis=-1).min(axis=1)
    the_map.mouse.move(*on_screen(the_map, *places[distances.argmax()].tolist()))
    assert the_map.evaluate(PAINTED) == whole
    # Before the mouse has rested on a chart for 400 ms, Streamlit takes the wheel to be meant for the page.
    the_map.wait_for_function("(moved) => performance.now() > moved + 450", arg=the_map.evaluate("performance.now()"))
    the_map.mouse.wheel(0, -400)
    the_map.wait_for_function(f"(whole) => ({PAINTED})() !== whole", arg=whole)
    the_map.get_by_role("button", name="Show the whole map").click()
    the_map.mouse.move(5, 5)
    the_map.wait_for_function(f"(whole) => ({PAINTED})() === whole", arg=whole)


def test_after_a_search_the_query_is_on_the_map_and_leads_back_to_its_results(tab: Any) -> None:
    tab.goto("?gallery=shapes&like=item:rings/rings-1.jpg")
    tab.get_by_text("most similar first").wait_for()
    tab.get_by_role("link", name="Map").click()
    tab.get_by_text("Your query, the star on the map").wait_for()
    tab.get_by_alt_text("Your query").wait_for()
    tab.get_by_role("button", name="Back to the results").click()
    tab.get_by_text("most similar first").wait_for()
    assert parameters(tab)["like"] == ["item:rings/rings-1.jpg"]


def test_without_a_mouse_a_picture_is_found_by_name(the_map: Any) -> None:
    from playwright.sync_api import expect

    the_map.get_by_role("combobox", name="Find a picture").focus()
    the_map.keyboard.type("stripes-4")
    expect(the_map.get_by_role("option")).to_have_text(["stripes-4.jpg · stripes"])
    the_map.keyboard.press("Enter")
    button = the_map.get_by_role("button", name="Search with it")
    button.wait_for()
    button.focus()
    the_map.keyboard.press("Enter")
    the_map.get_by_text("most similar first").wait_for()
    assert parameters(the_map)["like"] == ["item:stripes/stripes-4.jpg"]


def test_a_label_with_markup_in_it_is_shown_as_text(tab: Any, app_home: Path) -> None:
    open_map(tab, "nasty")
    point_at(tab, app_home, f"{NASTY}/dots-0.jpg", "nasty")
    tab.get_by_text(NASTY).first.wait_for()
    go_on(tab, "evaluate?gallery=nasty")
    tab.locator(".tile .label", has_text="onerror").first.wait_for()
    drawn(tab)
    assert tab.locator('img[src="x"]').count() == 0
    assert tab.title() != "hacked"
