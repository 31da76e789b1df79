"""How sure results are, in the real app with a real browser: the system's Chromium, headless."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import make_home

from e2e.server import serving
from similarity import Gallery

pytestmark = pytest.mark.browser

WAIT = 30_000
LAMP = "?gallery=catalogue&like=sample:lamp-02-q"


@pytest.fixture(scope="module")
def address(sample: Gallery, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app with the sample's pictures, of which nothing has been learned yet."""
    own = make_home(tmp_path_factory.mktemp("confidence") / "home", home)
    shutil.copytree(sample.directory, own / "galleries" / "catalogue")
    with serving(own) as url:
        yield url


def drawn(tab) -> None:  # type: ignore[no-untyped-def]
    """Wait until nothing is drawn any more."""
    tab.locator(".st-key-results .chance").first.wait_for(timeout=WAIT)
    tab.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for(timeout=WAIT)
    tab.wait_for_timeout(400)


def test_results_are_called_likely_and_those_that_are_not_are_said_to_be(browser, address: str) -> None:  # type: ignore[no-untyped-def]
    tab = browser.new_page(viewport={"width": 1440, "height": 1000})
    tab.goto(f"{address}/{LAMP}")
    drawn(tab)
    assert tab.locator(".st-key-results .chance").all_inner_texts() == ["> 99 % likely"] * 10
    assert tab.get_by_test_id("stAlert").count() == 0
    tab.get_by_role("button", name="Filter").click()
    tab.get_by_role("radio", name="95 %").click()
    tab.wait_for_url("**precision=0.95**", timeout=WAIT)
    drawn(tab)
    assert tab.locator(".tile.unsure").count() == 0
    tab.goto(f"{address}/{LAMP}&where.label=shoe&precision=0.95")
    banner = tab.get_by_test_id("stAlert")
    banner.wait_for(timeout=WAIT)
    assert "No confident match. The best one is < 1 % likely the same kind." in banner.inner_text()
    drawn(tab)
    assert tab.locator(".tile.unsure").count() == 10
    assert "less sure" in tab.locator(".st-key-results .chance").first.inner_text()
    tab.close()


def test_a_closer_look_says_how_likely_it_is(browser, address: str) -> None:  # type: ignore[no-untyped-def]
    tab = browser.new_page(viewport={"width": 1440, "height": 1000})
    tab.goto(f"{address}/{LAMP}")
    drawn(tab)
    tab.get_by_alt_text("Rank 3:").first.click()
    tab.get_by_role("dialog").get_by_text("> 99 % likely the same kind").wait_for(timeout=WAIT)
    tab.close()


def test_on_a_telephone_percentages_and_banner_are_no_wider_than_the_screen(browser, address: str) -> None:  # type: ignore[no-untyped-def]
    tab = browser.new_page(viewport={"width": 390, "height": 844})
    tab.goto(f"{address}/{LAMP}&where.label=shoe&precision=0.99")
    tab.get_by_test_id("stAlert").wait_for(timeout=WAIT)
    drawn(tab)
    assert tab.evaluate("document.scrollingElement.scrollWidth") <= 390
    tab.close()


def test_the_evaluate_page_draws_whether_percentages_are_true(browser, address: str) -> None:  # type: ignore[no-untyped-def]
    tab = browser.new_page(viewport={"width": 1440, "height": 1000})
    tab.goto(f"{address}/evaluate?gallery=catalogue")
    tab.get_by_text("Expected calibration error").first.wait_for(timeout=WAIT)
    tab.locator("canvas").nth(4).wait_for(timeout=WAIT)
    tab.close()
