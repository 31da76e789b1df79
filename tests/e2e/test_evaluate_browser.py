"""The evaluate and the face-off page in the real app with a real browser: the system's Chromium, headless."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from conftest import make_home

from e2e.conftest import open_tab
from e2e.server import serving
from similarity import Gallery
from similarity.evaluation import evaluate

pytestmark = pytest.mark.browser

WAIT = 30_000
NASTY = "<img src=x onerror=document.title='hacked'>"


@pytest.fixture(scope="module")
def app_home(shapes: Gallery, home: Path, pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of the app: the gallery shapes, one of the same pictures with another model, and one with markup."""
    own = make_home(tmp_path_factory.mktemp("evaluate") / "home", home)
    shutil.copytree(shapes.directory, own / "galleries" / shapes.name)
    Gallery.build(pictures, own / "galleries" / "light", model="efficientnet-lite0")
    folder = tmp_path_factory.mktemp("nasty")
    for number, label in enumerate((NASTY, "rings")):
        shutil.copytree(pictures / ("dots", "rings")[number], folder / label)
    Gallery.build(folder, own / "galleries" / "nasty", model="efficientnet-lite2")
    return own


@pytest.fixture(scope="module")
def address(app_home: Path) -> Iterator[str]:
    with serving(app_home) as url:
        yield url


def drawn(tab):  # type: ignore[no-untyped-def]
    """Wait until nothing is drawn any more."""
    tab.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for(timeout=WAIT)
    tab.wait_for_timeout(400)


def parameters(tab) -> dict[str, list[str]]:  # type: ignore[no-untyped-def]
    return parse_qs(urlsplit(tab.url).query)


def test_a_gallery_is_evaluated_and_a_failing_query_opened(browser, address: str, app_home: Path) -> None:  # type: ignore[no-untyped-def]
    tab = open_tab(browser, f"{address}/evaluate?gallery=shapes")
    tab.get_by_text("Query by query").wait_for(timeout=WAIT)
    drawn(tab)
    gallery = Gallery.open(app_home / "galleries" / "shapes")
    found = evaluate(gallery)
    shown = tab.get_by_test_id("stMetric").filter(has_text="mAP@R").inner_text()
    assert f"{found.metrics['map@r'].value:.3f}" in shown
    tab.locator("canvas").nth(3).wait_for(timeout=WAIT)  # all plots are drawn
    worst = gallery.items[found.worst(1)[0]]
    query = tab.get_by_alt_text(f"Query: {worst.label}").first
    assert query.evaluate("image => image.complete && image.naturalWidth > 0")
    assert tab.locator(".mark.right").first.inner_text() == "✓"
    query.click()
    tab.get_by_alt_text("Rank 1:").first.wait_for(timeout=WAIT)
    assert urlsplit(tab.url).path == "/"
    assert parameters(tab)["like"] == [f"item:{worst.public_id}"]
    tab.go_back()
    tab.get_by_text("Query by query").wait_for(timeout=WAIT)
    tab.close()


def test_report_and_data_are_saved(browser, address: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    tab = open_tab(browser, f"{address}/evaluate?gallery=shapes")
    tab.get_by_text("Query by query").wait_for(timeout=WAIT)
    drawn(tab)
    for name, kind in (("Report", "html"), ("Data", "json")):
        with tab.expect_download(timeout=WAIT) as begun:
            tab.get_by_role("button", name=name).click()
        begun.value.save_as(tmp_path / f"file.{kind}")
    assert json.loads((tmp_path / "file.json").read_text())["queries"] == 15
    asked: list[str] = []
    report = browser.new_page()
    report.on("request", lambda request: asked.append(request.url))
    report.goto((tmp_path / "file.html").as_uri())
    assert "shapes" in report.inner_text("body")
    assert all(url.startswith(("file:", "data:")) for url in asked), "it needs nothing from elsewhere"
    report.close()
    tab.close()


def test_labels_are_text_and_never_markup(browser, address: str) -> None:  # type: ignore[no-untyped-def]
    tab = open_tab(browser, f"{address}/evaluate?gallery=nasty")
    tab.get_by_text("Query by query").wait_for(timeout=WAIT)
    drawn(tab)
    tab.locator(".tile .label", has_text="onerror").first.wait_for(timeout=WAIT)
    assert tab.title() != "hacked"
    assert tab.locator('img[src="x"]').count() == 0
    tab.close()


def test_two_models_meet_over_one_query(browser, address: str) -> None:  # type: ignore[no-untyped-def]
    tab = open_tab(browser, f"{address}/faceoff?gallery=shapes&against=light")
    tab.locator("button.tile").first.click()
    tab.get_by_text("results are in both").wait_for(timeout=WAIT)
    drawn(tab)
    tab.mouse.move(5, 5)  # what is pointed at is a little larger
    tab.wait_for_timeout(400)
    firsts = tab.get_by_alt_text("Rank 1:")
    assert firsts.count() == 2, "one for each gallery"
    left, right = (firsts.nth(number).bounding_box() for number in range(2))
    assert left["y"] == right["y"]
    assert right["x"] > left["x"] + left["width"]
    assert tab.locator(".mark.shared").count() % 2 == 0
    tab.get_by_role("button", name="Compare them").click()
    tab.get_by_text("queries in common").wait_for(timeout=WAIT)
    drawn(tab)
    assert tab.get_by_text("NDCG@10").first.is_visible()
    before = parameters(tab)["like"]
    tab.get_by_alt_text("Rank 2:").last.click()
    tab.wait_for_function(
        "before => !decodeURIComponent(location.search).includes(before)", arg=before[0], timeout=WAIT
    )
    drawn(tab)
    assert tab.get_by_alt_text("Rank 1:").count() == 2
    tab.close()


def test_on_a_telephone_the_pages_are_no_wider_than_the_screen(browser, address: str) -> None:  # type: ignore[no-untyped-def]
    tab = browser.new_page(viewport={"width": 390, "height": 844})
    for path, text in (
        ("evaluate?gallery=shapes", "Query by query"),
        ("faceoff?gallery=shapes&against=light&like=item:dots/dots-0.jpg", "results are in both"),
    ):
        tab.goto(f"{address}/{path}")
        tab.get_by_text(text).wait_for(timeout=WAIT)
        drawn(tab)
        assert tab.evaluate("document.scrollingElement.scrollWidth") <= 390
    tab.close()
