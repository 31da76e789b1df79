"""Every page and state of the app, as a visitor sees it: `python -m tests.e2e.screenshots FOLDER`.

Wide, on a tablet and on a telephone, light and dark. With `--readme` instead of a folder, those that the README shows
are made anew.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from similarity.sample import FOLDER
from tests.e2e.server import CHROMIUM, QUIET, ROOT, running

SIZES = {"wide": (1440, 1000), "tablet": (768, 1024), "telephone": (390, 844)}
LAMP = "gallery=sample&like=sample:lamp-02-q"
WAIT = 60_000
README = ROOT / "artifacts" / "screenshots"
FONT_SETTLES_MS = 700


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
    page.get_by_text("Why is it similar?").click()
    page.get_by_role("dialog").get_by_alt_text("Result: lamp, with heat").wait_for(timeout=WAIT)


def open_menu(name: str) -> Callable[[Page], None]:
    """A menu above the results."""

    def act(page: Page) -> None:
        wait_for_results(page)
        page.get_by_role("button", name=name).click()
        page.get_by_test_id("stPopoverBody").wait_for(timeout=WAIT)

    return act


def wait_for(text: str) -> Callable[[Page], None]:
    """Something is written on the page."""
    return lambda page: page.get_by_text(text).first.wait_for(timeout=WAIT)


def wait_for_map(page: Page) -> None:
    """The map is drawn."""
    page.get_by_text("Scroll or pinch to zoom").wait_for(timeout=WAIT)
    page.wait_for_timeout(1500)


def wait_for_evaluation(page: Page) -> None:
    """Numbers, plots and queries are drawn."""
    page.locator("canvas").nth(3).wait_for(timeout=WAIT)
    page.get_by_alt_text("Rank 10,").first.wait_for(timeout=WAIT)


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


# Name, address, and what there is to do or to wait for before the picture is taken.
STATES: tuple[tuple[str, str, Callable[[Page], Any]], ...] = (
    ("search-start", "?gallery=sample", wait_for("Try one of these")),
    ("search-results", f"?{LAMP}", wait_for_results),
    ("search-several", f"?{LAMP}@8,25,70,95&like=item:lamp-01-1&not=item:lamp-02-4", wait_for_results),
    ("search-hundred", f"?{LAMP}&k=100&page=2", lambda page: page.get_by_alt_text("Rank 101:").wait_for(timeout=WAIT)),
    ("search-filter", f"?{LAMP}&where.label=lamp&where.label=vase", open_menu("Filter")),
    ("search-export", f"?{LAMP}", open_menu("Export")),
    ("search-closer", f"?{LAMP}", look_closer),
    ("search-why", f"?{LAMP}", ask_why),
    ("search-unsure", "?gallery=sample&like=sample:headphones-09-q&precision=0.95", wait_for("No confident match")),
    ("search-nothing", f"?{LAMP}&min=1", wait_for("No picture meets these conditions")),
    ("search-dead-address", "?gallery=sample&like=url:http://10.0.0.1/boot.jpg", wait_for("private network")),
    ("search-lost-upload", f"?gallery=sample&like=upload:{'0' * 64}", wait_for("for its own browser only")),
    ("search-old-link", f"?{LAMP}&generation=7&model=resnet50", wait_for("This link was made")),
    ("map", "map?gallery=sample", wait_for_map),
    ("evaluate", "evaluate?gallery=sample", wait_for_evaluation),
    ("train", "train?gallery=sample", wait_for("you can leave this page")),
    ("faceoff", "faceoff?gallery=sample&against=light&like=sample:lamp-02-q", wait_for("results are in both")),
    ("galleries", "galleries", wait_for("New gallery")),
    ("galleries-details", "galleries?gallery=sample", wait_for("Every file could be used")),
    ("galleries-new", "galleries?new=1", wait_for("Build the gallery")),
    ("galleries-delete", "galleries?gallery=sample", open_delete),
    ("about", "about", wait_for("Licences")),
    # Last, since the galleries page shows it too.
    ("train-done", "train?gallery=sample", train),
)


@contextmanager
def opened(browser: Browser, url: str, size: tuple[int, int], scheme: Any) -> Iterator[Page]:
    """A page at an address."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
    page = context.new_page()
    page.goto(url)
    yield page
    context.close()


def settle(page: Page) -> None:
    """Wait until nothing moves any more."""
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for(timeout=WAIT)
    page.wait_for_timeout(FONT_SETTLES_MS)


def take_all(browser: Browser, url: str, folder: Path, *, only: str = "") -> None:
    """A picture of every state, in every size, light and dark."""
    for name, address, act in STATES:
        for size, measures in SIZES.items():
            for scheme in ("light", "dark"):
                if only not in name:
                    continue
                with opened(browser, f"{url}/{address}", measures, scheme) as page:
                    act(page)
                    settle(page)
                    page.screenshot(path=folder / f"{name}-{size}-{scheme}.png")


def take_for_readme(browser: Browser, url: str) -> None:
    """Those that show the most."""
    states = {name: (address, act) for name, address, act in STATES}
    shown = {"search": "search-results", "closer": "search-closer", "map": "map", "evaluate": "evaluate"}
    for name, state in shown.items():
        address, act = states[state]
        with opened(browser, f"{url}/{address}", SIZES["wide"], "light") as page:
            act(page)
            settle(page)
            page.screenshot(path=README / f"{name}.png")


def make_a_rival(home: Path) -> None:
    """Another gallery of the sample's pictures, by another model."""
    command = ["index", str(FOLDER / "catalogue.csv"), "--gallery", "light", "--model", "efficientnet-lite0"]
    environment = dict(os.environ) | {"SIMILARITY_HOME": str(home)}
    subprocess.run([sys.executable, "-m", "similarity", *command], cwd=ROOT, env=environment, check=True)


def main() -> None:
    """Serve the app with a home of its own and go round it."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("folder", type=Path, nargs="?")
    options.add_argument("--only", default="", help="states with this in their name")
    options.add_argument("--readme", action="store_true", help="replace the pictures of the README instead")
    chosen = options.parse_args()
    if not chosen.folder and not chosen.readme:
        options.error("say where the pictures are to go, or --readme")
    # The README shows what any visitor sees, without the paths of this computer.
    environment = {"SIMILARITY_MANAGE": "nobody" if chosen.readme else "local"}
    with (
        tempfile.TemporaryDirectory() as home,
        running(Path(home), environment=environment) as (url, _),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        with opened(browser, f"{url}/", SIZES["wide"], "light") as page:
            wait_for("Try one of these")(page)  # the sample is indexed first
        if chosen.readme:
            take_for_readme(browser, url)
        else:
            if chosen.only in "faceoff":
                make_a_rival(Path(home))
            chosen.folder.mkdir(parents=True, exist_ok=True)
            take_all(browser, url, chosen.folder, only=chosen.only)
        browser.close()


if __name__ == "__main__":
    main()
