"""Pages of other origins: which may call the API, what they may send, and that no other one gets in."""

import logging
from pathlib import Path
from typing import Any

import pytest
from programs import ELSEWHERE, client
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from similarity import Gallery
from similarity.app.serving.guard import Guard
from similarity.service.keys import add_key

SHOP = "https://shop.example"
PLACE = "/api/v1/galleries"
ASKS = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}


@pytest.fixture
def opened(shapes: Gallery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of a shop may call the API, which has keys of the test's own."""
    assert len(shapes)
    monkeypatch.setenv("SIMILARITY_API_ORIGINS", f"{SHOP}, http://localhost:5173/")
    monkeypatch.setenv("SIMILARITY_API_KEYS", str(tmp_path / "keys.json"))
    monkeypatch.setenv("SIMILARITY_MANAGE", "local")


def search(api: TestClient, shapes: Gallery, headers: dict[str, str]) -> Any:
    """The answer to a search by a page."""
    return api.post(f"{PLACE}/shapes/search", json={"like": [{"item": shapes.items[0].id}]}, headers=headers)


def test_no_page_of_another_origin_may_call_the_api_unless_it_is_named(api: TestClient) -> None:
    for headers in ({"Origin": SHOP}, {"Origin": SHOP} | ASKS):
        for answer in (api.get(PLACE, headers=headers), api.options(PLACE, headers=headers)):
            assert answer.status_code == 403
            assert "access-control-allow-origin" not in answer.headers


@pytest.mark.usefixtures("opened")
def test_a_page_of_a_named_origin_asks_and_may_send_its_key(shapes: Gallery) -> None:
    key = {"Authorization": f"Bearer {add_key('shop', ['shapes'])}"}
    with client(ELSEWHERE) as far:
        for origin in (SHOP, "http://localhost:5173"):
            allowed = far.options(f"{PLACE}/shapes/search", headers={"Origin": origin} | ASKS)
            assert allowed.status_code == 200
            assert allowed.headers["access-control-allow-origin"] == origin
            assert "access-control-allow-credentials" not in allowed.headers
            answer = search(far, shapes, {"Origin": origin} | key)
            assert answer.status_code == 200
            assert answer.headers["access-control-allow-origin"] == origin
            refused = search(far, shapes, {"Origin": origin})
            assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, origin)


@pytest.mark.usefixtures("opened")
@pytest.mark.parametrize(
    "origin",
    [
        "https://shop.example.evil.org",
        "http://shop.example",
        "https://shop.example:444",
        "null",
        "*",
        "https://evil.org",
    ],
)
def test_a_page_of_any_other_origin_is_refused(shapes: Gallery, origin: str) -> None:
    key = {"Authorization": f"Bearer {add_key('shop', ['shapes'])}"}
    with client(ELSEWHERE) as far:
        for answer in (
            search(far, shapes, {"Origin": origin} | key),
            far.options(PLACE, headers={"Origin": origin} | ASKS),
        ):
            assert answer.status_code == 403
            assert "access-control-allow-origin" not in answer.headers


@pytest.mark.usefixtures("opened")
def test_a_page_of_a_named_origin_in_a_browser_here_may_search_and_change_nothing(shapes: Gallery) -> None:
    with client() as near:
        found = search(near, shapes, {"Origin": SHOP})
        assert found.status_code == 200
        assert "/" not in found.json()["hits"][0]["path"]
        sent = {"ids": [shapes.items[0].id]}
        assert near.post(f"{PLACE}/shapes/items/remove", json=sent, headers={"Origin": SHOP}).status_code == 401


@pytest.mark.parametrize("setting", ["*", "shop.example", "https://shop.example/page", "https://*.example", "null"])
def test_what_is_no_origin_opens_nothing_and_is_told_of(
    api: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, setting: str
) -> None:
    monkeypatch.setenv("SIMILARITY_API_ORIGINS", f" {setting},")
    with caplog.at_level(logging.ERROR), client() as opened:
        for origin in (SHOP, "https://a.example", "null", "*"):
            answer = opened.get(PLACE, headers={"Origin": origin})
            assert answer.status_code == 403
            assert "access-control-allow-origin" not in answer.headers
    assert "is no origin" in caplog.text
    assert api.get(PLACE).status_code == 200


@pytest.mark.usefixtures("opened")
def test_beside_the_pages_only_the_api_is_open_to_them() -> None:
    reached = TestClient(Guard(PlainTextResponse("in")), base_url="http://localhost")
    for path, status in ((PLACE, 200), ("/", 403), ("/api/v1", 403), ("/_stcore/health", 403), ("/incoming/x", 403)):
        assert reached.get(path, headers={"Origin": SHOP}).status_code == status, path
        assert reached.get(path, headers={"Origin": "https://evil.org"}).status_code == 403
