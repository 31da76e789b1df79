"""One real app in a process of its own for all tests, and the system's Chromium, headless, to open it in.

The app's home has several galleries, which tests leave as they are; who changes one takes a copy, with `own_gallery`.
"""

import asyncio
import itertools
import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from conftest import MODEL, RESNET50_FILE, Site, make_home

from e2e.server import CHROMIUM, QUIET, ROOT, serving
from e2e.tabs import WAIT, drawn
from similarity import Gallery

NASTY = "<img src=x onerror=document.title='hacked'>"
DATASET = "/dataset.zip"

NewTab = Callable[..., Any]
has_failed = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def web() -> Iterator[Site]:
    """A web server that the app may fetch from; the clothing dataset is published there, see DATASET."""
    site = Site()
    yield site
    site.close()


@pytest.fixture(scope="session")
def app_home(
    shapes: Gallery, sample: Gallery, home: Path, pictures: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The app's home: the sample, the gallery shapes, one of the same pictures with another model, one with markup."""
    own = make_home(tmp_path_factory.mktemp("app") / "home", home)
    for gallery in (shapes, sample):
        shutil.copytree(gallery.directory, own / "galleries" / gallery.name)
    Gallery.build(pictures, own / "galleries" / "light", model="efficientnet-lite0")
    folder = tmp_path_factory.mktemp("nasty")
    for number, label in enumerate((NASTY, "rings")):
        shutil.copytree(pictures / ("dots", "rings")[number], folder / label)
    Gallery.build(folder, own / "galleries" / "nasty", model=MODEL)
    # The model `auto` is the one that is here, without waiting for a network.
    (own / "cache" / "unreachable-weights.json").write_text(json.dumps({RESNET50_FILE: time.time()}))
    return own


@pytest.fixture(scope="session")
def address(app_home: Path, web: Site) -> Iterator[str]:
    """Where the app is served."""
    environment = {
        "SIMILARITY_PRIVATE_HOSTS": web.host,
        "DATASET_URL": web.url(DATASET),
        "CONNECTS": str(app_home / "connects.txt"),
        "PYTHONPATH": str(ROOT),
    }
    with serving(app_home, command=[str(Path(__file__).with_name("serve.py"))], environment=environment) as url:
        yield url


@pytest.fixture
def connects_to(address: str, app_home: Path, web: Site) -> Callable[[], set[str]]:
    """What the app connects to from now on, or asks the name of, beside `web`; see serve.py."""
    assert address, "it is started"
    noted = app_home / "connects.txt"
    before = noted.stat().st_size if noted.exists() else 0

    def elsewhere() -> set[str]:
        ours = web.host.replace("127.0.0.1:", "'127.0.0.1', ")
        lines = noted.read_bytes()[before:].decode().splitlines() if noted.exists() else []
        return {line for line in lines if ours not in line}

    return elsewhere


@pytest.fixture
def own_gallery(app_home: Path) -> Iterator[Callable[[str], Gallery]]:
    """Copies a gallery under a name that no other test uses."""
    made: list[Path] = []

    def copy(name: str) -> Gallery:
        taken = {path.name for path in (app_home / "galleries").iterdir()}
        own = next(one for number in itertools.count(1) if (one := f"{name}-{number}") not in taken)
        made.append(Path(shutil.copytree(app_home / "galleries" / name, app_home / "galleries" / own)))
        return Gallery.open(made[-1])

    yield copy
    for directory in made:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def playwright_loop() -> Iterator[tuple[Any, asyncio.AbstractEventLoop | None]]:
    """Chromium, and the event loop of Playwright that drives it, which no other test is to find running."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=WAIT)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        loop = asyncio._get_running_loop()
        with running_loop(None):
            yield started, loop
        started.close()


@contextmanager
def running_loop(loop: asyncio.AbstractEventLoop | None) -> Iterator[None]:
    """Let a loop be the one that runs in this thread until the block ends."""
    before = asyncio._get_running_loop()
    asyncio._set_running_loop(loop)
    try:
        yield
    finally:
        asyncio._set_running_loop(before)


@pytest.fixture
def browser(playwright_loop: tuple[Any, asyncio.AbstractEventLoop | None]) -> Iterator[Any]:
    """Chromium."""
    started, loop = playwright_loop
    with running_loop(loop):
        yield started


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[Any]:
    """Whether a test has failed, for `new_tab`, whose tabs are then in the report."""
    report = yield
    item.stash[has_failed] = item.stash.get(has_failed, False) or report.failed
    return report


def look_of(tab: Any) -> str:
    """The address and the text of a tab."""
    from playwright.sync_api import Error

    with suppress(Error):
        return f"{tab.url}\n{tab.locator('body').inner_text(timeout=1_000)}"
    return f"{tab.url} (no text)"


@pytest.fixture
def new_tab(browser: Any, address: str, request: pytest.FixtureRequest) -> Iterator[NewTab]:
    """Opens a tab, with nothing in common with any other: at a place of the app, drawn, or nowhere yet."""
    contexts = []

    def opened(place: str | None = None, *, width: int = 1440, height: int = 1000, **options: Any) -> Any:
        options = {"base_url": f"{address}/"} | options
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        context.set_default_timeout(WAIT)
        tab = context.new_page()
        if place is not None:
            tab.goto(place)
            drawn(tab)
        return tab

    yield opened
    for context in contexts:
        if request.node.stash.get(has_failed, False):
            for page in context.pages:
                request.node.add_report_section("teardown", "tab", look_of(page))
        context.close()


@pytest.fixture
def tab(new_tab: NewTab) -> Any:
    """A tab that is nowhere yet."""
    return new_tab()
