"""How sure results are, in the real app with a real browser: the system's Chromium, headless."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from e2e.tabs import drawn, go_on, press

pytestmark = [pytest.mark.browser, pytest.mark.exhaustive]

LAMP = "?gallery=sample&like=sample:lamp-02-q"


def chances(tab: Any) -> Any:
    """What is said on each result, once it is."""
    found = tab.locator(".st-key-results .chance")
    found.first.wait_for()
    drawn(tab)
    return found


def shown(tab: Any) -> int:
    """The number of results, once there are ten at least."""
    results = tab.locator(".st-key-results .tile")
    results.nth(9).wait_for()
    return int(results.count())


def line(tab: Any, title: str) -> str:
    """The line above the results with this title, once it is there."""
    found = tab.locator("[data-testid=stAlert], [data-testid=stMarkdown]").filter(has_text=f"{title}:")
    found.first.wait_for()
    drawn(tab)
    return str(found.last.inner_text()).replace("check_circle", "").replace("\u00a0", " ").strip()


def test_results_are_called_likely_or_not_and_the_evaluate_page_draws_whether_that_is_true(tab: Any) -> None:
    tab.goto(LAMP)
    assert chances(tab).all_inner_texts() == ["> 99 % same kind"] * 10
    assert line(tab, "Strong match") == "Strong match: probably “lamp” (> 99 %)."
    assert tab.get_by_test_id("stAlert").count() == 0
    press(tab, "Filter")
    tab.get_by_role("radio", name="95 %").click()
    tab.wait_for_url("**precision=0.95**")
    chances(tab)
    assert tab.locator(".tile.unsure").count() == 0
    go_on(tab, "evaluate?gallery=sample")
    tab.get_by_text("Expected calibration error").first.wait_for()
    tab.locator("canvas").nth(4).wait_for()


def test_under_a_filter_results_are_shown_without_probabilities_and_nothing_excuses_it(tab: Any) -> None:
    tab.goto(f"{LAMP}&where.label=shoe&precision=0.95")
    tab.get_by_alt_text("Rank 1:").first.wait_for()
    assert tab.get_by_text("How likely results are right").count() == 0
    drawn(tab)
    assert shown(tab) >= 10
    assert tab.locator(".tile.unsure, .st-key-results .chance").count() == 0
    assert tab.get_by_test_id("stAlert").count() == 0


def test_a_picture_of_the_gallery_is_called_the_same_picture(tab: Any) -> None:
    from playwright.sync_api import expect

    tab.goto("?gallery=sample&like=item:teapot-09-1")
    assert (
        line(tab, "This very picture is in the gallery") == "This very picture is in the gallery: one result shows it."
    )
    expect(tab.locator(".st-key-results .copy")).to_have_text(["Same picture"])
    assert tab.locator(".st-key-results .chance").count() == 0, "a badge says it, and others are called nothing"


def test_a_query_that_the_gallery_may_not_have_is_called_uncertain(tab: Any) -> None:
    tab.goto("?gallery=sample&like=sample:guitar-04-q")
    told = line(tab, "Similar, kind uncertain")
    assert told.endswith("this gallery may have nothing of its kind, so no result is called likely.")
    assert shown(tab) >= 10
    assert tab.locator(".st-key-results .chance").count() == 0


def test_a_precision_that_no_result_has_is_said(tab: Any) -> None:
    tab.goto("?gallery=sample&like=sample:headphones-09-q&precision=0.95")
    told = line(tab, "No confident match")
    assert "none of the first results has a score that is right in 95 % of cases" in told
    assert "same kind" in chances(tab).first.inner_text()
    assert tab.locator(".st-key-results .unsure").count() >= 1


def test_a_query_like_nothing_in_the_gallery_is_told_so_and_no_result_is_called_likely(tab: Any) -> None:
    noise = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)).save(noise, "PNG")
    tab.goto("?gallery=sample")
    tab.locator("[data-testid=stFileUploader] input[type=file]").set_input_files(
        {"name": "noise.png", "mimeType": "image/png", "buffer": noise.getvalue()}
    )
    assert "these are the nearest pictures" in line(tab, "Nothing like it in this gallery")
    assert shown(tab) >= 10
    assert tab.locator(".st-key-results .chance").count() == 0
