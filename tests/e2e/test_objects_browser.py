"""Objects in the query's picture, in the real app with a real browser: the system's Chromium, headless."""

import random
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from e2e.conftest import NewTab
from e2e.tabs import drawn, fits, named, names, parameters
from similarity.bench.scenes import compose, cut_out
from similarity.sample import FOLDER

pytestmark = [pytest.mark.browser, pytest.mark.exhaustive]


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    """A clock and a vase of the sample in one picture."""
    products = []
    for name in ("clock/clock-06-1.jpg", "vase/vase-09-1.jpg"):
        with Image.open(FOLDER / "gallery" / name) as image:
            products.append(cut_out(image.convert("RGB")))
    with Image.open(FOLDER / "gallery" / "chair" / "chair-01-1.jpg") as backdrop:
        made = compose([cut for cut in products if cut], backdrop.convert("RGB"), random.Random(3))
    assert made is not None
    made[0].save(tmp_path / "scene.png")
    return tmp_path / "scene.png"


def show(tab: Any, picture: Path) -> None:
    tab.locator('[data-testid="stFileUploader"] input').first.set_input_files(picture)
    chip(tab, "Object 1 of 2").wait_for()
    names(tab)
    drawn(tab)


def chip(tab: Any, name: str) -> Any:
    return tab.get_by_role("group", name="Search with").get_by_role("button", name=name, exact=True)


@pytest.mark.exhaustive
def test_a_chip_searches_with_its_object_and_one_for_each_groups_the_results(new_tab: NewTab, scene: Path) -> None:
    from playwright.sync_api import expect

    tab = new_tab("?gallery=sample")
    show(tab, scene)
    for number, label in enumerate(("vase", "clock"), 1):
        chip(tab, f"Object {number} of 2").click()
        expect(chip(tab, f"Object {number} of 2")).to_have_attribute("aria-pressed", "true")
        expect(named(tab).first).to_contain_text(label)
        drawn(tab)
        assert "@" in parameters(tab)["like"][0]
    chip(tab, "Each object").focus()
    tab.keyboard.press("Enter")
    expect(chip(tab, "Each object")).to_have_attribute("aria-pressed", "true")
    for number in (1, 2):
        expect(tab.locator(f".st-key-object-{number} li")).to_have_count(10)
    drawn(tab)
    assert parameters(tab)["objects"] == ["1"]
    assert "@" not in parameters(tab)["like"][0]
    tab.locator(".st-key-object-2 li button").first.click()
    tab.get_by_role("dialog").get_by_text("Rank 1, score").wait_for()
    tab.keyboard.press("Escape")
    tab.get_by_role("dialog").wait_for(state="detached")
    chip(tab, "The whole picture").click()
    expect(chip(tab, "The whole picture")).to_have_attribute("aria-pressed", "true")
    names(tab)
    assert "objects" not in parameters(tab)


@pytest.mark.exhaustive
def test_chips_are_large_enough_for_a_thumb(new_tab: NewTab, scene: Path) -> None:
    tab = new_tab("?gallery=sample", width=390, height=844)
    tab.locator('[data-testid="stFileUploader"] input').first.set_input_files(scene)
    tab.get_by_role("button", name="Change", exact=True).click()
    chip(tab, "Object 1 of 2").wait_for()
    for name in ("The whole picture", "Object 1 of 2", "Object 2 of 2", "Each object"):
        box = chip(tab, name).bounding_box()
        assert min(box["width"], box["height"]) >= 44
    chip(tab, "Each object").click()
    tab.locator(".st-key-object-2 li").first.wait_for()
    drawn(tab)
    assert fits(tab)
