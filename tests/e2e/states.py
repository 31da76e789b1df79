"""The states of the app that are photographed: how to get to each, and what to wait for."""

import re
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page

from similarity.sample import FOLDER

LAMP = "gallery=sample&like=sample:lamp-02-q"
WAIT = 60_000
FONT_SETTLES_MS = 700
# A file that is dragged over the page.
DRAG = """() => {
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File(["a"], "lamp.jpg", { type: "image/jpeg" }));
  document.body.dispatchEvent(new DragEvent("dragenter", { dataTransfer, bubbles: true, cancelable: true }));
}"""
# Where the middle of the map's first picture is on the screen.
FIRST_PICTURE = """(root) => {
  const { map, camera } = root.atlas;
  const box = root.querySelector(".view").getBoundingClientRect();
  const [x, y] = camera.toScreen(map.points[0] / 65535, map.points[1] / 65535);
  return [box.x + x, box.y + y];
}"""


def wait_for_results(page: Page) -> None:
    """A ranking is drawn."""
    page.get_by_alt_text("Rank 1:").first.wait_for(timeout=WAIT)


def look_closer(page: Page) -> None:
    """The third result, beside the query."""
    wait_for_results(page)
    page.get_by_alt_text("Rank 3:").first.click()
    page.get_by_role("dialog").get_by_alt_text("Result: lamp").wait_for(timeout=WAIT)


def ask_why(page: Page) -> None:
    """The same with heat on both."""
    look_closer(page)
    page.get_by_role("dialog").get_by_text("Why", exact=True).click()
    page.get_by_role("dialog").get_by_alt_text("Result: lamp, with heat").wait_for(timeout=WAIT)


def slide(page: Page) -> None:
    """The same with the query over the result, and a line between them that is moved."""
    look_closer(page)
    page.get_by_role("dialog").get_by_text("Slider", exact=True).click()
    page.get_by_role("dialog").get_by_role("slider").wait_for(timeout=WAIT)


def select(page: Page) -> None:
    """Two results are selected; on a telephone boxes are there once anything is."""
    wait_for_results(page)
    settle(page)
    for place in (2, 4):
        page.locator(f".st-key-results li[aria-posinset='{place}'] .pick").evaluate("(box) => box.click()")
    page.locator(".st-key-selection-bar").get_by_text("2 selected").wait_for(timeout=WAIT)


def open_query(page: Page) -> None:
    """The panel of the query, which a telephone shows on request."""
    wait_for_results(page)
    settle(page)
    change = page.get_by_role("button", name="Change", exact=True)
    if change.is_visible():
        change.click()


def drag_over(page: Page) -> None:
    """A file is held over the page."""
    wait_for("Try one of these")(page)
    settle(page)
    page.evaluate(DRAG)
    page.get_by_text("Drop to search").wait_for(timeout=WAIT)


def search_many(*, is_failing: bool) -> Callable[[Page], None]:
    """Several pictures are searched one by one; of some that fail, two are no pictures."""

    def act(page: Page) -> None:
        wait_for("Try one of these")(page)
        settle(page)
        pictures = [path.read_bytes() for path in sorted((FOLDER / "queries").glob("*.jpg"))[:12:4]]
        files = [(f"picture-{number}.jpg", data) for number, data in enumerate(pictures, 1)]
        if is_failing:
            files = [("notes.jpg", b"buy milk"), *files[:1], ("empty.jpg", b"\n")]
        page.locator(".drop .chooser").set_input_files(
            [{"name": name, "mimeType": "image/jpeg", "buffer": data} for name, data in files]
        )
        page.locator(f".st-key-several-{len(files)}").wait_for(timeout=WAIT)
        page.get_by_alt_text("Rank 1:").first.wait_for(timeout=WAIT)

    return act


def open_menu(name: str) -> Callable[[Page], None]:
    """A menu above the results."""

    def act(page: Page) -> None:
        wait_for_results(page)
        page.locator(".st-key-toolbar").get_by_role("button", name=name).click()
        page.get_by_test_id("stPopoverBody").wait_for(timeout=WAIT)

    return act


def wait_for_training(page: Page) -> None:
    """What a head is trained with can be chosen."""
    page.get_by_role("button", name=re.compile("Train( again)?$")).wait_for(timeout=WAIT)


def wait_for(text: str) -> Callable[[Page], None]:
    """Something is written on the page."""
    return lambda page: page.get_by_text(text).first.wait_for(timeout=WAIT)


def open_palette(page: Page) -> None:
    """The palette, over whatever is there."""
    wait_for_results(page)
    settle(page)
    page.keyboard.press("/")
    page.get_by_role("combobox", name="Galleries, pages, samples and actions").wait_for(timeout=WAIT)


def open_shortcuts(page: Page) -> None:
    """The list of keys."""
    wait_for("Licences")(page)
    settle(page)
    page.keyboard.press("?")
    page.get_by_text("The same, also while typing").wait_for(timeout=WAIT)


def mark(page: Page) -> None:
    """A result is wanted and another is not."""
    wait_for_results(page)
    page.locator(".st-key-results").get_by_role("button", name="More like this").nth(1).click()
    settle(page)
    page.locator(".st-key-results").get_by_role("button", name="Not like this").nth(5).click()
    settle(page)


def wait_for_map(page: Page) -> None:
    """The map is drawn."""
    page.locator(".atlas .groups li").first.wait_for(timeout=WAIT)
    page.wait_for_timeout(1500)


def open_card(page: Page) -> None:
    """A picture of the map is chosen."""
    wait_for_map(page)
    page.mouse.click(*page.locator(".atlas").evaluate(FIRST_PICTURE))
    page.locator(".atlas .card").get_by_role("button", name="Search with it").wait_for(timeout=WAIT)


def select_on_map(page: Page) -> None:
    """A group of the map is selected, as a lasso does."""
    wait_for_map(page)
    page.locator(".atlas").get_by_role("button", name="Select the").first.click()
    page.get_by_role("button", name="Clear").wait_for(timeout=WAIT)


def open_tab(name: str) -> Callable[[Page], None]:
    """One of the ways to change a gallery."""

    def act(page: Page) -> None:
        page.get_by_role("tab", name=name).click(timeout=WAIT)
        page.get_by_role("tab", name=name).scroll_into_view_if_needed()

    return act


def open_history(page: Page) -> None:
    """The earlier states of a gallery, or that there is none."""
    place = page.get_by_text("History: ").or_(page.get_by_text("There is no earlier state to restore"))
    place.wait_for(timeout=WAIT)
    place.click()
    place.scroll_into_view_if_needed()


def browse_folders(page: Page) -> None:
    """The dialog in which a folder is chosen."""
    field = page.get_by_role("textbox", name="Path of a folder")
    field.fill(str(FOLDER / "gallery"), timeout=WAIT)
    field.press("Enter")
    settle(page)
    page.get_by_role("button", name="Browse").click()
    page.get_by_role("dialog").get_by_role("button", name="Use this folder").wait_for(timeout=WAIT)


def build(page: Page) -> None:
    """A gallery is built; one that was built for the picture before is cancelled."""
    settle(page)
    for _ in range(page.get_by_role("button", name="Cancel").count()):
        page.get_by_role("button", name="Cancel").first.click()
        settle(page)
    page.get_by_role("textbox", name="Name").fill(f"built {time.time():.0f}", timeout=WAIT)
    field = page.get_by_role("textbox", name="Path of a folder")
    field.fill(str(FOLDER / "gallery"))
    field.press("Enter")
    settle(page)
    page.get_by_role("button", name="Build the gallery").click()
    page.get_by_role("button", name="Cancel").first.wait_for(timeout=WAIT)
    page.get_by_text("of 675").first.wait_for(timeout=WAIT)


def wait_for_evaluation(page: Page) -> None:
    """Numbers, plots and queries are drawn."""
    page.locator("canvas").nth(3).wait_for(timeout=WAIT)
    page.get_by_text("Query by query").wait_for(timeout=WAIT)


def open_delete(page: Page) -> None:
    """The first of the two questions before a gallery is deleted."""
    page.get_by_role("button", name="Delete").click(timeout=WAIT)
    page.get_by_role("dialog").wait_for(timeout=WAIT)


def train(page: Page) -> None:
    """A head is trained, in few epochs, unless that was done for the picture before; nobody has kept it yet."""
    page.get_by_role("button", name="Train").wait_for(timeout=WAIT)
    settle(page)
    if not page.get_by_role("button", name="Keep it").count():
        page.get_by_text("More settings").click()
        page.get_by_role("spinbutton", name="Epochs at most").fill("8")
        page.keyboard.press("Enter")
        settle(page)
        page.get_by_role("button", name="Train").click()
        page.get_by_role("button", name="Keep it").wait_for(timeout=5 * WAIT)
        page.reload()
    page.get_by_role("button", name="Keep it").wait_for(timeout=WAIT)
    page.locator("canvas").nth(1).wait_for(timeout=WAIT)
    page.get_by_role("button", name="Keep it").scroll_into_view_if_needed()


def settle(page: Page) -> None:
    """Wait until nothing moves any more."""
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for(timeout=WAIT)
    page.wait_for_timeout(FONT_SETTLES_MS)


# Name, address, and what there is to do or to wait for before the picture is taken.
STATES: tuple[tuple[str, str, Callable[[Page], Any]], ...] = (
    ("search-start", "?gallery=sample", wait_for("Try one of these")),
    ("search-drop", "?gallery=sample", drag_over),
    ("search-many", "?gallery=sample", search_many(is_failing=False)),
    ("search-many-failing", "?gallery=sample", search_many(is_failing=True)),
    ("search-results", f"?{LAMP}", wait_for_results),
    ("search-several", f"?{LAMP}@8,25,70,95&like=item:lamp-01-1&not=item:lamp-02-4", wait_for_results),
    ("search-hundred", f"?{LAMP}&k=100&page=2", lambda page: page.get_by_alt_text("Rank 101:").wait_for(timeout=WAIT)),
    ("search-filter", f"?{LAMP}&where.label=lamp&where.label=vase", open_menu("Filter")),
    ("search-export", f"?{LAMP}", open_menu("Export")),
    ("search-closer", f"?{LAMP}", look_closer),
    ("search-slider", f"?{LAMP}", slide),
    ("search-why", f"?{LAMP}", ask_why),
    ("search-unsure", "?gallery=sample&like=sample:headphones-09-q&precision=0.95", wait_for("No confident match")),
    ("search-selected", f"?{LAMP}", select),
    ("search-query", f"?{LAMP}@8,25,70,95&like=item:lamp-01-1&not=item:lamp-02-4", open_query),
    ("search-marked", f"?{LAMP}", mark),
    ("search-only-unlike", "?gallery=sample&not=sample:lamp-02-q", wait_for("Add a picture that results should look")),
    ("search-no-gallery", "?gallery=no-such-gallery", wait_for("There is no gallery named")),
    ("search-unknown-filter", f"?{LAMP}&where.colour>=9", wait_for("Clear all filters")),
    ("search-nothing", f"?{LAMP}&min=1", wait_for("No picture meets these conditions")),
    ("search-dead-address", "?gallery=sample&like=url:http://10.0.0.1/boot.jpg", wait_for("private network")),
    ("search-lost-upload", f"?gallery=sample&like=upload:{'0' * 64}", wait_for("only its sender can see")),
    ("search-old-link", f"?{LAMP}&generation=7&model=resnet50", wait_for("This link was made")),
    ("map", "map?gallery=sample", wait_for_map),
    ("map-card", "map?gallery=sample", open_card),
    ("map-selected", "map?gallery=sample", select_on_map),
    ("evaluate", "evaluate?gallery=sample", wait_for_evaluation),
    (
        "train",
        "train?gallery=sample",
        wait_for_training,
    ),
    ("faceoff", "faceoff?gallery=sample&against=light&like=sample:lamp-02-q", wait_for("results are in both")),
    ("everywhere", "everywhere?gallery=sample&like=sample:lamp-02-q", wait_for("results of ")),
    ("galleries", "galleries", wait_for("New gallery")),
    ("galleries-details", "galleries?gallery=sample", wait_for("Every file could be used")),
    ("galleries-new", "galleries?new=1", wait_for("Build the gallery")),
    ("galleries-labels", "galleries?gallery=sample", open_tab("Labels")),
    ("galleries-history", "galleries?gallery=sample", open_history),
    ("galleries-folder", "galleries?new=1", browse_folders),
    ("galleries-delete", "galleries?gallery=sample", open_delete),
    ("galleries-none", "galleries?gallery=no-such-gallery", wait_for("There is no gallery named")),
    ("duplicates", "duplicates?gallery=sample", wait_for("No duplicates of this kind")),
    ("duplicates-groups", "duplicates?gallery=sample&kind=look-alikes", wait_for("Group 1")),
    ("palette", f"?{LAMP}", open_palette),
    ("palette-shortcuts", "about", open_shortcuts),
    ("about", "about", wait_for("Licences")),
    # Last, since the galleries page shows it too.
    ("train-done", "train?gallery=sample", train),
)
# What leaves something behind, for the pictures only.
BUILDING = ("galleries-building", "galleries?new=1", build)
