"""Pages of strangers that use a visitor's browser against the real app: nothing is read, and nothing changes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from conftest import Site

from e2e.conftest import NewTab

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


def test_nothing_connects_anywhere_whatever_origin_a_connection_has_and_an_address_leads_only_there(
    new_tab: NewTab, address: str, web: Site, shapes: Any, app_home: Path, connects_to: Callable[[], set[str]]
) -> None:
    own = urlsplit(address).netloc
    origins = ("http://evil.example", "https://192.0.2.1", f"https://{own}", f"http://{own}", "null")
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    key = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol": "streamlit"}
    answers = []
    for origin in origins:
        headers = upgrade | key | {"Origin": origin}
        with requests.get(f"{address}/_stcore/stream", headers=headers, stream=True, timeout=30) as answer:
            answers.append(answer.status_code)
    assert answers == [403, 403, 101, 101, 403], "the scheme may be that of a proxy"
    web.pages["/shown.jpg"] = (200, {}, Path(shapes.items[0].path).read_bytes())
    tab = new_tab(f"?gallery=shapes&like=url:{web.url('/shown.jpg')}")
    tab.locator(".st-key-results img").first.wait_for()
    assert web.host.partition(":")[2] in (app_home / "connects.txt").read_text(), "what it connects to is noted"
    assert connects_to() == set()
