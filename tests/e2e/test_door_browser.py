"""The real app behind the doors of the deployment and of the documentation, in a browser."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import door
import pytest

from e2e.conftest import NewTab
from e2e.server import free_port
from e2e.tabs import drawn, names, see
from similarity import Gallery
from similarity.app.serving.access import REFUSAL

pytestmark = [pytest.mark.browser, pytest.mark.exhaustive]
PASSWORD = {"username": door.USER, "password": door.PASSWORD}


@pytest.fixture(params=[door.image_before, door.documented_before])
def through(
    request: pytest.FixtureRequest, address: str, new_tab: NewTab, tmp_path: Path
) -> Iterator[Callable[[], Any]]:
    """Opens a tab that sees the app through a door, and knows the password."""
    port = free_port()
    text = request.param(urlsplit(address).netloc, port)
    with door.running(text, tmp_path, door.environment(), port):
        yield lambda **options: new_tab(
            base_url=f"https://localhost:{port}/", ignore_https_errors=True, http_credentials=PASSWORD, **options
        )


def test_a_picture_that_is_uploaded_through_a_door_is_searched_with_and_nobody_becomes_a_manager(
    through: Callable[[], Any], new_tab: NewTab, sample: Gallery
) -> None:
    tab = through()
    tab.goto("?gallery=sample")
    drawn(tab)
    picture = Path(sample.items[0].path)
    tab.set_input_files('[data-testid="stFileUploader"] input[type=file]', picture)
    assert names(tab)[0] == picture.name
    shown = tab.locator(".st-key-results img").first
    tab.wait_for_function("image => image.naturalWidth > 0", arg=shown.element_handle())
    tab.goto("galleries")
    see(tab, REFUSAL)
    own = new_tab("galleries")
    see(own, "sample")
    assert own.get_by_text(REFUSAL).count() == 0, "whoever sits at the computer still is"
