"""A picture that is turned and cropped is found again, in the real app with a real browser, wide and on a telephone."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from e2e.conftest import NewTab
from e2e.tabs import come_to_fit, drawn, parameters
from similarity import Gallery

pytestmark = pytest.mark.browser

SOURCE = "bag-05-2.jpg"
UPLOADER = '[data-testid="stFileUploader"] input'
# Where the pixels in the colour of an outline lie: left, top, right, bottom, as shares of the picture's sides.
OUTLINED = """async (image) => {
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  const [xs, ys] = [[], []];
  for (let place = 0; place < data.length; place += 4) {
    const far = [20, 163, 148].reduce((sum, value, channel) => sum + Math.abs(value - data[place + channel]), 0);
    if (far < 45) {
      xs.push(((place / 4) % canvas.width) / canvas.width);
      ys.push(Math.floor(place / 4 / canvas.width) / canvas.height);
    }
  }
  const least = (values) => values.reduce((one, other) => Math.min(one, other), 1);
  const most = (values) => values.reduce((one, other) => Math.max(one, other), 0);
  return [least(xs), least(ys), most(xs), most(ys)];
}"""

# How high the place of the first result is, in each frame in which there is one.
HEIGHTS = """window.heights = [];
const look = () => {
  const host = [...document.querySelectorAll(".st-key-results *")].find((node) => node.shadowRoot);
  const first = (host?.shadowRoot ?? document).querySelector(".tiles li");
  if (first) window.heights.push(first.offsetHeight);
  requestAnimationFrame(look);
};
look();"""


@pytest.fixture
def altered(sample: Gallery, tmp_path: Path) -> Path:
    """A part of a picture of the sample, turned by 90 degrees."""
    item = next(item for item in sample.items if item.path.endswith(SOURCE))
    with Image.open(item.path) as image:
        width, height = image.size
        part = image.crop((int(0.15 * width), int(0.1 * height), int(0.9 * width), int(0.85 * height)))
    part.transpose(Image.Transpose.ROTATE_270).save(tmp_path / "holiday.png")
    return tmp_path / "holiday.png"


def find_it(tab: Any, file: Path) -> Any:
    """Search with a file; returns the first tile, which is the picture's that it was made of."""
    tab.goto("?gallery=sample")
    tab.get_by_text("The pictures of this gallery").or_(tab.get_by_text("Try one of these")).first.wait_for()
    drawn(tab)
    tab.locator(UPLOADER).first.set_input_files(file)
    first = tab.locator(".st-key-results .tile").first
    first.locator(".copy").wait_for()
    assert first.locator(".name").inner_text() == SOURCE
    return first


def look_closer(tab: Any, tile: Any) -> Any:
    """Open the tile of a copy, whose region is outlined on both pictures."""
    tile.click()
    dialog = tab.get_by_role("dialog")
    dialog.get_by_text("The outlines show what both have in common.").wait_for()
    whole = dialog.get_by_alt_text("Your query: holiday.png").evaluate(OUTLINED)
    part = dialog.get_by_alt_text("Result: bag").evaluate(OUTLINED)
    assert whole == pytest.approx([0, 0, 1, 1], abs=0.05)
    assert part == pytest.approx([0.15, 0.1, 0.9, 0.85], abs=0.05)
    dialog.get_by_text("Why", exact=True).click()
    dialog.locator(".why .match").nth(1).wait_for()
    left, top, width, height = (
        dialog.locator(".why .match")
        .nth(1)
        .evaluate(
            "({ style }) => [style.left, style.top, style.width, style.height].map((edge) => parseFloat(edge) / 100)"
        )
    )
    assert [left, top, width, height] == pytest.approx([0.15, 0.1, 0.75, 0.75], abs=0.03)
    return dialog


@pytest.mark.exhaustive
def test_a_turned_and_cropped_picture_is_found_first_and_marked(tab: Any, altered: Path) -> None:
    from playwright.sync_api import expect

    first = find_it(tab, altered)
    expect(first.locator(".copy")).to_have_text("Same picture: yours is cropped, turned 90° right")
    expect(first.locator(".rank")).to_have_text("1")
    expect(tab.locator(".st-key-results .copy")).to_have_count(1)
    tab.get_by_text("This very picture is in the gallery").wait_for()
    look_closer(tab, first)
    tab.keyboard.press("Escape")
    tab.get_by_role("dialog").wait_for(state="detached")
    tab.get_by_role("button", name="Filter").click()
    tab.get_by_text("Show copies of your picture first").click()
    expect(tab.locator(".st-key-results .copy")).to_have_count(0)
    assert parameters(tab)["copies"] == ["0"]


@pytest.mark.exhaustive
def test_a_query_that_is_in_the_gallery_is_marked_at_once_and_its_row_keeps_its_height(tab: Any) -> None:
    tab.add_init_script(HEIGHTS)
    tab.goto("?gallery=sample&like=item:bag-05-2")
    tab.locator(".st-key-results .copy").first.wait_for()
    drawn(tab)
    heights = tab.evaluate("window.heights")
    assert len(set(heights)) == 1, heights


@pytest.mark.exhaustive
def test_on_a_telephone_it_is_marked_and_outlined_likewise(new_tab: NewTab, altered: Path) -> None:
    tab = new_tab(width=390, height=844)
    first = find_it(tab, altered)
    drawn(tab)
    come_to_fit(tab)
    badge, tile = first.locator(".copy").bounding_box(), first.bounding_box()
    assert tile["x"] <= badge["x"] <= badge["x"] + badge["width"] <= tile["x"] + tile["width"] + 1
    look_closer(tab, first)
    come_to_fit(tab)
