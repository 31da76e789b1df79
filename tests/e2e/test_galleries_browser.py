"""The galleries page of the real app in a real browser: everything on it is done in the background by the real code.

What needs no browser to be shown is shown without one too, in test_galleries_page.py: in one it is in the exhaustive
tier.
"""

import itertools
import re
import shutil
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import MODEL, Site

from e2e.conftest import DATASET, NewTab
from e2e.tabs import drawn, press, run_anew, see
from similarity import Gallery

pytestmark = pytest.mark.browser
COUNT = 24
numbers = itertools.count(1)


@dataclass
class Slow:
    """A catalogue of COUNT pictures on loopback, the last of which is served only when `go_on` is set."""

    csv: Path
    go_on: threading.Event


@pytest.fixture
def slow(web: Site, pictures: Path, tmp_path: Path) -> Iterator[Slow]:
    made = Slow(tmp_path / "pictures.csv", threading.Event())
    folder, files = f"/slow-{next(numbers)}", sorted(pictures.rglob("*.jpg"))
    paths = [f"{folder}/{number}.jpg" for number in range(COUNT)]
    bodies = [files[number % len(files)].read_bytes() + b"%d" % number for number in range(COUNT)]

    def serve_last(handler: Any) -> None:
        made.go_on.wait(300)
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(bodies[-1])

    web.pages |= {path: (200, {}, body) for path, body in zip(paths, bodies, strict=True)} | {paths[-1]: serve_last}
    made.csv.write_text("\n".join(["url", *map(web.url, paths)]))
    yield made
    made.go_on.set()


@pytest.fixture
def galleries(app_home: Path) -> Path:
    """Where the app keeps them."""
    return app_home / "galleries"


def fill_in(tab: Any, name: str, way: str = "On this computer", place: Path | None = None) -> Any:
    """Open the form for a new gallery and fill it in; the page's connection."""
    with tab.expect_websocket() as begun:
        tab.goto("galleries?new=1")
    tab.get_by_role("textbox", name="Name").fill(name)
    tab.get_by_test_id("stButtonGroup").get_by_text(way, exact=True).click()
    if place:
        tab.get_by_role("textbox", name="Path of a folder").fill(str(place))
    return begun.value


def build(tab: Any) -> None:
    press(tab, "Build the gallery")


def job(tab: Any, gallery: str) -> Any:
    """What goes on in a gallery, or has ended."""
    return tab.locator('[class*="st-key-job-"]').filter(has=tab.get_by_text(re.compile(rf"\b{gallery}\b")))


def upload(tab: Any, connection: Any, path: Path) -> None:
    """Upload a file in the form, and wait until the app has it."""
    tab.locator("input[type=file]").wait_for(state="attached")
    drawn(tab)
    with run_anew(tab, connection):
        tab.set_input_files("input[type=file]", path)
    tab.get_by_test_id("stFileUploader").get_by_text(path.name).wait_for()


@pytest.mark.exhaustive
def test_while_a_gallery_is_built_searching_goes_on_another_tab_watches_and_the_first_may_be_closed(
    new_tab: NewTab, slow: Slow, galleries: Path
) -> None:
    first, second = new_tab(), new_tab("galleries")
    fill_in(first, "watched", place=slow.csv)
    build(first)
    see(first, f"of {COUNT} pictures")
    told = re.compile(rf"\d+ of {COUNT} pictures, \d+ a second, \d+ s left")
    job(second, "watched").get_by_text(told).wait_for()
    first.close()
    searching = new_tab("?gallery=shapes&like=item:dots/dots-0.jpg")
    searching.get_by_alt_text("Rank 1:").first.wait_for()
    job(second, "watched").get_by_role("button", name="Cancel").wait_for()
    slow.go_on.set()
    see(second, f"watched is ready: {COUNT} files")
    job(second, "watched").get_by_role("button", name="Dismiss").click()
    second.get_by_text("watched is ready").wait_for(state="detached")
    assert len(Gallery.open(galleries / "watched")) == COUNT


@pytest.mark.exhaustive
def test_a_build_is_cancelled_and_goes_on_later_where_it_stopped(tab: Any, slow: Slow, galleries: Path) -> None:
    fill_in(tab, "later", place=slow.csv)
    build(tab)
    see(tab, f"of {COUNT} pictures")
    job(tab, "later").get_by_role("button", name="Cancel").click()
    slow.go_on.set()
    see(tab, "Building later was cancelled: there is no such gallery yet.")
    see(tab, "Not finished. Build it again under this name")
    job(tab, "later").get_by_role("button", name="Resume").click()
    see(tab, "taken over from an interrupted run")
    assert len(Gallery.open(galleries / "later")) == COUNT


def test_a_gallery_is_built_from_a_folder_and_found_on_the_search_page(tab: Any, pictures: Path) -> None:
    fill_in(tab, "folder", place=pictures / "nowhere")
    build(tab)
    see(tab, f"There is no folder or file {pictures / 'nowhere'}.")
    assert tab.get_by_text("Traceback").count() == 0
    tab.get_by_role("textbox", name="Path of a folder").fill(str(pictures))
    build(tab)
    see(tab, "folder is ready: 15 files")
    drawn(tab)
    job(tab, "folder").get_by_role("button", name="Search it").click()
    tab.wait_for_url("**/?gallery=folder*")


@pytest.mark.exhaustive
def test_a_gallery_is_built_from_an_uploaded_zip(
    tab: Any, app_home: Path, galleries: Path, pictures: Path, tmp_path: Path
) -> None:
    path = tmp_path / "my pictures.zip"
    with zipfile.ZipFile(path, "w") as file:
        for picture in pictures.glob("dots/*.jpg"):
            file.write(picture, picture.relative_to(pictures))
    upload(tab, fill_in(tab, "zipped", "Upload"), path)
    build(tab)
    see(tab, "zipped is ready: 5 files")
    assert (app_home / "uploads" / "zipped" / "my_pictures.zip").is_file()
    assert not any(item.is_gone for item in Gallery.open(galleries / "zipped").items)


@pytest.mark.exhaustive
def test_a_gallery_is_built_from_an_uploaded_csv_of_addresses(
    tab: Any, web: Site, galleries: Path, pictures: Path, tmp_path: Path
) -> None:
    web.pages |= {f"/few/{one.name}": (200, {}, one.read_bytes()) for one in sorted(pictures.glob("*/*-1.jpg"))}
    places = [place for place in web.pages if place.startswith("/few/")]
    rows = [f"{web.url(place)},boot" for place in (*places, "/few/missing.jpg")]
    path = tmp_path / "few.csv"
    path.write_text("\n".join(["url,label", *rows, "beside.jpg,boot"]))
    upload(tab, fill_in(tab, "addresses", "Upload"), path)
    build(tab)
    see(tab, "addresses is ready: 3 files")
    see(tab, "2 files skipped")
    assert {item.label for item in Gallery.open(galleries / "addresses").items} == {"boot"}


@pytest.mark.exhaustive
def test_a_dataset_is_downloaded_unpacked_and_made_a_gallery(
    tab: Any, web: Site, galleries: Path, pictures: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "dataset.zip", "w") as file:
        for path in pictures.rglob("*.jpg"):
            file.write(path, Path("clothing-dataset-small-master", "train") / path.relative_to(pictures))
    web.pages[DATASET] = (200, {}, (tmp_path / "dataset.zip").read_bytes())
    fill_in(tab, "dataset", "Dataset")
    tab.get_by_role("combobox", name="Dataset").click()
    tab.get_by_role("option", name="Clothing dataset").click()
    see(tab, "CC0: free for any use.")
    build(tab)
    see(tab, "dataset is ready: 15 files")
    assert {item.label for item in Gallery.open(galleries / "dataset").items} == {"dots", "rings", "stripes"}


@pytest.mark.exhaustive
def test_a_gallery_is_added_to_brought_in_step_and_reduced(
    tab: Any, galleries: Path, pictures: Path, tmp_path: Path
) -> None:
    own, more = tmp_path / "own", tmp_path / "more"
    shutil.copytree(pictures / "dots", own / "dots")
    shutil.copytree(pictures / "rings", more / "rings")
    mine = Gallery.build(own, galleries / "mine", model=MODEL)
    tab.goto("galleries?gallery=mine")
    tab.get_by_role("textbox", name="Path of a folder").fill(str(more))
    tab.get_by_role("button", name="Add", exact=True).click()
    see(tab, "mine is up to date: 5 new")
    (own / "dots" / "dots-0.jpg").unlink()
    tab.get_by_role("tab", name="Sync").click()
    tab.get_by_role("tabpanel").get_by_role("button", name="Sync").click()
    see(tab, "mine is up to date: 1 removed, 4 as before")
    tab.get_by_role("tab", name="Remove pictures").click()
    tab.get_by_role("combobox", name="All with a label").click()
    tab.get_by_role("option", name="rings (5)").click()
    tab.keyboard.press("Escape")
    tab.get_by_role("button", name="Remove …", exact=True).click()
    tab.get_by_role("button", name="Remove 5 pictures").click()
    see(tab, "mine is up to date: 5 removed")
    assert len(Gallery.open(mine.directory)) == 4


@pytest.mark.exhaustive
def test_a_gallery_is_checked_undone_and_deleted(
    tab: Any, pictures: Path, own_gallery: Callable[[str], Gallery]
) -> None:
    mine = own_gallery("shapes")
    name, count = mine.name, len(mine)
    mine.remove(labels=["rings"])
    tab.goto(f"galleries?gallery={name}")
    press(tab, "Check every file")
    see(tab, f"{name} is sound: all")
    press(tab, "Undo the last change")
    see(tab, f"{name} was restored to its state of")
    assert len(Gallery.open(mine.directory)) == count
    press(tab, "Delete …")
    tab.get_by_role("textbox", name="Type its name").fill("yours")
    press(tab, "Delete it for good")
    see(tab, "This is not its name")
    tab.get_by_role("textbox", name="Type its name").fill(name)
    press(tab, "Delete it for good")
    see(tab, f"{name} was deleted. The pictures themselves were not touched.")
    assert not mine.directory.exists()
    assert len(list(pictures.rglob("*.jpg"))) == count
