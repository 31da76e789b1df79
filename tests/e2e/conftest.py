"""The real app in a process of its own, and the system's Chromium, headless, to open it in."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import make_home

from similarity import Gallery

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
STREAMLIT = ("-m", "streamlit")


@contextmanager
def serving(
    home: Path, *, command: Sequence[str] = STREAMLIT, environment: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Serve the app until the block ends; gives its address.

    Args:
        home: its SIMILARITY_HOME.
        command: for Python, that does what `streamlit` does.
        environment: more of it.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--server.port", str(port), "--server.address", "127.0.0.1", "--server.headless", "true"]
    process = subprocess.Popen(
        [sys.executable, *command, "run", str(ROOT / "streamlit_app.py"), *options],
        cwd=ROOT,
        env=dict(os.environ) | {"SIMILARITY_HOME": str(home)} | dict(environment or {}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_healthy(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def _wait_until_healthy(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health") as response:
                assert response.read() == b"ok"
                return
        except urllib.error.URLError:
            time.sleep(0.1)
    pytest.fail("the app did not start")


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
