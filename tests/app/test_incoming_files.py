"""The route of uploads: open to who may make galleries, from the browser that began, and to nobody else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from similarity.app.serving import browser_cookie, incoming_files
from similarity.app.serving.guard import Guard
from similarity.service import incoming
from similarity.service.incoming import shared_incoming

BROWSER = "b" * 43


@pytest.fixture
def client(empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """A browser on this computer."""
    assert empty_home
    monkeypatch.setenv("SIMILARITY_MANAGE", "local")
    app = Starlette(routes=incoming_files.routes())
    cookies = {browser_cookie.NAME: BROWSER}
    with TestClient(app, "http://localhost", client=("127.0.0.1", 5000), cookies=cookies) as client:
        client.headers = {"user-agent": "test"}
        yield client


@pytest.fixture
def address(client: TestClient) -> Iterator[str]:
    """That of an upload that this browser has begun."""
    assert client
    name = shared_incoming().open(BROWSER)
    yield incoming_files.address(name)
    shared_incoming().drop(name)


def test_pieces_arrive_and_the_upload_is_complete(client: TestClient, address: str) -> None:
    assert client.put(f"{address}?path=a%2F1.jpg&at=0", content=b"abc").json() == {"size": 3}
    answer = client.put(f"{address}?path=a%2F1.jpg&at=0", content=b"abc")
    assert (answer.status_code, answer.json()) == (409, {"size": 3})
    assert client.get(f"{address}?path=a%2F1.jpg").json() == {"size": 3}
    assert client.post(address).status_code == 200
    upload = shared_incoming().find(address.rsplit("/", 1)[1], BROWSER)
    assert upload
    assert upload.is_complete
    assert (upload.folder / "a" / "1.jpg").read_bytes() == b"abc"
    assert client.delete(address).status_code == 200
    assert not upload.folder.exists()


def test_whoever_may_not_make_galleries_or_is_another_browser_gets_nothing(
    client: TestClient, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = f"{address}?path=1.jpg&at=0"
    assert client.put(target, content=b"a", headers={"x-forwarded-for": "1.2.3.4"}).status_code == 404
    assert client.put(target, content=b"a", headers={"host": "pictures.example"}).status_code == 404
    assert client.put(target.replace("incoming/", "incoming/x"), content=b"a").status_code == 404
    with monkeypatch.context() as nobody:
        nobody.setenv("SIMILARITY_MANAGE", "nobody")
        assert client.put(target, content=b"a").status_code == 404
    client.cookies.clear()
    assert client.put(target, content=b"a").status_code == 404
    assert "choose the files again" in client.put(target, content=b"a").json()["reason"]


@pytest.mark.parametrize(("setting", "is_taken"), [("local", True), ("everyone", True), ("nobody", False), ("", False)])
@pytest.mark.parametrize("place", ["here", "elsewhere"])
def test_pieces_are_taken_as_the_setting_of_who_may_manage_says(
    client: TestClient, address: str, monkeypatch: pytest.MonkeyPatch, setting: str, is_taken: bool, place: str
) -> None:
    monkeypatch.setenv("SIMILARITY_MANAGE", setting)
    headers = {} if place == "here" else {"via": "1.1 a proxy"}
    answer = client.put(f"{address}?path=1.jpg&at=0", content=b"a", headers=headers)
    is_allowed = is_taken and (place == "here" or setting == "everyone")
    assert answer.status_code == (200 if is_allowed else 404)


def test_a_page_of_another_server_sends_nothing_in_a_visitors_name(client: TestClient, address: str) -> None:
    guarded = TestClient(
        Guard(client.app), "http://localhost", client=("127.0.0.1", 5000), cookies={browser_cookie.NAME: BROWSER}
    )
    guarded.headers = {"user-agent": "test"}
    target = f"{address}?path=1.jpg&at=0"
    for origin in ("http://evil.example", "http://localhost:1", "null"):
        assert guarded.put(target, content=b"a", headers={"origin": origin}).status_code == 403
        assert guarded.delete(address, headers={"origin": origin}).status_code == 403
    assert guarded.put(target, content=b"a", headers={"origin": "http://localhost"}).status_code == 200


def test_a_piece_too_large_or_of_no_place_or_no_picture_is_refused(
    client: TestClient, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incoming_files, "PIECE", 10)
    assert client.put(f"{address}?path=1.jpg&at=0", content=b"a" * 11).status_code == 413
    for at in ("", "-1", "x", "9" * 20):
        assert client.put(f"{address}?path=1.jpg&at={at}", content=b"a").status_code == 400
    answer = client.put(f"{address}?path=..%2F1.jpg&at=0", content=b"a")
    assert (answer.status_code, answer.json()["reason"]) == (422, "The name of a file cannot be used: rename it.")
    assert incoming.PIECE < 8_000_000
