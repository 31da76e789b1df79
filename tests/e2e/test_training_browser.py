"""The train page of the real app in a real browser: heads are really trained there, on few pictures in few epochs."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from conftest import make_home

from e2e.conftest import open_tab
from e2e.server import serving
from similarity import Gallery

pytestmark = pytest.mark.browser

WAIT = 120_000


@pytest.fixture(scope="module")
def app_home(shapes: Gallery, sample: Gallery, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of the app: a gallery to train, and one of which that takes long enough to be cancelled."""
    own = make_home(tmp_path_factory.mktemp("train") / "home", home)
    for gallery, name in ((shapes, "mine"), (sample, "other")):
        shutil.copytree(gallery.directory, own / "galleries" / name)
    return own


@pytest.fixture(scope="module")
def address(app_home: Path) -> Iterator[str]:
    with serving(app_home) as url:
        yield url


def drawn(tab) -> None:  # type: ignore[no-untyped-def]
    """Wait until nothing is drawn any more."""
    tab.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for(timeout=WAIT)
    tab.wait_for_timeout(400)


def press(tab, label: str) -> None:  # type: ignore[no-untyped-def]
    tab.get_by_role("button", name=label, exact=True).click(timeout=WAIT)


def see(tab, text: str) -> None:  # type: ignore[no-untyped-def]
    """Wait until a text is on the page."""
    tab.get_by_text(text).first.wait_for(timeout=WAIT)


def train(tab, epochs: int) -> None:  # type: ignore[no-untyped-def]
    """Begin, with another number of epochs."""
    tab.get_by_text("More settings").click(timeout=WAIT)
    tab.get_by_role("spinbutton", name="Epochs at most").fill(str(epochs))
    tab.keyboard.press("Enter")
    drawn(tab)
    press(tab, "Train")


def test_a_head_is_trained_while_one_is_elsewhere_and_kept_and_searched_with(  # type: ignore[no-untyped-def]
    browser, address: str, app_home: Path
) -> None:
    tab = open_tab(browser, f"{address}/train?gallery=mine")
    train(tab, 3)
    see(tab, "Training a head for")
    tab.get_by_role("link", name="Galleries").click()
    tab.get_by_role("heading", name="Galleries").wait_for(timeout=WAIT)
    see(tab, "A head was trained for mine")
    press(tab, "See how good it is")
    tab.wait_for_url("**/train?gallery=mine", timeout=WAIT)
    tab.locator("canvas").nth(1).wait_for(timeout=WAIT)  # both curves are drawn
    assert tab.get_by_test_id("stMetric").count() == 2
    see(tab, "15 pictures")
    assert Gallery.open(app_home / "galleries" / "mine").head is None
    press(tab, "Keep it")
    see(tab, "mine is searched through the new head from now on")
    assert Gallery.open(app_home / "galleries" / "mine").head is not None
    press(tab, "Search it")
    tab.wait_for_url("**/?gallery=mine", timeout=WAIT)
    tab.goto(f"{address}/?gallery=mine&like=item:dots/dots-0.jpg")
    tab.get_by_alt_text("Rank 1:").first.wait_for(timeout=WAIT)
    tab.goto(f"{address}/train?gallery=mine")
    press(tab, "Take the head off")
    see(tab, "mine is searched without a head from now on")
    assert Gallery.open(app_home / "galleries" / "mine").head is None
    tab.close()


def test_curves_grow_while_it_trains_another_tab_watches_and_it_is_cancelled(  # type: ignore[no-untyped-def]
    browser, address: str, app_home: Path
) -> None:
    state = Gallery.open(app_home / "galleries" / "other").state
    tab = open_tab(browser, f"{address}/train?gallery=other")
    train(tab, 1000)
    tab.locator("canvas").nth(1).wait_for(timeout=WAIT)
    see(tab, "Trying it with some held out: epoch")
    see(tab, "so far")
    second = open_tab(browser, f"{address}/train?gallery=other")
    assert parse_qs(urlsplit(second.url).query)["gallery"] == ["other"]
    press(second, "Cancel")
    see(tab, "Training a head for other was cancelled: other is as it was.")
    assert Gallery.open(app_home / "galleries" / "other").state == state
    for one in (tab, second):
        one.close()


def test_the_page_fits_a_telephone(browser, address: str) -> None:  # type: ignore[no-untyped-def]
    tab = browser.new_page(viewport={"width": 390, "height": 844})
    tab.goto(f"{address}/train?gallery=other")
    tab.get_by_role("heading", name="Train").wait_for(timeout=WAIT)
    drawn(tab)
    assert tab.evaluate("document.scrollingElement.scrollWidth") <= 390
    tab.close()
