"""Marks on results in the real app with a real browser: the system's Chromium, headless."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import make_home

from e2e.server import serving
from e2e.test_search_browser import WAIT, go, names, rank, settle
from similarity import Gallery
from similarity.feedback import read_marks

pytestmark = pytest.mark.browser
LAMP = "?gallery=sample&like=sample:lamp-02-q"


@pytest.fixture(scope="module")
def own_home(sample: Gallery, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    own = make_home(tmp_path_factory.mktemp("marking") / "home", home)
    shutil.copytree(sample.directory, own / "galleries" / "sample")
    return own


@pytest.fixture(scope="module")
def address(own_home: Path) -> Iterator[str]:
    with serving(own_home) as url:
        yield url


@pytest.fixture
def tab(browser):  # type: ignore[no-untyped-def]
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    yield page
    page.close()


def thumb(tab, name: str, label: str):  # type: ignore[no-untyped-def]
    """A button on the result with a file name."""
    return tab.locator(".st-key-results li", has_text=name).get_by_role("button", name=label)


def kept(home: Path) -> list[tuple[str, bool]]:
    return [(Path(mark.item).name, mark.wanted) for mark in read_marks(home / "galleries" / "sample")]


def test_a_mark_ranks_anew_at_once_is_kept_and_can_be_taken_back(tab, address: str, own_home: Path) -> None:  # type: ignore[no-untyped-def]
    go(tab, address, LAMP)
    before = names(tab)
    settle(tab)
    wanted, unwanted = before[7], before[2]
    rank(tab, 8).hover()
    thumb(tab, wanted, "More like this").click()
    tab.get_by_text("also like it", exact=True).wait_for(timeout=WAIT)
    settle(tab)
    assert names(tab) != before
    assert names(tab).index(wanted) < 7
    assert thumb(tab, wanted, "More like this").get_attribute("aria-pressed") == "true"
    assert tab.get_by_role("dialog").count() == 0
    rank(tab, 1 + names(tab).index(unwanted)).hover()
    thumb(tab, unwanted, "Not like this").click()
    tab.get_by_text("not like it", exact=True).wait_for(timeout=WAIT)
    settle(tab)
    assert unwanted not in names(tab)
    tab.get_by_text("Marks are kept with the gallery").wait_for()
    assert sorted(is_wanted for _, is_wanted in kept(own_home)) == [False, True]
    rank(tab, 1 + names(tab).index(wanted)).hover()
    thumb(tab, wanted, "More like this").click()
    tab.get_by_text("also like it", exact=True).wait_for(state="hidden", timeout=WAIT)
    settle(tab)
    assert [is_wanted for _, is_wanted in kept(own_home)] == [False]
    tab.locator("[class*='st-key-remove-item'] button").first.click()
    tab.get_by_text("not like it", exact=True).wait_for(state="hidden", timeout=WAIT)
    settle(tab)
    assert names(tab) == before
    assert kept(own_home) == []


def test_marks_are_made_with_the_keyboard_which_goes_on_from_there(tab, address: str, own_home: Path) -> None:  # type: ignore[no-untyped-def]
    go(tab, address, LAMP)
    name = names(tab)[1]
    settle(tab)
    more = thumb(tab, name, "More like this")
    tab.locator(".st-key-results .tile").nth(1).focus()
    tab.keyboard.press("Tab")
    assert more.evaluate("(one) => one.getRootNode().activeElement === one")
    tab.wait_for_timeout(300)
    assert more.evaluate("(one) => getComputedStyle(one).opacity") == "1"
    tab.keyboard.press("Enter")
    tab.get_by_text("also like it", exact=True).wait_for(timeout=WAIT)
    settle(tab)
    assert more.evaluate("(one) => one.getRootNode().activeElement === one")
    tab.keyboard.press("Enter")
    tab.get_by_text("also like it", exact=True).wait_for(state="hidden", timeout=WAIT)
    assert kept(own_home) == []


def test_where_nothing_can_be_pointed_with_the_buttons_are_always_there(browser, address: str) -> None:  # type: ignore[no-untyped-def]
    telephone = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    tab = telephone.new_page()
    go(tab, address, LAMP)
    name = names(tab)[1]
    settle(tab)
    assert thumb(tab, name, "Not like this").evaluate("(one) => getComputedStyle(one).opacity") == "1"
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    telephone.close()
