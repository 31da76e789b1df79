"""The real app in a process of its own, and the system's Chromium, headless, to open it in."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import make_home

from e2e.server import CHROMIUM, QUIET, serving
from similarity import Gallery


@pytest.fixture(scope="module")
def address(shapes: Gallery, sample: Gallery, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app, served from a process of its own with a home of its own, which has the galleries sample and shapes."""
    own = make_home(tmp_path_factory.mktemp("app") / "home", home)
    for gallery in (shapes, sample):
        shutil.copytree(gallery.directory, own / "galleries" / gallery.name)
    with serving(own) as url:
        yield url


@pytest.fixture(scope="module")
def browser():  # type: ignore[no-untyped-def]
    """Chromium."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield started
        started.close()


@pytest.fixture
def tab(browser, address: str):  # type: ignore[no-untyped-def]
    """An open page of the app."""
    page = open_tab(browser, address)
    yield page
    page.close()


def open_tab(browser, url: str):  # type: ignore[no-untyped-def]
    """Open a page of the app and wait until it is drawn."""
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    page.goto(url)
    page.get_by_test_id("stMainBlockContainer").locator("h1, h2, h3, p").first.wait_for(timeout=60_000)
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for(timeout=60_000)
    return page
