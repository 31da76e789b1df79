import time
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from commands import Run
from conftest import MODEL, Site

from similarity.errors import FetchError, SimilarityError
from similarity.fetch.http import fetch
from similarity.query.inputs import read_query

Handler = Callable[[Any], None]


def answering(site: Site, path: str, *answers: tuple[int, dict[str, str]]) -> list[float]:
    """Have a path answer with these statuses and headers, the last one again and again; returns when it was asked."""
    times: list[float] = []

    def answer(handler: Any) -> None:
        status, headers = answers[min(len(times), len(answers) - 1)]
        times.append(time.monotonic())
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        body = b"the bytes" if status == 200 else b""
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    site.pages[path] = answer
    return times


@pytest.mark.many
@pytest.mark.parametrize("status", [401, 403, 406, 429, 451])
def test_a_site_that_refuses_programs_is_said_to(site: Site, status: int) -> None:
    answering(site, "/a.jpg", (status, {}))
    with pytest.raises(FetchError, match=rf"answered {status} .*; the site refuses programs: download the picture\."):
        fetch(site.url("/a.jpg"))


@pytest.mark.many
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("kind", ["seconds", "date"])
def test_a_busy_site_is_asked_again_when_it_says_so(site: Site, status: int, kind: str) -> None:
    after = "1" if kind == "seconds" else formatdate(time.time() + 2, usegmt=True)
    times = answering(site, "/a.jpg", (status, {"Retry-After": after}), (200, {}))
    assert fetch(site.url("/a.jpg")) == b"the bytes"
    assert len(times) == 2
    assert times[1] - times[0] >= 0.9


def test_a_busy_site_is_asked_as_often_as_it_wants_within_the_deadline(site: Site) -> None:
    again = (429, {"Retry-After": "0"})
    assert len(answering(site, "/a.jpg", again, again, again, (200, {}))) == 0
    assert fetch(site.url("/a.jpg")) == b"the bytes"
    answering(site, "/for-ever.jpg", again)
    with pytest.raises(FetchError, match="answered 429"):
        fetch(site.url("/for-ever.jpg"))


@pytest.mark.parametrize(
    ("status", "after", "sentence"),
    [
        (
            429,
            "3600",
            r"answered 429 .*; the site refuses programs: .*, or try again in 3,600 seconds\.",
        ),
        (503, "30", r"answered 503 Service Unavailable; the site has a fault or is busy: try again in 30 seconds\."),
        (503, "soon", r"answered 503 Service Unavailable; the site has a fault or is busy: try again later\."),
        (503, "1e999", r"answered 503"),
    ],
)
def test_a_site_that_wants_more_time_than_there_is_is_not_waited_for(
    site: Site, status: int, after: str, sentence: str
) -> None:
    answering(site, "/a.jpg", (status, {"Retry-After": after}))
    started = time.monotonic()
    with pytest.raises(FetchError, match=sentence):
        fetch(site.url("/a.jpg"))
    assert time.monotonic() - started < 5


@pytest.mark.exhaustive
def test_each_row_of_a_table_waits_as_its_server_asks(site: Site, tmp_path: Path, run: Run, pictures: Path) -> None:
    paths = sorted(pictures.rglob("*.jpg"))[:3]
    asked: dict[str, int] = {}

    def limited(body: bytes) -> Handler:
        def answer(handler: Any) -> None:
            asked[handler.path] = asked.get(handler.path, 0) + 1
            is_first = asked[handler.path] == 1
            handler.send_response(429 if is_first else 200)
            handler.send_header("Retry-After", "1")
            handler.send_header("Content-Length", "0" if is_first else str(len(body)))
            handler.end_headers()
            handler.wfile.write(b"" if is_first else body)

        return answer

    for number, path in enumerate(paths):
        site.pages[f"/{number}.jpg"] = limited(path.read_bytes())
    site.pages["/refused.jpg"] = (403, {}, b"")
    names = [*(f"{number}.jpg" for number in range(len(paths))), "refused.jpg"]
    (tmp_path / "list.csv").write_text("url\n" + "".join(f"{site.url('/' + name)}\n" for name in names))
    done = run("index", tmp_path / "list.csv", "--gallery", tmp_path / "gallery", "--model", MODEL)
    assert done.returncode == 0, done.stderr
    assert "3 added" in done.stdout + done.stderr
    assert "answered 403 Forbidden; the site refuses programs" in done.stderr
    assert set(asked.values()) == {2}


def test_servers_get_an_address_to_complain_to(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    agents = []

    def note(handler: Any) -> None:
        agents.append(handler.headers["User-Agent"])
        handler.send_response(200 if "http" in agents[-1] or "@" in agents[-1] else 403)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    site.pages["/a.jpg"] = note
    fetch(site.url("/a.jpg"))
    monkeypatch.setenv("SIMILARITY_CONTACT", " photos@example.org\r\nX-Evil: 1")
    fetch(site.url("/a.jpg"))
    assert agents[0].startswith("similarity/0.1 (+")
    assert "@" in agents[0]
    assert agents[1] == "similarity/0.1 (+photos@example.orgX-Evil: 1)"


def test_spaces_in_the_path_of_an_address_are_sent_as_browsers_send_them(site: Site) -> None:
    site.pages["/my%20boots/a%20b.jpg"] = (200, {}, b"the bytes")
    assert fetch(site.url("/my boots/a b.jpg ")) == b"the bytes"


@pytest.mark.parametrize(
    "text", ["file://[::1/x", "file://h\u2100st/x", "data:,\ud800", "data:image/png;base64,\ud800"]
)
def test_odd_addresses_are_errors_of_ours(text: str) -> None:
    with pytest.raises(SimilarityError):
        read_query(text)
