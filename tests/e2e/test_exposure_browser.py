"""Pages of strangers that use a visitor's browser against the real app: nothing is read, and nothing changes."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from conftest import Site

pytestmark = pytest.mark.browser

# What a page of a stranger tries with the app at an address; all that came of it, once nothing is open any more.
DRIVE_BY = """<!doctype html><title>A harmless page</title>
<iframe id="frame" src="{app}galleries"></iframe>
<script>
  const connect = () => new Promise((ended) => {{
    const socket = new WebSocket("{app}_stcore/stream".replace("http", "ws"), ["streamlit"]);
    socket.onopen = () => ended("opened");
    socket.onerror = socket.onclose = () => ended("refused");
  }});
  const read = (options) => fetch("{app}_stcore/host-config", options).then((found) => found.text(), () => "refused");
  const load = () => new Promise((ended) => {{
    const image = new Image();
    image.onload = () => ended("shown");
    image.onerror = () => ended("refused");
    image.src = "{app}pictures/shapes/{sha256}.jpg";
  }});
  const loaded = new Promise((ended) => addEventListener("load", ended));
  Promise.all([connect(), read({{}}), read({{ mode: "no-cors" }}), load(), loaded]).then((all) => window.found = all);
</script>"""


def test_a_page_on_another_port_neither_connects_nor_reads_nor_frames(
    tab: Any, address: str, web: Site, shapes: Any
) -> None:
    page = DRIVE_BY.format(app=f"{address}/", sha256=shapes.items[0].sha256)
    web.pages["/harmless"] = (200, {"Content-Type": "text/html"}, page.encode())
    for place in (web.url("/harmless"), web.url("/harmless").replace("127.0.0.1", "localhost")):
        tab.goto(place)
        tab.wait_for_function("window.found")
        connected, was_read, unread, shown, _ = tab.evaluate("window.found")
        assert (connected, was_read, shown) == ("refused", "refused", "refused")
        assert unread in ("", "refused")  # what comes without leave has no content for a page
        framed = next(frame for frame in tab.frames if frame != tab.main_frame)
        assert framed.url.startswith("chrome-error:")


def test_a_strangers_name_for_this_computer_leads_to_a_sentence_and_no_page(tab: Any, address: str) -> None:
    place = f"http://rebound.test:{urlsplit(address).port}"
    for path in ("/", "/galleries", "/_stcore/health", "/_stcore/host-config", "/pictures/shapes/a.jpg"):
        answer = tab.goto(place + path)
        assert answer.status == 403
        assert "does not know the name 'rebound.test'" in answer.text()
    assert tab.get_by_test_id("stApp").count() == 0
