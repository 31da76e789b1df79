"""The real app in a real browser: the system's Chromium, headless."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.browser


def choose_gallery(tab, name: str) -> None:  # type: ignore[no-untyped-def]
    tab.get_by_role("combobox", name="Gallery").click()
    tab.get_by_role("option", name=name).click()
    tab.get_by_text("15 pictures").wait_for(timeout=60_000)


def test_a_click_on_a_sample_query_shows_ten_results_and_there_is_a_way_back(tab) -> None:  # type: ignore[no-untyped-def]
    tab.get_by_alt_text("Sample: Guitar").first.click(force=True)
    results = tab.locator(".st-key-results")
    results.get_by_alt_text("Rank 10").wait_for(timeout=60_000)
    assert results.locator("img").count() == 10
    tab.get_by_role("button", name="Show it another picture").click()
    tab.get_by_role("button", name="Guitar", exact=True).first.wait_for(timeout=60_000)
    assert results.count() == 0


def test_an_uploaded_photograph_gets_ten_ranked_results_with_descending_scores(tab, pictures: Path) -> None:  # type: ignore[no-untyped-def]
    choose_gallery(tab, "shapes")
    tab.set_input_files("input[type=file]", pictures / "rings" / "rings-4.jpg")
    results = tab.locator(".st-key-results")
    results.get_by_alt_text("Rank 10").wait_for(timeout=60_000)
    shown = [results.locator("p", has=tab.locator("strong")).nth(i).inner_text().split() for i in range(10)]
    assert [int(words[0]) for words in shown] == list(range(1, 11))
    scores = [float(words[1]) for words in shown]
    assert scores[0] == 1.0
    assert scores == sorted(scores, reverse=True)
    assert shown[0][2] == "rings"
    assert results.get_by_text("rings-4.jpg").is_visible()
    drawn = results.locator("img").evaluate_all("images => images.filter(i => i.complete && i.naturalWidth).length")
    assert drawn == 10
    assert tab.get_by_alt_text("Your picture").is_visible()


def test_the_page_fits_a_telephone(tab) -> None:  # type: ignore[no-untyped-def]
    tab.set_viewport_size({"width": 390, "height": 844})
    tab.wait_for_timeout(500)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    assert tab.get_by_text("Your picture").is_visible()
    assert tab.get_by_test_id("stFileUploader").is_visible()


def test_a_wrong_address_gets_a_plain_sentence_and_a_way_back(tab, pictures: Path) -> None:  # type: ignore[no-untyped-def]
    tab.get_by_role("radio", name="Image URL").or_(tab.get_by_role("button", name="Image URL")).first.click()
    tab.get_by_placeholder("https://…").fill("http://10.0.0.1/boot.jpg")
    tab.get_by_role("button", name="Search").click()
    tab.get_by_text("leads to a private network address, which is not fetched").wait_for(timeout=30_000)
    assert tab.locator("text=Traceback").count() == 0
    tab.get_by_role("radio", name="Upload").or_(tab.get_by_role("button", name="Upload")).first.click()
    tab.set_input_files("input[type=file]", pictures / "dots" / "dots-4.jpg")
    tab.get_by_alt_text("Rank 1:").wait_for(timeout=60_000)


def test_nothing_of_the_framework_that_a_guest_need_not_see_is_shown(tab) -> None:  # type: ignore[no-untyped-def]
    assert tab.get_by_text("Deploy").count() == 0
    assert tab.title() == "Search" or "Similarity" in tab.title()
