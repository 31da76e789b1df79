"""Turns of the query, in the real app with a real browser: the system's Chromium, headless."""

import io
from typing import Any

import pytest
from PIL import Image

from e2e.tabs import drawn
from similarity.sample import sample_queries

pytestmark = [pytest.mark.browser, pytest.mark.exhaustive]

TURNED = "Turned by 90° to the left"


def first_label(tab: Any) -> str:
    """The label of the first result, once all is drawn."""
    tab.locator(".st-key-results .tile").nth(9).wait_for()
    drawn(tab)
    return str(tab.locator(".st-key-results .tile").first.inner_text())


@pytest.mark.exhaustive
def test_an_upload_that_lies_on_its_side_is_turned_and_that_can_be_undone_and_done_again(tab: Any) -> None:
    [path] = [item.path for item in sample_queries() if item.id == "lamp-02-q"]
    data = io.BytesIO()
    with Image.open(path) as image:
        image.convert("RGB").transpose(Image.Transpose.ROTATE_270).save(data, "PNG")
    tab.goto("?gallery=sample")
    tab.locator("[data-testid=stFileUploader] input[type=file]").set_input_files(
        {"name": "lamp.png", "mimeType": "image/png", "buffer": data.getvalue()}
    )
    tab.get_by_text(TURNED).wait_for()
    assert "lamp" in first_label(tab)
    tab.get_by_role("button", name="Search it as it is").click()
    tab.wait_for_url("**turned=0**")
    tab.get_by_text("Nothing like it in this gallery").first.wait_for()
    drawn(tab)
    assert tab.get_by_text(TURNED).count() == 0
    tab.get_by_text("Try it turned").click()
    tab.wait_for_url("**turned=1**")
    tab.get_by_text(TURNED).wait_for()
    assert "lamp" in first_label(tab)
