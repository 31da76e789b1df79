"""How sure results are, in the real app with a real browser: the system's Chromium, headless."""

from typing import Any

import pytest

from e2e.tabs import drawn, go_on, press

pytestmark = pytest.mark.browser

LAMP = "?gallery=sample&like=sample:lamp-02-q"


def chances(tab: Any) -> Any:
    """What is said on each result, once it is."""
    found = tab.locator(".st-key-results .chance")
    found.first.wait_for()
    drawn(tab)
    return found


def test_results_are_called_likely_or_not_and_the_evaluate_page_draws_whether_that_is_true(tab: Any) -> None:
    tab.goto(LAMP)
    assert chances(tab).all_inner_texts() == ["> 99 % likely"] * 10
    assert tab.get_by_test_id("stAlert").count() == 0
    press(tab, "Filter")
    tab.get_by_role("radio", name="95 %").click()
    tab.wait_for_url("**precision=0.95**")
    chances(tab)
    assert tab.locator(".tile.unsure").count() == 0
    go_on(tab, f"{LAMP}&where.label=shoe&precision=0.95")
    banner = tab.get_by_test_id("stAlert")
    banner.wait_for()
    assert "No confident match. The best one is < 1 % likely the same kind." in banner.inner_text()
    assert "less sure" in chances(tab).first.inner_text()
    assert tab.locator(".tile.unsure").count() == 10
    go_on(tab, "evaluate?gallery=sample")
    tab.get_by_text("Expected calibration error").first.wait_for()
    tab.locator("canvas").nth(4).wait_for()
