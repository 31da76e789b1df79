import threading
import time

import pytest
from conftest import Site

from similarity.errors import FetchError, ImageError
from similarity.fetch import http as fetching
from similarity.fetch.http import fetch
from similarity.query.inputs import decode_query


def test_what_an_address_serves_comes_back(site: Site) -> None:
    site.pages["/boot.jpg"] = (200, {}, b"the bytes")
    assert fetch(site.url("/boot.jpg")) == b"the bytes"


def test_a_redirect_is_followed_but_not_for_ever(site: Site) -> None:
    site.pages["/old"] = (302, {"Location": "/new"}, b"")
    site.pages["/new"] = (200, {}, b"here")
    site.pages["/loop"] = (302, {"Location": "/loop"}, b"")
    assert fetch(site.url("/old")) == b"here"
    with pytest.raises(FetchError, match="redirects more than 4 times"):
        fetch(site.url("/loop"))


def test_a_missing_page_is_an_error_with_its_status(site: Site) -> None:
    with pytest.raises(FetchError, match=r"answered 404 Not Found"):
        fetch(site.url("/gone.jpg"))


def test_a_web_page_is_named_as_such(site: Site) -> None:
    site.pages["/page"] = (200, {"Content-Type": "image/jpeg"}, b"<html><body>A boot</body></html>")
    with pytest.raises(ImageError, match="is a web page, not a picture: open the picture itself and copy its address"):
        decode_query(site.url("/page"), side=256)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/a.jpg", "http://localhost/a.jpg", "http://10.0.0.1/a.jpg", "http://[::1]/a.jpg"]
)
def test_private_addresses_are_refused_unless_they_are_named(url: str) -> None:
    started = time.monotonic()
    with pytest.raises(FetchError, match="leads to a private network address"):
        fetch(url)
    assert time.monotonic() - started < 5


def test_naming_one_private_host_does_not_open_another(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Site()
    other.pages["/secret"] = (200, {}, b"secret")
    site.pages["/out"] = (302, {"Location": other.url("/secret")}, b"")
    monkeypatch.setenv("SIMILARITY_PORTS", other.host.partition(":")[2])
    with pytest.raises(FetchError, match="private network address"):
        fetch(site.url("/out"))
    other.close()
    assert other.asked == []


@pytest.mark.parametrize(
    "url", ["ftp://example.com/a.jpg", "file:///etc/passwd", "photo.jpg", "http://", "http:///a.jpg", "http://[::1/a"]
)
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(FetchError, match="is not a web address"):
        fetch(url)


def test_an_address_is_no_longer_than_a_browser_would_make_it(site: Site) -> None:
    site.pages["/a"] = (200, {}, b"the bytes")
    url = site.url("/a?") + "x" * 2_000
    with pytest.raises(FetchError, match=r"2,048 characters at most; this one has 20,0\d\d: download") as refused:
        fetch(url + "x" * 18_000)
    assert len(str(refused.value)) < 200
    assert site.asked == []
    with pytest.raises(FetchError, match="404"):
        fetch(url)


def test_too_much_is_cut_off_whatever_the_server_announces(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "MAX_BYTES", 1000)

    def endless(handler) -> None:  # type: ignore[no-untyped-def]
        handler.send_response(200)
        handler.end_headers()
        for _ in range(100):
            handler.wfile.write(b"x" * 100)

    site.pages["/endless"] = endless
    with pytest.raises(FetchError, match="sends more than 20 MB"):
        fetch(site.url("/endless"))


@pytest.mark.many
@pytest.mark.parametrize("silent_after", ["nothing", "the headers", "a byte now and then"])
def test_a_slow_server_is_given_up_at_the_deadline(
    site: Site, monkeypatch: pytest.MonkeyPatch, silent_after: str
) -> None:
    monkeypatch.setattr(fetching, "MAX_SECONDS", 0.6)
    given_up, ended = threading.Event(), threading.Event()

    def slow(handler) -> None:  # type: ignore[no-untyped-def]
        if silent_after != "nothing":
            handler.send_response(200)
            handler.end_headers()
        for _ in range(600):
            if given_up.wait(0.1):
                return
            if silent_after == "a byte now and then":
                handler.wfile.write(b"x")
        ended.set()

    site.pages["/slow"] = slow
    with pytest.raises(FetchError, match="did not answer in time"):
        fetch(site.url("/slow"))
    assert not ended.is_set()
    given_up.set()


def test_an_answer_that_breaks_off_is_asked_for_again(site: Site) -> None:
    def broken_once(handler) -> None:  # type: ignore[no-untyped-def]
        handler.send_response(200)
        handler.send_header("Content-Length", "9")
        handler.end_headers()
        handler.wfile.write(b"the bytes"[: 4 if len(site.asked) == 1 else 9])
        handler.close_connection = True

    site.pages["/broken"] = broken_once
    assert fetch(site.url("/broken")) == b"the bytes"


def test_a_server_that_asks_to_come_back_later_is_not_waited_for(site: Site) -> None:
    site.pages["/later"] = (503, {"Retry-After": "3600"}, b"")
    started = time.monotonic()
    with pytest.raises(FetchError, match="answered 503"):
        fetch(site.url("/later"))
    assert time.monotonic() - started < 5


def test_a_server_that_is_busy_for_a_moment_is_asked_again(site: Site) -> None:
    def busy_once(handler) -> None:  # type: ignore[no-untyped-def]
        handler.send_response(503 if len(site.asked) == 1 else 200)
        handler.send_header("Content-Length", "4")
        handler.end_headers()
        handler.wfile.write(b"here")

    site.pages["/busy"] = busy_once
    assert fetch(site.url("/busy")) == b"here"
    assert len(site.asked) == 2
