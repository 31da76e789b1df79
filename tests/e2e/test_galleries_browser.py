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
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import MODEL, Site

from e2e.conftest import DATASET, NewTab
from e2e.tabs import MOMENT, drawn, press, run_anew, see
from similarity import Gallery
from similarity.service.incoming import MOST_OF_BROWSER

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
    """Upload a file or a folder in the form, and wait until the app has it."""
    kind = "folder" if path.is_dir() else "files"
    tab.locator(f".pieces input.{kind}").wait_for(state="attached")
    drawn(tab)
    with run_anew(tab, connection):
        tab.locator(f".pieces input.{kind}").set_input_files(path)
    tab.locator(".pieces .said").filter(has_text="uploaded").wait_for()


@pytest.mark.exhaustive
def test_while_a_gallery_is_built_searching_goes_on_another_tab_watches_and_the_first_may_be_closed(
    new_tab: NewTab, slow: Slow, galleries: Path
) -> None:
    first, second = new_tab(), new_tab("galleries")
    fill_in(first, "watched", place=slow.csv)
    build(first)
    see(first, f"of {COUNT} pictures")
    job(second, "watched").get_by_text(f"of {COUNT} pictures").wait_for()
    first.close()
    searching = new_tab("?gallery=shapes&like=item:dots/dots-0.jpg")
    searching.get_by_alt_text("Rank 1:").first.wait_for()
    job(second, "watched").get_by_role("button", name="Cancel").wait_for()
    slow.go_on.set()
    see(second, f"watched is ready: {COUNT} pictures")
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


@pytest.mark.exhaustive
def test_a_gallery_is_built_from_a_folder_and_found_on_the_search_page(tab: Any, pictures: Path) -> None:
    fill_in(tab, "folder", place=pictures / "nowhere")
    build(tab)
    see(tab, f"There is no folder or file {pictures / 'nowhere'}.")
    assert tab.get_by_text("Traceback").count() == 0
    tab.get_by_role("textbox", name="Path of a folder").fill(str(pictures))
    build(tab)
    see(tab, "folder is ready: 15 pictures")
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
    see(tab, "zipped is ready: 5 pictures")
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
    see(tab, "addresses is ready: 3 pictures")
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
    see(tab, "dataset is ready: 15 pictures")
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


@pytest.mark.exhaustive
def test_a_gallery_is_built_from_a_folder_that_arrives_in_pieces_over_a_bad_connection(
    tab: Any, galleries: Path, pictures: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "my things"
    shutil.copytree(pictures, folder)
    failures = iter(range(2))

    def fail_twice(route: Any) -> None:
        if route.request.method == "PUT" and next(failures, None) is not None:
            route.abort()
        else:
            route.continue_()

    tab.route("**/incoming/*", fail_twice)
    upload(tab, fill_in(tab, "pieces", "Upload"), folder)
    see(tab, "15 pictures, ")
    build(tab)
    see(tab, "pieces is ready: 15 pictures")
    assert {item.label for item in Gallery.open(galleries / "pieces").items} == {"dots", "rings", "stripes"}


@pytest.mark.exhaustive
def test_a_form_whose_upload_made_room_for_others_says_so_and_begins_another_one(tab: Any, pictures: Path) -> None:
    fill_in(tab, "first", "Upload")
    tab.locator(".pieces").wait_for()
    for number in range(MOST_OF_BROWSER):
        other = tab.context.new_page()
        fill_in(other, f"other {number}", "Upload")
        other.locator(".pieces").wait_for()
        drawn(other)
        other.close()
    files = tab.locator(".pieces input.files")
    files.set_input_files(pictures / "dots" / "dots-0.jpg")
    see(tab, "This upload has ended: choose the files again.")
    drawn(tab)
    files.set_input_files(pictures / "dots" / "dots-0.jpg")
    tab.locator(".pieces .said").filter(has_text="uploaded").wait_for()


@pytest.mark.exhaustive
def test_a_zip_larger_than_the_limit_of_other_uploads_arrives(
    tab: Any, galleries: Path, pictures: Path, tmp_path: Path
) -> None:
    path = tmp_path / "large.zip"
    with zipfile.ZipFile(path, "w") as file:
        for picture in pictures.glob("dots/*.jpg"):
            file.write(picture, picture.name)
        file.writestr("padding.bin", bytes(25_000_000))
    upload(tab, fill_in(tab, "large", "Upload"), path)
    build(tab)
    see(tab, "large is ready: 5 pictures")
    assert len(Gallery.open(galleries / "large")) == 5


@pytest.mark.exhaustive
def test_a_folder_is_chosen_by_clicking(tab: Any, pictures: Path) -> None:
    from playwright.sync_api import expect

    fill_in(tab, "clicked", place=pictures)
    press(tab, "Browse …")  # the page has not been drawn anew since the path was typed
    dialog = tab.get_by_role("dialog")
    expect(dialog.get_by_role("textbox", name="Path")).to_have_value(str(pictures))
    dialog.get_by_text("15 pictures").wait_for()
    dialog.get_by_text("5 pictures", exact=True).nth(2).wait_for()
    dialog.get_by_role("button", name="rings").click()
    dialog.get_by_text("There are no folders in it.").wait_for()
    dialog.get_by_role("button", name="Use this folder").click()
    dialog.wait_for(state="detached")
    expect(tab.get_by_role("textbox", name="Path of a folder")).to_have_value(str(pictures / "rings"))


@pytest.mark.exhaustive
def test_the_dialog_with_folders_keeps_its_height_whatever_is_in_them(tab: Any, pictures: Path) -> None:
    fill_in(tab, "folders", place=pictures)
    press(tab, "Browse …")
    dialog = tab.get_by_role("dialog")
    dialog.get_by_text("15 pictures").wait_for()
    box = dialog.bounding_box()
    for typed, sign in ((pictures / "rings", "no folders in it"), ("/nowhere", "cannot be opened"), ("/", "In this")):
        field = dialog.get_by_role("textbox", name="Path")
        field.fill(str(typed))
        field.press("Enter")
        dialog.get_by_text(sign).wait_for()
        assert dialog.bounding_box() == box


@pytest.mark.exhaustive
@pytest.mark.parametrize("size", [(1440, 900), (390, 844)])
def test_what_a_form_lacks_is_said_where_it_is_and_the_field_is_marked_and_has_the_focus(
    new_tab: NewTab, size: tuple[int, int], pictures: Path
) -> None:
    from playwright.sync_api import expect

    tab = new_tab("galleries?new=1", width=size[0], height=size[1])
    for name, told, typed in (
        ("Name", "Give the gallery a name.", "shapes"),
        ("Path of a folder", "Give the path of the pictures.", str(pictures)),
    ):
        build(tab)
        field = tab.get_by_role("textbox", name=name)
        expect(field).to_be_focused()
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(tab.get_by_text(told)).to_be_in_viewport()
        field.fill(typed)
        field.press("Enter")
        tab.get_by_text(told).wait_for(state="detached")
        expect(field).not_to_have_attribute("aria-invalid", "true")
    build(tab)
    question = tab.get_by_role("button", name="Replace it")
    expect(question).to_be_in_viewport()
    drawn(tab)
    bottom, bar = question.bounding_box(), tab.locator(".st-key-bottom-bar").bounding_box()
    assert bar is None or bottom["y"] + bottom["height"] < bar["y"], "it is not under the bar of pages"


@pytest.mark.exhaustive
def test_what_one_goes_to_is_seen_from_its_top_on_a_telephone(new_tab: NewTab, pictures: Path) -> None:
    from playwright.sync_api import expect

    tab = new_tab("galleries", width=390, height=844, is_mobile=True, has_touch=True)
    title, card = tab.get_by_role("heading", name="Galleries"), tab.locator(".st-key-gallery-shapes")
    card.get_by_role("button", name="Details").tap()
    see(tab, "Every file could be used.")
    expect(title).to_be_in_viewport()
    tab.goto("galleries?new=1")
    tab.get_by_role("textbox", name="Name").fill("from a telephone")
    tab.get_by_role("textbox", name="Path of a folder").fill(str(pictures))
    tab.get_by_role("button", name="Build the gallery").tap()
    see(tab, "from a telephone is ready")
    expect(title).to_be_in_viewport()
    tab.goto("galleries?new=1")
    tab.get_by_test_id("stButtonGroup").get_by_text("Upload", exact=True).tap()
    expect(tab.get_by_role("button", name="Choose files")).to_be_visible()
    expect(tab.get_by_role("button", name="Choose a folder")).to_be_hidden()


@pytest.mark.exhaustive
def test_a_gallery_is_renamed_and_old_links_lead_to_it(tab: Any, own_gallery: Callable[[str], Gallery]) -> None:
    mine = own_gallery("shapes")
    tab.goto(f"galleries?gallery={mine.name}")
    press(tab, "Rename …")
    tab.get_by_role("textbox", name="New name").fill("new name")
    tab.get_by_role("dialog").get_by_role("button", name="Rename").click()
    see(tab, f"{mine.name} was renamed to new name.")
    tab.goto(f"?gallery={mine.name}")
    see(tab, f"{mine.name} was renamed to new name.")
    press(tab, "Open new name")
    tab.wait_for_url("**/?gallery=new*name")
    shutil.rmtree(mine.directory.with_name("new name"))


@pytest.mark.exhaustive
def test_a_label_is_typed_over_and_three_changes_are_undone(tab: Any, own_gallery: Callable[[str], Gallery]) -> None:
    mine = own_gallery("shapes")
    Gallery.open(mine.directory).remove(labels=["rings"]).remove(labels=["stripes"])
    tab.goto(f"galleries?gallery={mine.name}")
    drawn(tab)
    tab.get_by_role("tab", name="Labels").click()
    table = tab.get_by_test_id("stDataFrame")
    table.scroll_into_view_if_needed()
    table.click(position={"x": 150, "y": 60})
    tab.keyboard.press("Enter")
    tab.locator("#portal textarea").fill("spots")
    tab.keyboard.press("Enter")
    see(tab, "1 picture with another label")
    press(tab, "Save")
    see(tab, "of 1 file of")
    assert Gallery.open(mine.directory).facets.counts("label") == {"dots": 4, "spots": 1}
    tab.get_by_text("History: 3 earlier states").click()
    tab.locator(".st-key-restore-1 button").click()
    see(tab, f"{mine.name} was restored to its state of")
    assert len(Gallery.open(mine.directory)) == 15


@pytest.mark.exhaustive
@pytest.mark.parametrize("page", ["", "map", "evaluate", "train", "faceoff", "duplicates"])
def test_a_job_is_seen_on_every_page_that_shows_its_gallery_and_moves_nothing(
    tab: Any, new_tab: NewTab, own_gallery: Callable[[str], Gallery], slow: Slow, page: str
) -> None:
    from playwright.sync_api import TimeoutError

    mine = own_gallery("shapes")
    tab.goto(f"galleries?gallery={mine.name}")
    tab.get_by_role("textbox", name="Path of a folder").fill(str(slow.csv))
    tab.get_by_role("button", name="Add", exact=True).click()
    see(tab, f"of {COUNT} pictures")
    watching = new_tab(f"{page}?gallery={mine.name}")
    strip = watching.locator(".st-key-job-strip")
    strip.get_by_text(f"of {COUNT} pictures").wait_for()
    drawn(watching)
    box = watching.get_by_test_id("stSelectbox").or_(watching.get_by_test_id("stMultiSelect")).first.bounding_box()
    slow.go_on.set()
    end = strip.get_by_role("button", name="Show it")
    if page == "map":  # it is drawn anew whenever it has asked for more small pictures: with the new ones, then
        with suppress(TimeoutError):
            end.click(timeout=MOMENT)
    elif page not in ("train", "duplicates"):  # these have a panel of their own, and are drawn again by themselves
        strip.get_by_text(f"{mine.name} is up to date").wait_for()
        end.click()
    strip.wait_for(state="detached")
    after = watching.get_by_test_id("stSelectbox").or_(watching.get_by_test_id("stMultiSelect")).first.bounding_box()
    assert after == box
