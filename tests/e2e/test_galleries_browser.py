"""The galleries page of the real app in a real browser: everything on it is done in the background by the real code."""

import json
import re
import shutil
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from conftest import RESNET50_FILE, Site, make_home

from e2e.conftest import open_tab
from e2e.server import ROOT, serving
from similarity import Gallery

pytestmark = pytest.mark.browser
COUNT = 60


@dataclass
class World:
    """Where the app keeps things, and what it can reach.

    Attributes:
        home: its SIMILARITY_HOME.
        csv: of 60 pictures on loopback, the last of which is served only when `go_on` is set.
    """

    home: Path
    csv: Path
    site: Site
    go_on: threading.Event = field(default_factory=threading.Event)

    def gallery(self, name: str) -> Gallery:
        return Gallery.open(self.home / "galleries" / name)


@pytest.fixture(scope="module")
def world(shapes: Gallery, home: Path, pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("app")
    own = make_home(folder / "home", home)
    shutil.copytree(shapes.directory, own / "galleries" / "shapes")
    # The model `auto` is the one that is here, without waiting for a network.
    (own / "cache" / "unreachable-weights.json").write_text(json.dumps({RESNET50_FILE: time.time()}))
    site = Site()
    made = World(own, folder / "pictures.csv", site)
    files = sorted(pictures.rglob("*.jpg"))
    for number in range(COUNT):
        data = files[number % len(files)].read_bytes() + b"%d" % number
        site.pages[f"/{number}.jpg"] = (200, {}, data)

    def serve_last(handler) -> None:  # type: ignore[no-untyped-def]
        made.go_on.wait(8)
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(data)

    site.pages[f"/{COUNT - 1}.jpg"] = serve_last
    made.csv.write_text("\n".join(["url", *(site.url(f"/{number}.jpg") for number in range(COUNT))]))
    with zipfile.ZipFile(folder / "dataset.zip", "w") as file:
        for path in files:
            file.write(path, Path("clothing-dataset-small-master", "train") / path.relative_to(pictures))
    site.pages["/dataset.zip"] = (200, {}, (folder / "dataset.zip").read_bytes())
    yield made
    site.close()


@pytest.fixture(scope="module")
def address(world: World) -> Iterator[str]:
    """The app, which may fetch from loopback."""
    environment = {
        "SIMILARITY_PRIVATE_HOSTS": world.site.host,
        "DATASET_URL": world.site.url("/dataset.zip"),
        "PYTHONPATH": str(ROOT),
    }
    with serving(world.home, command=[str(Path(__file__).with_name("serve.py"))], environment=environment) as url:
        yield url


@pytest.fixture
def tab(browser):  # type: ignore[no-untyped-def]
    """A tab that is nowhere yet."""
    return browser.new_page(viewport={"width": 1440, "height": 1000})


def fill_in(tab, address: str, name: str, way: str = "On this computer", place: Path | None = None) -> None:  # type: ignore[no-untyped-def]
    """Open the form for a new gallery and fill it in."""
    tab.goto(f"{address}/galleries?new=1")
    tab.get_by_role("textbox", name="Name").fill(name)
    tab.get_by_test_id("stButtonGroup").get_by_text(way, exact=True).click()
    if place:
        tab.get_by_role("textbox", name="Path of a folder").fill(str(place))


def build(tab) -> None:  # type: ignore[no-untyped-def]
    tab.get_by_role("button", name="Build the gallery").click()


def press(tab, label: str) -> None:  # type: ignore[no-untyped-def]
    tab.get_by_role("button", name=label).click()


def see(tab, text: str):  # type: ignore[no-untyped-def]
    """Wait until a text is on the page."""
    tab.get_by_text(text).first.wait_for(timeout=60_000)


def upload(tab, path: Path) -> None:  # type: ignore[no-untyped-def]
    tab.set_input_files("input[type=file]", path)
    tab.get_by_test_id("stFileUploader").get_by_text(path.name).wait_for(timeout=30_000)


def test_while_a_gallery_is_built_searching_goes_on_another_tab_watches_and_the_first_may_be_closed(  # type: ignore[no-untyped-def]
    browser, address: str, world: World
) -> None:
    world.go_on.clear()
    first, second = open_tab(browser, f"{address}/galleries"), open_tab(browser, f"{address}/galleries")
    fill_in(first, address, "watched", place=world.csv)
    build(first)
    see(first, f"of {COUNT} pictures")
    see(second, f"of {COUNT} pictures")
    assert re.search(r"\d+ of 60 pictures, \d+ a second, \d+ s left", second.get_by_text("of 60 pictures").inner_text())
    first.close()
    searching = open_tab(browser, f"{address}/?gallery=shapes&like=item:dots/dots-0.jpg")
    searching.get_by_alt_text("Rank 1:").first.wait_for(timeout=30_000)
    assert second.get_by_role("button", name="Cancel").is_visible(), "it is still being built"
    world.go_on.set()
    see(second, f"watched is ready: {COUNT} files")
    press(second, "Dismiss")
    second.get_by_text("watched is ready").wait_for(state="detached")
    assert len(world.gallery("watched")) == COUNT


def test_a_build_is_cancelled_and_goes_on_later_where_it_stopped(tab, address: str, world: World) -> None:  # type: ignore[no-untyped-def]
    world.go_on.clear()
    fill_in(tab, address, "later", place=world.csv)
    build(tab)
    see(tab, f"of {COUNT} pictures")
    press(tab, "Cancel")
    world.go_on.set()
    see(tab, "Building later was cancelled: there is no such gallery yet.")
    see(tab, "Not finished. Build it again under this name")
    press(tab, "Go on")
    see(tab, "taken over from a run that was cut short")
    assert len(world.gallery("later")) == COUNT


def test_a_gallery_is_built_from_a_folder_and_found_on_the_search_page(  # type: ignore[no-untyped-def]
    tab, address: str, pictures: Path
) -> None:
    fill_in(tab, address, "folder", place=pictures / "nowhere")
    build(tab)
    see(tab, f"There is no folder or file {pictures / 'nowhere'}.")
    assert tab.get_by_text("Traceback").count() == 0
    fill_in(tab, address, "folder", place=pictures)
    build(tab)
    see(tab, "folder is ready: 15 files")
    tab.get_by_role("button", name="Search it").first.click()
    tab.wait_for_url("**/?gallery=folder*")


def test_a_gallery_is_built_from_an_uploaded_zip(tab, address: str, world: World, pictures: Path) -> None:  # type: ignore[no-untyped-def]
    path = world.home.parent / "my pictures.zip"
    with zipfile.ZipFile(path, "w") as file:
        for picture in pictures.glob("dots/*.jpg"):
            file.write(picture, picture.relative_to(pictures))
    fill_in(tab, address, "zipped", "Upload")
    upload(tab, path)
    build(tab)
    see(tab, "zipped is ready: 5 files")
    assert (world.home / "uploads" / "zipped" / "my_pictures.zip").is_file()
    assert not any(item.is_gone for item in world.gallery("zipped").items)


def test_a_gallery_is_built_from_an_uploaded_csv_of_addresses(tab, address: str, world: World) -> None:  # type: ignore[no-untyped-def]
    path = world.home.parent / "few.csv"
    rows = [f"{world.site.url(f'/{number}.jpg')},boot" for number in range(3)]
    path.write_text("\n".join(["url,label", *rows, f"{world.site.url('/missing.jpg')},boot", "beside.jpg,boot"]))
    fill_in(tab, address, "addresses", "Upload")
    upload(tab, path)
    build(tab)
    see(tab, "addresses is ready: 3 files")
    see(tab, "2 files skipped")
    assert {item.label for item in world.gallery("addresses").items} == {"boot"}


def test_a_dataset_is_downloaded_unpacked_and_made_a_gallery(tab, address: str, world: World) -> None:  # type: ignore[no-untyped-def]
    fill_in(tab, address, "dataset", "Dataset")
    tab.get_by_role("combobox", name="Dataset").click()
    tab.get_by_role("option", name="Clothing dataset").click()
    see(tab, "CC0: free for any use.")
    build(tab)
    see(tab, "dataset is ready: 15 files")
    assert {item.label for item in world.gallery("dataset").items} == {"dots", "rings", "stripes"}


def test_a_gallery_is_added_to_brought_in_step_reduced_checked_undone_and_deleted(  # type: ignore[no-untyped-def]
    tab, address: str, world: World, pictures: Path
) -> None:
    own, more = world.home.parent / "own", world.home.parent / "more"
    shutil.copytree(pictures / "dots", own / "dots")
    shutil.copytree(pictures / "rings", more / "rings")
    Gallery.build(own, world.home / "galleries" / "mine", model="efficientnet-lite2")
    tab.goto(f"{address}/galleries?gallery=mine")
    tab.get_by_role("textbox", name="Path of a folder").fill(str(more))
    tab.get_by_role("button", name="Add", exact=True).click()
    see(tab, "mine is up to date: 5 new")
    (own / "dots" / "dots-0.jpg").unlink()
    tab.get_by_role("tab", name="Bring in step").click()
    tab.get_by_role("tabpanel").get_by_role("button", name="Bring in step").click()
    see(tab, "mine is up to date: 1 removed, 4 as before")
    tab.get_by_role("tab", name="Remove pictures").click()
    tab.get_by_role("combobox", name="All with a label").click()
    tab.get_by_role("option", name="rings (5)").click()
    tab.keyboard.press("Escape")
    tab.get_by_role("button", name="Remove", exact=True).click()
    see(tab, "mine is up to date: 5 removed")
    press(tab, "Check every file")
    see(tab, "mine is sound: all")
    assert len(world.gallery("mine")) == 4
    press(tab, "Undo the last change")
    see(tab, "mine is again as it was")
    assert len(world.gallery("mine")) == 9
    press(tab, "Delete …")
    tab.get_by_role("textbox", name="Type its name").fill("yours")
    press(tab, "Delete it for good")
    see(tab, "That is not its name")
    tab.get_by_role("textbox", name="Type its name").fill("mine")
    press(tab, "Delete it for good")
    see(tab, "mine was deleted. The pictures themselves are where they were.")
    assert not (world.home / "galleries" / "mine").exists()
    assert len(list(own.rglob("*.jpg"))) == 4


def test_the_galleries_page_fits_a_telephone(tab, address: str) -> None:  # type: ignore[no-untyped-def]
    tab.set_viewport_size({"width": 390, "height": 844})
    for place in ("galleries", "galleries?new=1", "galleries?gallery=shapes"):
        tab.goto(f"{address}/{place}")
        tab.get_by_role("heading", name="Galleries").wait_for(timeout=30_000)
        tab.wait_for_timeout(700)
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390
