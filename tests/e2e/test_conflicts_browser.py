"""Label conflicts in the real app with a real browser: the system's Chromium, headless."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import MODEL
from PIL import Image

from e2e.conftest import NewTab
from e2e.tabs import drawn, fits
from similarity import Gallery
from similarity.storage.cleanup import delete_gallery

pytestmark = [pytest.mark.browser, pytest.mark.exhaustive]
COPY = "rings/copy.png"


@pytest.fixture
def mislabelled(own_pictures: Path, app_home: Path) -> Iterator[Gallery]:
    """One of the dots is among the rings, too."""
    with Image.open(own_pictures / "dots" / "dots-0.jpg") as image:
        image.save(own_pictures / COPY)
    gallery = Gallery.build(own_pictures, app_home / "galleries" / "mislabelled", model=MODEL)
    yield gallery
    delete_gallery(gallery.directory)


def label(gallery: Gallery) -> str | None:
    return Gallery.open(gallery.directory).find(COPY).label


def test_a_label_is_changed_where_it_contradicts_another_one_and_that_is_undone(
    tab: Any, mislabelled: Gallery, own_pictures: Path
) -> None:
    from playwright.sync_api import expect

    tab.goto("duplicates?gallery=mislabelled&view=conflicts")
    pair = tab.get_by_text("Two that look nearly the same")
    expect(pair).to_be_visible()
    expect(tab.get_by_role("button", name="In the gallery: rings").first).to_be_visible()
    tab.get_by_role("button", name="Label both as dots").click()
    expect(tab.get_by_text("copy.png is now labelled dots").first).to_be_visible()
    expect(pair).to_have_count(0)
    drawn(tab)
    assert label(mislabelled) == "dots"
    assert Gallery.open(mislabelled.directory).sync(own_pictures).find(COPY).label == "dots"
    tab.get_by_role("button", name="Undo").click()
    expect(pair).to_be_visible()
    drawn(tab)
    assert label(mislabelled) == "rings"


@pytest.mark.exhaustive
def test_on_a_telephone_all_fits_and_another_label_can_be_typed(new_tab: NewTab, mislabelled: Gallery) -> None:
    from playwright.sync_api import expect

    tab = new_tab("duplicates?gallery=mislabelled&view=conflicts", width=390, height=844)
    expect(tab.get_by_role("button", name="Label both as dots")).to_be_visible()
    assert fits(tab, 390)
    tab.get_by_role("button", name="Another label").first.click()
    field = tab.get_by_role("combobox", name="label").first
    expect(field).to_be_visible()
    field.fill("loops")
    field.press("Enter")
    expect(tab.get_by_text("dots-0.jpg is now labelled loops").first).to_be_visible()
    drawn(tab)
    assert "loops" in {item.label for item in Gallery.open(mislabelled.directory).items}
