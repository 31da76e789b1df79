"""What the web server lets through: by asking its guard, and without a browser."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pytest
from starlette.datastructures import Headers
from streamlit.proto.BackMsg_pb2 import BackMsg

from similarity.app.serving import guard
from similarity.app.serving.guard import HEADERS, MESSAGES, Guard

Header = tuple[str, str]


async def behind(scope: Any, receive: Any, send: Any) -> None:
    """An app behind the guard: it answers every request, and tells what comes through a connection."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "bytes": message["bytes"]})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-frame-options", b"SAMEORIGIN")]})
    await send({"type": "http.response.body", "body": b"the page"})


def ask(
    headers: Sequence[Header], kind: str = "http", said: Sequence[bytes] = (), app: Any = behind
) -> list[dict[str, Any]]:
    """What comes back for a request with these headers, or through a connection on which this is said."""
    sent: list[dict[str, Any]] = []
    coming = iter([{"type": "websocket.receive", "bytes": one} for one in said] + [{"type": "websocket.disconnect"}])

    async def receive() -> Any:
        return next(coming)

    async def send(message: Any) -> None:
        sent.append(message)

    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    scope = {"type": kind, "method": "GET", "path": "/", "headers": raw}
    asyncio.run(Guard(app)(scope, receive, send))
    return sent


def is_let_through(headers: Sequence[Header]) -> bool:
    """Whether both a request and a connection are."""
    page, connection = ask(headers)[0], ask(headers, "websocket")[0]
    assert (page["status"] == 200) == (connection["type"] == "websocket.accept")
    if page["status"] != 200:
        assert (page["status"], connection["type"]) == (403, "websocket.close")
    return bool(page["status"] == 200)


@pytest.mark.parametrize(
    ("host", "origin", "is_meant"),
    [
        ("localhost:8501", None, True),
        ("127.0.0.1:8501", "http://127.0.0.1:8501", True),
        ("[::1]:8501", "http://[::1]:8501", True),
        ("192.0.2.7:8501", "http://192.0.2.7:8501", True),
        ("LOCALHOST:8501", "http://localhost:8501", True),
        ("shop.example", "https://shop.example", True),
        ("shop.example:443", "https://shop.example", True),
        # pages of others on the same computer, or on the same server
        ("127.0.0.1:8501", "http://127.0.0.1:3000", False),
        ("localhost:8501", "http://localhost:9999", False),
        ("localhost:8501", "http://localhost", False),
        ("localhost:8501", "http://127.0.0.1:8501", False),
        ("localhost:8501", "https://evil.example", False),
        ("localhost:8501", "http://localhost:8501.evil.example", False),
        ("localhost:8501", "http://localhost:8501@evil.example", False),
        ("localhost:8501", "null", False),
        ("localhost:8501", "", False),
        ("localhost:8501", "file://", False),
        ("localhost:8501", "chrome-extension://abc", False),
        # names that a stranger makes lead to this computer
        ("evil.example:8501", None, False),
        ("evil.example:8501", "http://evil.example:8501", False),
        ("localhost.evil.example", None, False),
        ("127.0.0.1.nip.example:8501", None, False),
        ("evil.example@localhost:8501", None, False),
        ("localhost:8501/evil", None, False),
        ("localhost:port", None, False),
        ("", None, False),
    ],
)
def test_only_pages_of_this_app_under_a_name_that_is_its_own_are_let_through(
    monkeypatch: pytest.MonkeyPatch, host: str, origin: str | None, is_meant: bool
) -> None:
    monkeypatch.setenv("SIMILARITY_HOSTS", " shop.example, other.example")
    headers = [("Host", host)] + ([("Origin", origin)] if origin is not None else [])
    assert is_let_through(headers) is is_meant


@pytest.mark.parametrize("origin", ["https://shop.example", "https://shop.example:443", "https://SHOP.example"])
def test_streamlit_need_not_ask_anybody_whether_a_page_is_its_own(monkeypatch: pytest.MonkeyPatch, origin: str) -> None:
    from streamlit import net_util
    from streamlit.web.server.starlette.starlette_websocket import _is_origin_allowed

    monkeypatch.setenv("SIMILARITY_HOSTS", "shop.example")
    for name in ("get_internal_ip", "get_external_ip"):
        monkeypatch.setattr(net_util, name, lambda: pytest.fail("it was asked"))
    passed: list[Headers] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        passed.append(Headers(scope=scope))
        await behind(scope, receive, send)

    for host in ("shop.example", "shop.example:443"):
        ask([("Host", host), ("Origin", origin)], "websocket", app=app)
        assert passed[-1]["origin"] == origin, "a login belongs to one origin"
        assert _is_origin_allowed(passed[-1].get("origin"), passed[-1].get("host"))
    assert len(passed) == 2


def test_a_request_with_two_names_or_none_or_two_origins_is_refused() -> None:
    host, origin = ("Host", "localhost:8501"), ("Origin", "http://localhost:8501")
    assert is_let_through([host, origin])
    assert not is_let_through([origin])
    assert not is_let_through([host, ("Host", "evil.example")])
    assert not is_let_through([host, origin, ("Origin", "http://evil.example")])


def test_a_name_that_nobody_gave_is_refused_with_what_to_do() -> None:
    answer = ask([("Host", "gallery.example")])
    assert b"setting SIMILARITY_HOSTS" in answer[1]["body"]


def test_every_answer_says_what_a_browser_may_do_with_it() -> None:
    for host in ("localhost", "evil.example"):
        headers = [(name.decode(), value.decode()) for name, value in ask([("Host", host)])[0]["headers"]]
        told = dict(headers)
        assert set(map(str.lower, HEADERS)) <= set(told)
        assert "frame-ancestors 'none'" in told["content-security-policy"]
        assert told["x-content-type-options"] == "nosniff"
        assert told["x-frame-options"] == "DENY"


def test_of_what_a_connection_says_only_what_our_pages_say_comes_through() -> None:
    rerun, download, beat = BackMsg(), BackMsg(), BackMsg(app_heartbeat=True)
    rerun.rerun_script.query_string = "gallery=shapes"
    download.backend_operation_request.deferred_file.file_id = "1"
    ours = [one.SerializeToString() for one in (rerun, download, beat)]
    others = [
        BackMsg(clear_cache=True),
        BackMsg(load_git_info=True),
        BackMsg(set_run_on_save=True),
        BackMsg(debug_shutdown_runtime=True),
        BackMsg(debug_disconnect_websocket=True),
    ]
    for operation in ("install_skills", "dismiss_skills_nudge"):
        another = BackMsg()
        getattr(another.backend_operation_request, operation).SetInParent()
        others.append(another)
    said = [*(one.SerializeToString() for one in others), b"\xff\xfe no message", b""]
    heard = ask([("Host", "localhost")], "websocket", [*ours, *said, *ours])
    assert [one["bytes"] for one in heard if one["type"] == "websocket.send"] == [*ours, *ours]


def test_very_many_messages_wait_and_none_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "SECONDS", 0.2)
    said = [BackMsg(app_heartbeat=True).SerializeToString()] * (3 * MESSAGES)
    began = time.monotonic()
    heard = ask([("Host", "localhost")], "websocket", said)
    assert len([one for one in heard if one["type"] == "websocket.send"]) == len(said)
    assert time.monotonic() - began > 0.3, "two times as many as may come at once took their time"
