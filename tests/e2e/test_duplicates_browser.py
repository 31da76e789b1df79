"""The duplicates page of the real app in a real browser."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import MODEL
from scenes import draw_scene

from e2e.conftest import NewTab
from e2e.tabs import drawn, fits, press, see
from similarity import Gallery
from similarity.sources.base import files_of

pytestmark = [pytest.mark.browser, pytest.mark.exhaustive]


@pytest.fixture
def twice(app_home: Path, pictures: Path, tmp_path: Path) -> Iterator[Gallery]:
    """A gallery in which one picture has an exact copy, and another one is there turned and smaller."""
    folder = Path(shutil.copytree(pictures, tmp_path / "twice"))
    shutil.copy(folder / "dots" / "dots-0.jpg", folder / "rings" / "copy.jpg")
    scene = draw_scene(1)
    scene.save(folder / "dots" / "scene.jpg", quality=92)
    scene.rotate(90, expand=True).save(folder / "dots" / "turned.jpg", quality=92)
    yield Gallery.build(folder, app_home / "galleries" / "twice", model=MODEL)
    shutil.rmtree(app_home / "galleries" / "twice")


def ids(gallery: Gallery) -> set[str]:
    return {file.id for file in files_of(Gallery.open(gallery.directory).items)}


def kept(tab: Any) -> Any:
    """The only picture that is kept."""
    return tab.locator("button.tile.kept")


def tile(tab: Any, name: str) -> Any:
    return tab.locator("button.tile", has_text=name)


def test_another_picture_is_kept_the_rest_taken_out_and_put_back(new_tab: NewTab, twice: Gallery) -> None:
    from playwright.sync_api import expect

    before = ids(twice)
    tab = new_tab("duplicates?gallery=twice&kind=exact")
    see(tab, "1 picture could go")
    expect(kept(tab)).to_contain_text("dots-0.jpg")
    tile(tab, "copy.jpg").click()
    expect(kept(tab)).to_contain_text("copy.jpg")
    press(tab, "Take the other out")
    see(tab, "1 file removed. Nothing was deleted from a disk.")
    see(tab, "No duplicates of this kind.")
    expect(kept(tab)).to_contain_text("copy.jpg")  # the row is still in its place
    assert ids(twice) == before - {"dots/dots-0.jpg"}
    press(tab, "Undo")
    tile(tab, "dots-0.jpg").wait_for()
    expect(kept(tab)).to_contain_text("copy.jpg")
    assert ids(twice) == before
    press(tab, "Dismiss")
    tab.get_by_text("One picture of each group is kept").wait_for()


@pytest.mark.exhaustive
def test_on_a_telephone_groups_fit_and_all_others_can_be_taken_out(new_tab: NewTab, twice: Gallery) -> None:
    tab = new_tab("duplicates?gallery=twice&kind=exact", width=390, height=844)
    see(tab, "1 picture could go")
    tile(tab, "copy.jpg").wait_for()
    drawn(tab)
    assert fits(tab)
    press(tab, "Take the others out")
    see(tab, "Their files stay where they are")
    assert fits(tab)
    press(tab, "Take 1 picture out (all groups)")
    see(tab, "No duplicates of this kind.")
    drawn(tab)
    assert fits(tab)
    assert len(ids(twice)) == 17


@pytest.mark.exhaustive
def test_a_picture_that_was_turned_is_found_and_said_to_be_turned(new_tab: NewTab, twice: Gallery) -> None:
    tab = new_tab("duplicates?gallery=twice")
    tile(tab, "turned.jpg").or_(tile(tab, "scene.jpg")).get_by_text("turned 90°").wait_for()
    assert len(twice) == 17, "exact copies are one"
