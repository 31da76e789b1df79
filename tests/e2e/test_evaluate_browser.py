"""The evaluate and the face-off page in the real app with a real browser: the system's Chromium, headless."""

import json
from pathlib import Path
from typing import Any

import pytest

from e2e.conftest import NewTab
from e2e.tabs import drawn, parameters, path, see
from similarity import Gallery
from similarity.evaluation import evaluate

pytestmark = [pytest.mark.browser, pytest.mark.exhaustive]

# Both are where they were before anything was pointed at, which makes it a little larger for a moment.
SIDE_BY_SIDE = """([one, other]) => {
  const [left, right] = [one.getBoundingClientRect(), other.getBoundingClientRect()];
  return left.y === right.y && right.x > left.x + left.width;
}"""


def test_a_gallery_is_evaluated_results_are_saved_and_a_failing_query_is_opened(
    new_tab: NewTab, app_home: Path, tmp_path: Path
) -> None:
    tab = new_tab("evaluate?gallery=shapes")
    tab.get_by_text("Query by query").wait_for()
    drawn(tab)
    gallery = Gallery.open(app_home / "galleries" / "shapes")
    found = evaluate(gallery)
    shown = tab.get_by_test_id("stMetric").filter(has_text="mAP@R").inner_text()
    assert f"{found.metrics['map@r'].value:.3f}" in shown
    tab.locator("canvas").nth(3).wait_for()  # all plots are drawn
    the_report_and_data_are_saved(tab, new_tab(), tmp_path)
    worst = gallery.items[found.worst(1)[0]]
    query = tab.get_by_alt_text(f"Query: {worst.label}").first
    tab.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=query.element_handle())
    assert tab.locator(".verdict.right").first.inner_text() == "✓"
    query.click()
    tab.get_by_alt_text("Rank 1:").first.wait_for()
    assert path(tab) == "/"
    assert parameters(tab)["like"] == [f"item:{worst.public_id}"]
    tab.go_back()
    tab.get_by_text("Query by query").wait_for()


def the_report_and_data_are_saved(tab: Any, empty: Any, folder: Path) -> None:
    """Save both, and open the report in an empty tab."""
    for name, kind in (("Report", "html"), ("Data", "json")):
        with tab.expect_download() as begun:
            tab.get_by_role("button", name=name).click()
        begun.value.save_as(folder / f"file.{kind}")
    assert json.loads((folder / "file.json").read_text())["queries"] == 15
    asked: list[str] = []
    empty.on("request", lambda request: asked.append(request.url))
    empty.goto((folder / "file.html").as_uri())
    assert "shapes" in empty.inner_text("body")
    assert all(url.startswith(("file:", "data:")) for url in asked), "it needs nothing from elsewhere"


def test_two_models_meet_over_one_query(new_tab: NewTab) -> None:
    from playwright.sync_api import expect

    tab = new_tab("faceoff?gallery=shapes&against=light")
    tab.locator("button.tile").first.click()
    tab.get_by_text("results are in both").wait_for()
    drawn(tab)
    tab.mouse.move(5, 5)
    firsts = tab.get_by_alt_text("Rank 1:")
    expect(firsts).to_have_count(2)  # one for each gallery
    tab.wait_for_function(SIDE_BY_SIDE, arg=firsts.element_handles())
    assert tab.locator(".mark.shared").count() % 2 == 0
    tab.get_by_role("button", name="Compare them").click()
    tab.get_by_text("queries in common").wait_for()
    drawn(tab)
    see(tab, "NDCG@10")
    before = parameters(tab)["like"]
    tab.get_by_alt_text("Rank 2:").last.click()
    tab.wait_for_function("before => !decodeURIComponent(location.search).includes(before)", arg=before[0])
    drawn(tab)
    expect(firsts).to_have_count(2)
