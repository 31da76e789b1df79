"""Every page and state of the app, as a visitor sees it: `python -m tests.e2e.screenshots FOLDER`.

Wide, on a tablet and on a telephone, light and dark; with `--sheets`, also on few large pictures in FOLDER/sheets. With
`--readme` instead of a folder, those that the README and the pages of `docs/` show are made anew.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from similarity.sample import FOLDER
from tests.e2e import contact_sheets
from tests.e2e.server import CHROMIUM, QUIET, ROOT, running
from tests.e2e.states import BUILDING, STATES, WAIT, settle

SCHEMES = ("light", "dark")
SIZES = {"wide": (1440, 1000), "tablet": (768, 1024), "telephone": (390, 844)}
DOCS = ROOT / "docs" / "images"
# Names of the pictures in the documentation, each with the state that it shows.
VISITORS_SEE = {
    "search": "search-results",
    "closer": "search-closer",
    "why": "search-why",
    "map": "map",
    "evaluate": "evaluate",
    "faceoff": "faceoff",
    "everywhere": "everywhere",
    "about": "about",
}
OWNERS_SEE = {"galleries": "galleries-new", "duplicates": "duplicates-groups", "train": "train-done"}


@contextmanager
def opened(browser: Browser, url: str, size: tuple[int, int], scheme: Any) -> Iterator[Page]:
    """A page at an address."""
    is_touched = size[0] < 500
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,
        has_touch=is_touched,
        is_mobile=is_touched,
    )
    page = context.new_page()
    page.goto(url)
    yield page
    context.close()


def take_all(browser: Browser, url: str, folder: Path, *, only: str = "") -> None:
    """A picture of every state, in every size, light and dark."""
    for name, address, act in (*STATES, BUILDING):
        for size, measures in SIZES.items():
            for scheme in SCHEMES:
                if only not in name:
                    continue
                with opened(browser, f"{url}/{address}", measures, scheme) as page:
                    act(page)
                    settle(page)
                    page.screenshot(path=folder / f"{name}-{size}-{scheme}.png")


def take_for_docs(browser: Browser, url: str, shown: Mapping[str, str]) -> None:
    """Those that the README and the documentation show: names and states."""
    states = {name: (address, act) for name, address, act in STATES}
    for name, state in shown.items():
        address, act = states[state]
        with opened(browser, f"{url}/{address}", SIZES["wide"], "light") as page:
            act(page)
            settle(page)
            page.screenshot(path=DOCS / f"{name}.png")


def draw_sheet(home: Path) -> None:
    """The sheet that `demo` draws, which replaces no picture itself."""
    sheet = DOCS / "sheet.png"
    sheet.unlink(missing_ok=True)
    command = [sys.executable, "-m", "similarity", "demo", "--sheet", str(sheet)]
    subprocess.run(command, cwd=ROOT, env=dict(os.environ) | {"SIMILARITY_HOME": str(home)}, check=True)


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
    options.add_argument("--sheets", action="store_true", help="also lay them out on contact sheets")
    options.add_argument("--readme", action="store_true", help="replace the pictures of the documentation instead")
    chosen = options.parse_args()
    if not chosen.folder and not chosen.readme:
        options.error("say where the pictures are to go, or --readme")
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        if chosen.readme:
            # What any visitor sees, without the paths of this computer; then pages that only an owner has.
            for manage, shown in (("nobody", VISITORS_SEE), ("local", OWNERS_SEE)):
                with served(browser, Path(home), manage) as url:
                    if shown is VISITORS_SEE:
                        make_a_rival(Path(home))
                    take_for_docs(browser, url, shown)
            draw_sheet(Path(home))
        else:
            with served(browser, Path(home), "local") as url:
                if chosen.only in "faceoff":
                    make_a_rival(Path(home))
                chosen.folder.mkdir(parents=True, exist_ok=True)
                take_all(browser, url, chosen.folder, only=chosen.only)
            if chosen.sheets:
                contact_sheets.write_all(chosen.folder, [*SIZES], SCHEMES)
        browser.close()


@contextmanager
def served(browser: Browser, home: Path, manage: str) -> Iterator[str]:
    """The app with its sample indexed, for those that may change galleries; gives its address."""
    with running(home, environment={"SIMILARITY_MANAGE": manage}) as (url, _):
        with opened(browser, f"{url}/", SIZES["wide"], "light") as page:
            page.get_by_text("Try one of these").wait_for(timeout=5 * WAIT)  # the sample is indexed first
        yield url


if __name__ == "__main__":
    main()
