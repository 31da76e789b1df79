"""The map and the about page in the real app with a real browser: the system's Chromium, headless."""

import importlib.metadata
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from conftest import MODEL, make_home

from e2e.conftest import open_tab
from e2e.server import serving
from similarity import Gallery, Item

pytestmark = pytest.mark.browser

WAIT = 30_000
NASTY = "<img src=x onerror=document.title='hacked'>"


@pytest.fixture(scope="module")
def app_home(shapes: Gallery, home: Path, pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of the app, with the gallery shapes, and one that has a label with markup in it."""
    own = make_home(tmp_path_factory.mktemp("map") / "home", home)
    shutil.copytree(shapes.directory, own / "galleries" / shapes.name)
    folder = tmp_path_factory.mktemp("nasty")
    for number, label in enumerate((NASTY, "rings")):
        shutil.copytree(pictures / ("dots", "rings")[number], folder / label)
    Gallery.build(folder, own / "galleries" / "nasty", model=MODEL)
    return own


@pytest.fixture(scope="module")
def address(app_home: Path) -> Iterator[str]:
    with serving(app_home) as url:
        yield url


@pytest.fixture
def the_map(browser, address: str) -> Iterator:  # type: ignore[no-untyped-def,type-arg]
    """The map of shapes, drawn."""
    tab = open_map(browser, address)
    yield tab
    tab.close()


def open_map(browser, address: str, gallery: str = "shapes"):  # type: ignore[no-untyped-def]
    tab = open_tab(browser, f"{address}/map?gallery={gallery}")
    tab.locator("canvas").first.wait_for(timeout=WAIT)
    tab.wait_for_timeout(300)
    return tab


def spot(tab, app_home: Path, item_id: str, gallery: str = "shapes") -> tuple[float, float, Item]:  # type: ignore[no-untyped-def]
    """Where on the screen a picture's point is, computed from what is kept of the map."""
    opened = Gallery.open(app_home / "galleries" / gallery)
    sha256 = opened.manifest.files["embeddings.npy"]["sha256"]
    (file,) = (app_home / "cache" / "maps").glob(f"*{sha256}*")
    row = [item.id for item in opened.items].index(item_id)
    x, y = ((np.load(file)[row] + 0.04) / 1.08).tolist()
    box = tab.locator("canvas").first.bounding_box()
    left, top, width, height = 1, 36, box["width"] - 2, box["height"] - 37
    return box["x"] + left + x * width, box["y"] + top + (1 - y) * height, opened.items[row]


def parameters(tab) -> dict[str, list[str]]:  # type: ignore[no-untyped-def]
    return parse_qs(urlsplit(tab.url).query)


def test_pointing_at_a_picture_shows_its_thumbnail(the_map, app_home: Path) -> None:  # type: ignore[no-untyped-def]
    x, y, item = spot(the_map, app_home, "rings/rings-3.jpg")
    the_map.mouse.move(x, y)
    shown = the_map.locator(f'img[src*="{item.sha256}"]')
    shown.wait_for(timeout=WAIT)
    the_map.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=shown.element_handle())
    assert the_map.get_by_text("rings-3.jpg").is_visible()


def test_a_click_on_a_picture_searches_with_it_and_there_is_a_way_back(the_map, app_home: Path) -> None:  # type: ignore[no-untyped-def]
    x, y, _ = spot(the_map, app_home, "dots/dots-2.jpg")
    the_map.mouse.move(x, y)
    the_map.mouse.click(x, y)
    the_map.get_by_text("most similar first").wait_for(timeout=WAIT)
    assert parameters(the_map)["like"] == ["item:dots/dots-2.jpg"]
    assert parameters(the_map)["gallery"] == ["shapes"]
    the_map.go_back()
    the_map.locator("canvas").first.wait_for(timeout=WAIT)
    the_map.wait_for_timeout(1000)
    assert urlsplit(the_map.url).path == "/map", "one stays on the map"


def test_the_wheel_zooms_and_the_whole_map_can_be_shown_again(the_map, app_home: Path) -> None:  # type: ignore[no-untyped-def]
    def seen() -> bytes:
        the_map.mouse.move(5, 5)
        the_map.wait_for_timeout(400)
        return bytes(the_map.locator("canvas").first.screenshot())

    whole = seen()
    x, y, _ = spot(the_map, app_home, "dots/dots-2.jpg")
    the_map.mouse.move(x, y)
    the_map.wait_for_timeout(500)
    for _ in range(3):
        the_map.mouse.wheel(0, -400)
        the_map.wait_for_timeout(300)
    assert seen() != whole
    the_map.get_by_role("button", name="Show the whole map").click()
    the_map.wait_for_timeout(1000)
    assert seen() == whole


def test_after_a_search_the_query_is_on_the_map_and_leads_back_to_its_results(browser, address: str) -> None:  # type: ignore[no-untyped-def]
    tab = open_tab(browser, f"{address}/?gallery=shapes&like=item:rings/rings-1.jpg")
    tab.get_by_text("most similar first").wait_for(timeout=WAIT)
    tab.get_by_role("link", name="Map").click()
    tab.get_by_text("Your query, the star on the map").wait_for(timeout=WAIT)
    tab.get_by_alt_text("Your query").wait_for(timeout=WAIT)
    tab.get_by_role("button", name="Back to the results").click()
    tab.get_by_text("most similar first").wait_for(timeout=WAIT)
    assert parameters(tab)["like"] == ["item:rings/rings-1.jpg"]
    tab.close()


def test_without_a_mouse_a_picture_is_found_by_name(the_map) -> None:  # type: ignore[no-untyped-def]
    the_map.get_by_role("combobox", name="Find a picture").focus()
    the_map.keyboard.type("stripes-4")
    the_map.wait_for_timeout(300)
    the_map.keyboard.press("Enter")
    button = the_map.get_by_role("button", name="Search with it")
    button.wait_for(timeout=WAIT)
    button.focus()
    the_map.keyboard.press("Enter")
    the_map.get_by_text("most similar first").wait_for(timeout=WAIT)
    assert parameters(the_map)["like"] == ["item:stripes/stripes-4.jpg"]


def test_a_label_with_markup_in_it_is_shown_as_text(browser, address: str, app_home: Path) -> None:  # type: ignore[no-untyped-def]
    tab = open_map(browser, address, "nasty")
    x, y, item = spot(tab, app_home, f"{NASTY}/dots-0.jpg", "nasty")
    tab.mouse.move(x, y)
    tab.locator(f'img[src*="{item.sha256}"]').wait_for(timeout=WAIT)
    assert tab.get_by_text(NASTY).first.is_visible()
    assert tab.locator('img[src="x"]').count() == 0
    assert tab.title() != "hacked"
    tab.close()


@pytest.mark.parametrize("page", ["map?gallery=shapes", "about"])
def test_the_page_fits_a_telephone(browser, address: str, page: str) -> None:  # type: ignore[no-untyped-def]
    tab = open_tab(browser, f"{address}/{page}")
    tab.set_viewport_size({"width": 390, "height": 844})
    for box in ("document.documentElement", "document.querySelector('[data-testid=stMain]')"):
        tab.wait_for_function(f"{box}.scrollWidth <= 390", timeout=WAIT)
    if page != "about":  # there is room beside it to scroll the page with
        shape = "document.querySelector('canvas')?.getBoundingClientRect()"
        tab.wait_for_function(f"{shape}?.width <= 390 && {shape}?.height <= 0.67 * innerHeight", timeout=WAIT)
    tab.close()


def test_the_about_page_tells_the_model_the_versions_and_where_data_goes(browser, address: str) -> None:  # type: ignore[no-untyped-def]
    tab = open_tab(browser, f"{address}/about")
    tab.get_by_role("cell", name="EfficientNet-Lite2").first.wait_for(timeout=WAIT)
    assert tab.get_by_role("cell", name=importlib.metadata.version("streamlit"), exact=True).first.is_visible()
    assert tab.get_by_text("Where your data goes: nowhere").is_visible()
    assert tab.get_by_role("cell", name="From disk to vectors").is_visible()
    tab.close()
