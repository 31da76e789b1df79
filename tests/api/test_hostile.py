"""Requests that would take much memory or time, and what programs send that is easily taken for something else."""

import asyncio
import base64
import io
import json
import re
from concurrent.futures import ThreadPoolExecutor, wait
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image
from programs import client
from starlette.exceptions import HTTPException
from starlette.testclient import TestClient

from similarity import Gallery
from similarity.api import problems, searches
from similarity.api.bodies import MOST_PARTS, MOST_SEARCHES, BatchBody
from similarity.api.callers import Caller
from similarity.api.limits import BodyLimit
from similarity.api.reading import parse_json
from similarity.errors import FetchError, ImageError
from similarity.service import throttle
from similarity.service.keys import add_key
from similarity.service.turns import HEAVY_PIXELS, Turns
from similarity.service.visitor import Visitor

SEARCH = "/api/v1/galleries/shapes/search"
IS_JSON = {"content-type": "application/json"}


@pytest.mark.parametrize("place", [SEARCH, f"{SEARCH}/batch"])
def test_the_body_of_somebody_who_may_not_call_is_not_read(
    shapes: Gallery, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    read: list[bytes] = []
    monkeypatch.setattr("similarity.api.searches.parse_json", lambda _, data: read.append(data))
    assert len(shapes)
    with client("203.0.113.7") as far:
        assert far.post(place, content=b"{", headers=IS_JSON).status_code == 401
    assert not read


def test_a_body_of_very_many_values_is_refused_before_it_is_taken_apart(
    api: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: bytes) -> None:
        raise AssertionError("it was taken apart")

    monkeypatch.setattr("similarity.api.reading.json", SimpleNamespace(loads=refuse))
    for place in (SEARCH, f"{SEARCH}/batch"):
        answer = api.post(place, content=b'{"searches":[' + b"[]," * 60_000 + b"1]}", headers=IS_JSON)
        assert answer.status_code == 413


def test_the_fullest_batch_has_fewer_values_than_a_body_may_have() -> None:
    part = {"item": "x", "box": [0, 0, 0.5, 1]}
    search = {"like": [part] * MOST_PARTS, "unlike": [part] * MOST_PARTS, "weights": [1] * MOST_PARTS}
    search |= {"where": ["label=a"] * 100, "k": 3, "explain": True, "copies": True, "turned": True, "objects": True}
    data = json.dumps({"searches": [search] * MOST_SEARCHES}).encode()
    assert len(parse_json(BatchBody, data).searches) == MOST_SEARCHES


@pytest.mark.parametrize(
    "body",
    [
        {"like": [{"item": "x"}], **{str(number): 1 for number in range(10_000)}},
        {"like": [{"item": "x", **{str(number): 1 for number in range(10_000)}}]},
        {"like": [{"item": "x"}], "weights": [-1] * 10_000},
        {"like": [{}] * 10_000},
        {"like": [{"item": "x"}], "where": [""] * 10_000},
        {"like": [{"item": "x"}], "x" * 100_000: 1},
    ],
)
def test_the_faults_of_a_body_are_told_in_few_words(api: TestClient, body: Any) -> None:
    for place, sent in ((SEARCH, body), (f"{SEARCH}/batch", {"searches": [body] * 2})):
        answer = api.post(place, json=sent)
        assert answer.status_code == 422
        assert len(answer.content) < 10_000
        assert answer.json()["faults"]


def test_base64_may_have_spaces_in_it_and_a_picture_of_20_mb(api: TestClient, shapes: Gallery) -> None:
    in_base64 = base64.b64encode(shapes.thumbnail(shapes.items[0])).decode()
    spaced = "\r\n".join(in_base64[start : start + 76] for start in range(0, len(in_base64), 76))
    assert api.post(SEARCH, json={"like": [{"base64": spaced}], "k": 1}).status_code == 200
    large = base64.b64encode(bytes(20_000_001)).decode()
    assert api.post(SEARCH, json={"like": [{"base64": large}], "k": 1}).status_code == 413
    assert api.post(SEARCH, json={"like": [{"base64": "ä"}], "k": 1}).status_code == 422


@pytest.mark.parametrize("headers", [{"Expect": "100-continue"}, {"TE": "trailers"}, {"HTTP2-Settings": "AAMAAABk"}])
def test_headers_of_programs_are_no_signs_of_a_proxy(api: TestClient, shapes: Gallery, headers: dict[str, str]) -> None:
    body = {"like": [{"item": shapes.items[0].id}], "k": 1}
    assert api.post(SEARCH, json=body, headers=headers).status_code == 200
    assert api.post(SEARCH, json=body, headers=headers | {"Via": "1.1 proxy"}).status_code == 401


def test_a_very_large_picture_takes_a_heavy_turn(
    api: TestClient, shapes: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[bool] = []

    class Noting(Turns):
        def take(self, visitor: Any, *, heavy: bool = False) -> Any:
            taken.append(heavy)
            return super().take(visitor, heavy=heavy)

        def submit(self, visitor: Any, work: Any, *, heavy: bool = False, quick: bool = False) -> Any:
            taken.append(heavy)
            return super().submit(visitor, work, heavy=heavy, quick=quick)

    noting = Noting()
    monkeypatch.setattr(searches, "shared_turns", lambda: noting)
    large = io.BytesIO()
    Image.new("L", (4_000, HEAVY_PIXELS // 4_000 + 1)).save(large, "PNG")
    in_base64 = base64.b64encode(large.getvalue()).decode()
    for sent in (
        {"files": {"file": ("large.png", large.getvalue())}},
        {"json": {"like": [{"item": shapes.items[0].id}], "unlike": [{"base64": in_base64, "box": [0, 0, 0.5, 1]}]}},
    ):
        assert api.post(SEARCH, **sent).status_code == 200
    files = {"file": ("large.png", large.getvalue())}
    assert api.post("/api/v1/galleries/shapes/embed", files=files).status_code == 200
    assert api.post(SEARCH, json={"like": [{"item": shapes.items[0].id}]}).status_code == 200
    assert taken == [True, True, True, False]


def test_what_keys_and_programs_here_fetch_is_counted_for_each(
    shapes: Gallery, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    def fetch(url: str) -> bytes:
        raise FetchError(f"{url} was not fetched.")

    monkeypatch.setenv("SIMILARITY_API_KEYS", str(tmp_path / "keys.json"))
    monkeypatch.setattr("similarity.api.pictures.fetch", fetch)
    limiter = throttle.FetchLimiter()
    monkeypatch.setattr("similarity.api.pictures.shared_limiter", lambda: limiter)
    keys = [{"X-API-Key": add_key(name, ["shapes"])} for name in ("one", "two")]
    body = {"searches": [{"like": [{"url": "http://example.org/a.jpg"}]}] * 21}
    assert len(shapes)
    with client("203.0.113.7") as far, client("127.0.0.1") as near:
        for api, headers in ((far, keys[0]), (far, keys[1]), (near, {})):
            said = [one["detail"] for one in api.post(f"{SEARCH}/batch", json=body, headers=headers).json()["answers"]]
            assert ["not fetched" in one for one in said] == [True] * 20 + [False]


def test_options_that_look_at_the_picture_work_with_every_kind_of_query_or_say_why_not(
    api: TestClient, shapes: Gallery
) -> None:
    first, second = (item.id for item in list(shapes.items)[:2])
    in_base64 = base64.b64encode(shapes.thumbnail(shapes.items[0])).decode()
    parts: list[list[dict[str, Any]]] = [
        [{"item": first}],
        [{"item": first, "box": [0, 0, 0.5, 1]}],
        [{"base64": in_base64, "box": [0, 0, 0.5, 1]}, {"item": second}],
        [{"item": first, "box": [0, 0, 1e-320, 1]}],
        [{"item": first}, {"base64": in_base64}],
    ]
    for like in parts:
        for option in ("explain", "copies", "turned", "objects"):
            answer = api.post(SEARCH, json={"like": like, "k": 2, option: True})
            expected = 422 if option == "objects" and "box" in like[0] else 200
            assert answer.status_code == expected, (like, option, answer.text)


def test_files_of_one_name_are_all_searched_with(api: TestClient, shapes: Gallery) -> None:
    pictures = [shapes.thumbnail(item) for item in list(shapes.items)[:3]]
    sent = [("file", (name, data)) for name, data in zip(("a (3)", "a", "a"), pictures, strict=True)]
    together = api.post(SEARCH, files=sent, data={"k": 1}).json()
    like = [{"base64": base64.b64encode(data).decode()} for data in pictures]
    assert together["hits"][0]["score"] == pytest.approx(
        api.post(SEARCH, json={"like": like, "k": 1}).json()["hits"][0]["score"], abs=1e-5
    )


def test_the_document_has_the_models_of_all_bodies(api: TestClient) -> None:
    document = api.get("/openapi.json").text
    schemas = json.loads(document)["components"]["schemas"]
    assert {"SearchBody", "BatchBody", "Part"} <= set(schemas)
    for name in set(re.findall(r'"#/components/schemas/(\w+)"', document)):
        assert name in schemas


def test_bodies_that_find_no_room_are_refused_until_others_are_answered(shapes: Gallery) -> None:
    assert len(shapes)
    inside: list[int] = []

    async def app(_scope: Any, receive: Any, _send: Any) -> None:
        await receive()
        if not inside:
            inside.append(1)
            with pytest.raises(HTTPException) as refused:
                await limited({"type": "http", "client": ("10.0.0.1", 1)}, one_body, never)
            assert refused.value.status_code == 503
            await limited({"type": "http", "client": ("10.0.0.2", 1)}, one_body, never)
            with pytest.raises(HTTPException):
                await limited({"type": "http", "client": ("10.0.0.3", 1)}, two_bodies, never)

    def body_of(size: int) -> Any:
        async def received() -> Any:
            return {"type": "http.request", "body": b"x" * size, "more_body": False}

        return received

    async def never(_message: Any) -> None:
        raise AssertionError("nothing is sent")

    one_body, two_bodies = body_of(60), body_of(95)
    limited = BodyLimit(app, most_in_all=150, most_of_network=100)
    for _ in range(3):
        asyncio.run(limited({"type": "http", "client": ("10.0.0.1", 1)}, one_body, never))
    assert not limited._held


def test_pages_of_other_origins_can_use_no_answer(api: TestClient, shapes: Gallery) -> None:
    for place in ("", f"/shapes/items/{shapes.items[0].id}/thumbnail", "/nowhere/items/x/thumbnail"):
        answer = api.get(f"/api/v1/galleries{place}", headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_very_many_hits_are_not_explained_at_once(api: TestClient, shapes: Gallery) -> None:
    body = {"like": [{"item": shapes.items[0].id}], "k": 51}
    assert api.post(SEARCH, json=body).status_code == 200
    answer = api.post(SEARCH, json=body | {"explain": True})
    assert answer.status_code == 422
    assert "smaller k" in answer.json()["faults"][0]["reason"]


def test_searches_that_wait_leave_threads_to_everything_else(shapes: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMILARITY_MANAGE", "local")
    busy = Turns(1)
    monkeypatch.setattr(searches, "shared_turns", lambda: busy)
    body = {"like": [{"item": shapes.items[0].id}], "k": 1}
    with client("127.0.0.1") as api, ThreadPoolExecutor(61) as pool:
        with busy.take(Visitor()):
            waiting = [pool.submit(api.post, SEARCH, json=body) for _ in range(60)]
            wait(waiting, timeout=1)
            assert pool.submit(api.get, "/api/v1/galleries/shapes").result(timeout=10).status_code == 200
            assert not any(one.done() for one in waiting)
        assert {one.result().status_code for one in waiting} == {200}


def test_a_gallery_that_takes_long_to_measure_is_not_measured_for_a_search(
    api: TestClient, shapes: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("similarity.service.answers.confidence.AT_ONCE", len(shapes) - 1)
    monkeypatch.setattr("similarity.service.answers.confidence.read_calibration", lambda _: None)
    body = {"like": [{"item": shapes.items[0].id}], "k": 1}
    assert api.post(SEARCH, json=body).status_code == 200
    answer = api.post(SEARCH, json=body | {"precision": 0.9})
    assert answer.status_code == 422
    assert "measured" in answer.json()["detail"]


def test_the_reason_why_a_picture_cannot_be_read_does_not_tell_where_it_lies() -> None:
    caller = Caller(Visitor(), sees_places=False)
    for place in ("/data/our things/of march/a b.jpg", "http://user:word@inside.corp/our things/a b.jpg?key=1 2"):
        for error in (ImageError(place, "is gone."), FetchError(f"{place} was not fetched.", place)):
            said = problems.of(error, caller).detail
            assert "things" not in said
            assert "word" not in said
            assert "key" not in said


def test_a_thumbnail_that_is_gone_is_not_made_from_an_address(
    api: TestClient, shapes: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = f"/api/v1/galleries/shapes/items/{shapes.items[0].sha256}/thumbnail"
    monkeypatch.setattr("similarity.api.items.read_thumbnail", lambda *_: None)
    assert api.get(place).status_code == 200
    monkeypatch.setattr("similarity.api.items.is_remote", lambda _: True)
    assert api.get(place).status_code == 404
