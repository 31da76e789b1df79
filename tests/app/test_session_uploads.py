"""Uploads of visitors: how many are kept, whose go first, and that those of closed tabs go."""

from types import SimpleNamespace

import cachetools
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from similarity.app.serving import browser_cookie, housekeeping, session_uploads, sessions, visitors
from similarity.app.serving.browser_cookie import BrowserCookie
from similarity.app.serving.housekeeping import Housekeeping
from similarity.app.serving.session_uploads import AFTERWARDS, MOST_BYTES, MOST_BYTES_IN_ALL, MOST_FILES, SessionUploads
from similarity.images.picture import QueryFile
from similarity.service.visitor import Visitor

MEGABYTE = 1_000_000


def file(number: int, size: int = 10) -> QueryFile:
    return QueryFile(number.to_bytes(4, "big") + bytes(size - 4), f"{number}.jpg")


def held(uploads: SessionUploads, session: str, files: list[QueryFile]) -> list[bool]:
    return [uploads.find(session, one.sha256) is not None for one in files]


def test_the_last_few_uploads_of_a_tab_are_kept_and_nobody_elses_are_found() -> None:
    uploads, files = SessionUploads(), [file(number) for number in range(MOST_FILES + 2)]
    for one in files:
        uploads.keep("tab", one)
    assert held(uploads, "tab", files) == [False, False] + [True] * MOST_FILES
    assert held(uploads, "another", files) == [False] * len(files)


def test_large_uploads_of_a_tab_take_the_place_of_older_ones() -> None:
    uploads, files = SessionUploads(), [file(number, 15 * MEGABYTE) for number in range(4)]
    for one in files:
        uploads.keep("tab", one)
    assert held(uploads, "tab", files) == [False, False, True, True]
    uploads.keep("tab", larger := file(9, MOST_BYTES + 1))
    assert held(uploads, "tab", [larger]) == [True]


def test_when_all_have_too_much_the_oldest_of_whoever_has_most_go() -> None:
    uploads, small = SessionUploads(), file(1, MEGABYTE)
    uploads.keep("modest", small)
    large = [file(number, 19 * MEGABYTE) for number in range(10, 20)]
    for number, one in enumerate(large):
        uploads.keep(f"tab {number // 2}", one)
    assert held(uploads, "modest", [small]) == [True]
    kept = sum(held(uploads, f"tab {number // 2}", [one])[0] for number, one in enumerate(large))
    assert kept == MOST_BYTES_IN_ALL // (19 * MEGABYTE)
    assert held(uploads, "tab 4", large[-1:]) == [True]


def test_a_page_that_is_loaded_again_finds_the_uploads_of_its_browser_for_an_hour(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [0.0]
    monkeypatch.setattr(
        session_uploads, "TTLCache", lambda most, ttl: cachetools.TTLCache(most, ttl, timer=lambda: clock[0])
    )
    uploads, one = SessionUploads(), file(1)
    uploads.keep("before", one, "firefox")
    assert uploads.find("after", one.sha256, "firefox")
    uploads.forget("before")
    clock[0] = AFTERWARDS - 1
    assert uploads.find("after", one.sha256, "firefox")
    assert not uploads.find("after", one.sha256, "chromium")
    assert not uploads.find("after", one.sha256)
    clock[0] = AFTERWARDS + 1
    uploads.expire()
    assert not uploads.find("after", one.sha256, "firefox")


def test_what_closed_tabs_left_counts_like_the_rest() -> None:
    uploads, files = SessionUploads(), [file(number, 19 * MEGABYTE) for number in range(10)]
    for number, one in enumerate(files):
        uploads.keep(f"tab {number}", one, f"browser {number}")
        uploads.forget(f"tab {number}")
    kept = [bool(uploads.find("new", one.sha256, f"browser {number}")) for number, one in enumerate(files)]
    assert sum(kept) == MOST_BYTES_IN_ALL // (19 * MEGABYTE)
    assert kept[-1]


def test_each_browser_has_a_cookie_of_its_own_that_comes_with_the_page() -> None:
    async def page(request: Request) -> Response:
        return HTMLResponse("page") if request.url.path == "/" else PlainTextResponse("text")

    app = BrowserCookie(Starlette(routes=[Route("/", page), Route("/health", page)]))
    first, second = TestClient(app), TestClient(app)
    assert "set-cookie" not in first.get("/health").headers
    given = first.get("/").headers["set-cookie"]
    assert "HttpOnly" in given
    assert "SameSite=Strict" in given
    assert "Secure" not in given
    assert browser_cookie.browser_of(given) != browser_cookie.browser_of(second.get("/").headers["set-cookie"])
    assert "set-cookie" not in first.get("/").headers, "it has one"
    forged = TestClient(app, cookies={browser_cookie.NAME: "x"}, base_url="https://a.test")
    assert "Secure" in forged.get("/").headers["set-cookie"]


def test_what_a_closed_tab_had_goes_when_it_cannot_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    open_tabs = {"open", "closed"}
    uploads, pages = SessionUploads(), sessions.Sessions()
    monkeypatch.setattr(session_uploads, "shared_uploads", lambda: uploads)
    monkeypatch.setattr(sessions, "shared_sessions", lambda: pages)
    monkeypatch.setattr(visitors, "is_connected", open_tabs.__contains__)
    for tab in open_tabs:
        uploads.keep(tab, file(1))
    house = Housekeeping()
    assert house.sweep(now=0, patience=120) == []
    open_tabs.remove("closed")
    assert house.sweep(now=1000, patience=120) == []
    assert house.sweep(now=1119, patience=120) == []
    assert house.sweep(now=1120, patience=120) == ["closed"]
    assert uploads.sessions() == ["open"]
    assert house.sweep(now=1140, patience=120) == []


def test_a_tab_that_comes_back_in_time_keeps_its_uploads(monkeypatch: pytest.MonkeyPatch) -> None:
    is_open = [False]
    uploads, pages = SessionUploads(), sessions.Sessions()
    monkeypatch.setattr(session_uploads, "shared_uploads", lambda: uploads)
    monkeypatch.setattr(sessions, "shared_sessions", lambda: pages)
    monkeypatch.setattr(visitors, "is_connected", lambda _: is_open[0])
    uploads.keep("tab", file(1))
    house = Housekeeping()
    house.sweep(now=0, patience=120)
    is_open[0] = True
    house.sweep(now=60, patience=120)
    is_open[0] = False
    assert house.sweep(now=130, patience=120) == []
    assert house.sweep(now=250, patience=120) == ["tab"]


def test_a_closed_tab_that_uploaded_nothing_is_dropped_with_its_state(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, closed = sessions.Sessions(), list[str]()
    monkeypatch.setattr(sessions, "shared_sessions", lambda: kept)
    monkeypatch.setattr(visitors, "is_connected", lambda session: session == "open")
    server = SimpleNamespace(
        close_session=closed.append,
        uploaded_file_mgr=SimpleNamespace(file_storage={}, remove_session_files=lambda _: None),
    )
    monkeypatch.setattr("streamlit.runtime.exists", lambda: True)
    monkeypatch.setattr("streamlit.runtime.get_instance", lambda: server)
    for tab in ("open", "closed"):
        with visitors.acting_for(Visitor(tab)):
            sessions.note_current()
    house = Housekeeping()
    # A page of another test may still be drawn in a thread of this process, and is noted, too.
    assert not {"open", "closed"} & set(house.sweep(now=0, patience=90))
    assert {"open", "closed"} & set(house.sweep(now=90, patience=90)) == {"closed"}
    assert {"open", "closed"} & set(closed) == {"closed"}
    assert {"open", "closed"} & set(kept.list()) == {"open"}


def test_memory_is_given_back_wherever_that_can_be_done() -> None:
    housekeeping.return_free_memory()
