"""What addresses and servers that mean harm do to the fetcher; see `attack_addresses.py`."""

import socket
import threading
import time
import tracemalloc
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from attack_addresses import (
    LATE,
    NAMES,
    ODD_ADDRESSES,
    PRIVATE,
    PRIVATE_HOSTS,
    PUBLIC,
    REDIRECTS,
    SERVERS,
    UNREACHABLE,
    Internet,
    Page,
    drips_a_body,
    drips_headers,
    made_internet,
    never_answers,
    picture,
)
from urllib3.util import connection

from similarity.errors import FetchError, ImageError
from similarity.fetch import http as fetching
from similarity.fetch.http import fetch
from similarity.query.inputs import decode_query


@pytest.fixture
def internet(monkeypatch: pytest.MonkeyPatch) -> Iterator[Internet]:
    with made_internet(monkeypatch) as made:
        yield made


def show(url: str) -> None:
    """As the app and the command line do it: fetch, then decode."""
    decode_query(url, side=292)


@pytest.mark.many
@pytest.mark.parametrize("host", PRIVATE_HOSTS)
def test_no_spelling_of_a_private_address_is_connected_to(internet: Internet, host: str) -> None:
    for url in (f"http://{host}/a.jpg", f"https://{host}/a.jpg"):
        with pytest.raises(FetchError, match=PRIVATE):
            show(url)
    assert internet.forbidden == 0
    assert internet.site.asked == []


@pytest.mark.many
@pytest.mark.parametrize(("url", "sentence"), ODD_ADDRESSES, ids=[repr(url) for url, _ in ODD_ADDRESSES])
def test_an_address_that_hides_something_is_refused_with_its_sentence(
    internet: Internet, url: str, sentence: str
) -> None:
    with pytest.raises(FetchError, match=sentence) as refused:
        fetch(url)
    assert "\n" not in str(refused.value)
    assert internet.forbidden == 0
    assert internet.site.asked == []


@pytest.mark.many
@pytest.mark.parametrize("status", [301, 307])
@pytest.mark.parametrize(("target", "sentence"), REDIRECTS, ids=[target for target, _ in REDIRECTS])
def test_no_redirect_leads_where_an_address_may_not(
    internet: Internet, target: str, sentence: str, status: int
) -> None:
    internet.site.pages["/away"] = (status, {"Location": target}, b"")
    with pytest.raises(FetchError, match=sentence) as refused:
        show("http://public.test/away")
    assert str(refused.value).startswith("http://public.test/away ")
    assert "169.254" not in str(refused.value)
    assert internet.forbidden == 0


def test_a_chain_of_redirects_is_checked_to_its_end(internet: Internet) -> None:
    internet.site.pages["/1"] = (302, {"Location": "/2"}, b"")
    internet.site.pages["/2"] = (302, {"Location": "https://public.test/3"}, b"")
    internet.site.pages["/3"] = (302, {"Location": "http://loopback.test/"}, b"")
    with pytest.raises(FetchError, match=f"{PRIVATE}|certificate|{UNREACHABLE}"):
        show("http://public.test/1")
    internet.site.pages["/2"] = (302, {"Location": "http://loopback.test/"}, b"")
    with pytest.raises(FetchError, match=PRIVATE):
        show("http://public.test/1")
    assert internet.forbidden == 0


def test_a_name_that_changes_its_address_after_it_was_checked_leads_nowhere_else(internet: Internet) -> None:
    """The address that was checked is the one that is connected to; a redirect to the same name is checked again."""
    fetch("http://rebind-late.test/a.jpg")
    assert internet.lookups["rebind-late.test"] == 2
    internet.lookups.clear()
    internet.site.pages["/away"] = (302, {"Location": "http://rebind-late.test/a.jpg"}, b"")
    with pytest.raises(FetchError, match=PRIVATE):
        fetch("http://rebind-late.test/away")
    assert internet.forbidden == 0


def test_a_picture_on_a_public_host_is_fetched(internet: Internet, monkeypatch: pytest.MonkeyPatch) -> None:
    for url in ("http://public.test/a.jpg", "HTTP://PUBLIC.TEST/a.jpg", "http://public.test:80/a.jpg#@127.0.0.1"):
        show(url)
    monkeypatch.setenv("SIMILARITY_PORTS", "8080, 8443")
    show("http://public.test:8080/a.jpg")
    assert internet.forbidden == 0


def test_no_setting_of_the_environment_sends_it_elsewhere(
    internet: Internet, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:3128")
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    (tmp_path / ".netrc").write_text("machine public.test login user password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    seen: list[str] = []

    def note(handler: BaseHTTPRequestHandler) -> None:
        seen.extend(handler.headers)
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(picture())

    internet.site.pages["/note"] = note
    show("http://public.test/note")
    assert internet.forbidden == 0
    assert sorted(seen) == ["Accept", "Accept-Encoding", "Connection", "Host", "User-Agent"]


@pytest.mark.many
@pytest.mark.parametrize(("page", "sentence"), [row[1:] for row in SERVERS], ids=[row[0] for row in SERVERS])
def test_a_server_that_means_harm_costs_little_time_and_memory(
    internet: Internet, monkeypatch: pytest.MonkeyPatch, page: object, sentence: str
) -> None:
    monkeypatch.setattr(fetching, "MAX_SECONDS", 1.0)
    internet.site.pages["/a.jpg"] = page
    tracemalloc.start()
    started = time.monotonic()
    try:
        with pytest.raises((FetchError, ImageError), match=sentence) as refused:
            show("http://public.test/a.jpg")
        took, (_, peak) = time.monotonic() - started, tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "\n" not in str(refused.value)
    assert took < 5.0, "the deadline is one second, and these go on for ten"
    assert peak < 100e6
    assert internet.forbidden == 0


@pytest.mark.parametrize("page", [drips_headers, drips_a_body, never_answers])
def test_when_the_deadline_has_passed_nothing_goes_on_in_the_background(
    internet: Internet, monkeypatch: pytest.MonkeyPatch, page: Page
) -> None:
    monkeypatch.setattr(fetching, "MAX_SECONDS", 0.5)
    internet.site.pages["/a.jpg"] = page
    with pytest.raises(FetchError, match=LATE):
        fetch("http://public.test/a.jpg")
    for thread in [thread for thread in threading.enumerate() if thread.name == "fetch"]:
        thread.join(1)
        assert not thread.is_alive()


def test_a_host_whose_first_address_does_not_answer_is_reached_at_another(
    internet: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(NAMES, "dual.test", ["2606:2800:21f:cb07::1", PUBLIC])
    connect = connection.create_connection

    def unreachable_by_ipv6(address: tuple[str, int], *arguments: object, **options: object) -> socket.socket:
        if ":" in address[0]:
            raise OSError(101, "Network is unreachable")
        return connect(address, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(connection, "create_connection", unreachable_by_ipv6)
    show("http://dual.test/a.jpg")
    assert internet.forbidden == 0


def test_one_address_causes_few_requests(internet: Internet) -> None:
    def busy(handler: BaseHTTPRequestHandler) -> None:
        status = 503 if len(internet.site.asked) % 2 else 302
        handler.send_response(status)
        handler.send_header("Location", "/a.jpg")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    internet.site.pages["/a.jpg"] = busy
    with pytest.raises(FetchError):
        fetch("http://public.test/a.jpg")
    assert len(internet.site.asked) <= 2 * fetching.MAX_REQUESTS


@pytest.mark.parametrize("url", ["http://public.test/می\u200cخ.jpg", "http://PUBLIC.test/bu\u0308cher.jpg"])
def test_addresses_in_other_scripts_are_fetched(internet: Internet, url: str) -> None:
    with pytest.raises(FetchError, match="answered 404"):
        fetch(url)
    assert len(internet.site.asked) == 1


def test_the_attacks_are_many() -> None:
    assert len(PRIVATE_HOSTS) + len(ODD_ADDRESSES) + len(REDIRECTS) + len(SERVERS) >= 180
