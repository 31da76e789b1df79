"""Searches over HTTP: what is answered, what is refused and how, and who may see what."""

import base64
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import MODEL
from programs import ELSEWHERE, client
from starlette.testclient import TestClient

from similarity import Gallery
from similarity.api.limits import MOST_BYTES

SEARCH = "/api/v1/galleries/shapes/search"
Call = Callable[..., Any]


@pytest.fixture
def own_gallery_of(home: Path, pictures: Path) -> Iterator[Callable[[str], Gallery]]:
    """Makes a gallery of the test's own, by its name."""
    made: list[Gallery] = []

    def make(name: str) -> Gallery:
        made.append(Gallery.build(pictures, home / "galleries" / name, model=MODEL))
        return made[-1]

    yield make
    for gallery in made:
        shutil.rmtree(gallery.directory)


def is_problem(answer: Any, status: int) -> str:
    """Its sentence, of an answer that is a problem with this status."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["type"] == "about:blank"
    return str(problem["detail"])


def ranked(answer: Any) -> list[tuple[str, float]]:
    """The ids and scores of an answer."""
    assert answer.status_code == 200, answer.text
    return [(hit["id"], pytest.approx(hit["score"], abs=1e-5)) for hit in answer.json()["hits"]]  # type: ignore[misc]


def test_a_picture_finds_over_http_what_it_finds_in_the_library(api: TestClient, shapes: Gallery) -> None:
    path = Path(shapes.items[0].path)
    hits = [(hit.item.id, hit.score) for hit in shapes.search(path, k=6)]
    data, item = path.read_bytes(), shapes.items[0]
    in_base64 = base64.b64encode(data).decode()
    assert ranked(api.post(SEARCH, files={"file": (path.name, data)}, data={"k": 6})) == hits
    assert ranked(api.post(SEARCH, json={"like": [{"base64": in_base64}], "k": 6})) == hits
    assert ranked(api.post(SEARCH, json={"like": [{"item": item.id}], "k": 6})) == hits
    assert ranked(api.post(SEARCH, data={"item": item.sha256, "k": 6})) == hits


def test_an_answer_is_the_command_lines(api: TestClient, shapes: Gallery, run: Any) -> None:
    import json

    path = shapes.items[0].path
    options = ("-k", 4, "--copies", "--where", f"label={shapes.items[0].label}", "--json")
    said = json.loads(run("search", path, "--gallery", "shapes", *options).stdout)
    body = {"k": 4, "copies": True, "where": f"label={shapes.items[0].label}"}
    answered = api.post(SEARCH, files={"file": (path, Path(path).read_bytes())}, data=body).json()
    for answer in (said, answered):
        answer.pop("took_ms")
    assert answered == said | {"objects": None}


def test_examples_counter_examples_boxes_and_pages_work_as_in_the_library(api: TestClient, shapes: Gallery) -> None:
    first, second, third = (item.id for item in list(shapes.items)[:3])
    body: dict[str, Any] = {"like": [{"item": first}, {"item": second}], "unlike": [{"item": third}], "k": 20}
    found = ranked(api.post(SEARCH, json=body))
    assert third not in {name for name, _ in found}
    assert ranked(api.post(SEARCH, json=body | {"k": 3, "offset": 2})) == found[2:5]
    boxed = {"like": [{"item": first, "box": [0.0, 0.0, 0.5, 1.0]}], "k": 3}
    assert api.post(SEARCH, json=boxed).json()["hits"][0]["score"] < 1
    explained = api.post(SEARCH, json={"like": [{"item": first}], "k": 1, "explain": True}).json()
    assert explained["hits"][0]["explanation"]["cells"]


@pytest.mark.parametrize(
    "body",
    [
        {"like": []},
        {"like": [{"item": "a", "text": "b"}]},
        {"like": [{}]},
        {"like": [{"item": "a", "box": [0.5, 0, 0.5, 1]}]},
        {"like": [{"item": "a", "box": [0, 0, 1]}]},
        {"like": [{"item": "a"}], "k": 0},
        {"like": [{"item": "a"}], "k": "many"},
        {"like": [{"item": "a"}], "weights": [1, 2]},
        {"like": [{"item": "a"}], "unknown": 1},
        {"like": [{"item": "a"}], "accuracy": "best"},
        [],
        "words",
    ],
)
def test_a_body_that_is_wrong_is_a_problem_that_names_the_field(api: TestClient, body: Any) -> None:
    answer = api.post(SEARCH, json=body)
    assert "not what this address takes" in is_problem(answer, 422)
    assert answer.json()["faults"]


@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        ({"content": b"{", "headers": {"content-type": "application/json"}}, 400, "not JSON"),
        ({"content": b"[" * 40_000, "headers": {"content-type": "application/json"}}, 400, "not JSON"),
        ({"content": b"x", "headers": {"content-type": "text/plain"}}, 415, "Send JSON"),
        ({"content": b"--x", "headers": {"content-type": "multipart/form-data"}}, 400, ""),
        ({"data": {"k": "3"}}, 422, "Send a picture"),
        ({"files": {"file": ("note.txt", b"words")}}, 422, "not a picture"),
        ({"json": {"like": [{"item": "nowhere"}]}}, 422, "not in the gallery"),
        ({"json": {"like": [{"base64": "no base64!"}]}}, 422, "base64"),
        ({"json": {"like": [{"url": "file:///etc/passwd"}]}}, 422, "http"),
        ({"json": {"like": [{"url": "http://127.0.0.1:1/x.jpg"}]}}, 422, "private"),
        ({"json": {"like": [{"url": "http://169.254.169.254/latest/meta-data"}]}}, 422, "private"),
        ({"json": {"like": [{"item": "rings/rings-1.jpg"}], "where": ["nosuch=1"]}}, 422, "nosuch"),
        ({"json": {"like": [{"item": "rings/rings-1.jpg"}], "sort": "nosuch"}}, 422, "nosuch"),
        ({"json": {"like": [{"text": "a ring"}]}}, 422, ""),
    ],
)
def test_what_cannot_be_searched_with_is_a_problem_in_a_sentence(
    api: TestClient, sent: dict[str, Any], status: int, said: str
) -> None:
    sentence = is_problem(api.post(SEARCH, **sent), status)
    assert said in sentence
    assert "Traceback" not in sentence


@pytest.mark.parametrize("name", ["nowhere", "..", "%2e%2e%2fetc", "a\\b", "x" * 300, "%00"])
def test_a_gallery_that_is_none_is_a_problem(api: TestClient, name: str) -> None:
    for answer in (
        api.get(f"/api/v1/galleries/{name}/items/x"),
        api.post(f"/api/v1/galleries/{name}/search", json={"like": [{"item": "x"}]}),
    ):
        assert answer.status_code in (404, 405, 422), answer.text
        assert answer.headers["content-type"] == "application/problem+json"


def test_too_large_a_request_is_refused_while_it_arrives(api: TestClient) -> None:
    sent = 0

    def pieces() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(200):
            sent += 1_000_000
            yield b"x" * 1_000_000

    answer = api.post(SEARCH, content=pieces(), headers={"content-type": "application/json"})
    assert "MB" in is_problem(answer, 413)
    assert sent <= MOST_BYTES + 2_000_000 or sent == 200_000_000  # the test's client may send all before it listens


def test_facts_of_a_gallery_and_of_its_pictures_and_thumbnails(api: TestClient, shapes: Gallery) -> None:
    listed = {one["gallery"]: one for one in api.get("/api/v1/galleries").json()["galleries"]}
    assert listed["shapes"]["count"] == len(shapes)
    facts = api.get("/api/v1/galleries/shapes").json()
    assert facts["state"] == listed["shapes"]["state"] == shapes.state
    item = shapes.items[0]
    for name in (item.id, item.sha256):
        got = api.get(f"/api/v1/galleries/shapes/items/{name}").json()
        assert (got["id"], got["sha256"], got["label"]) == (item.id, item.sha256, item.label)
        picture = api.get(f"/api/v1/galleries/shapes/items/{name}/thumbnail")
        assert picture.headers["content-type"] == "image/jpeg"
        assert picture.content == shapes.thumbnail(item)
    is_problem(api.get("/api/v1/galleries/shapes/items/nowhere.jpg"), 404)


def test_an_embedding_is_that_of_the_library(api: TestClient, shapes: Gallery) -> None:
    item = shapes.items[0]
    sent = {"file": ("a.jpg", Path(item.path).read_bytes())}
    got = api.post("/api/v1/galleries/shapes/embed", files=sent).json()
    assert got["embedding"] == pytest.approx(shapes.embedding(item.id).tolist(), abs=1e-4)
    assert got["dim"] == len(got["embedding"])


def test_only_programs_on_this_computer_are_answered_unless_it_is_opened(
    shapes: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIMILARITY_MANAGE", "local")
    body = {"like": [{"item": shapes.items[0].id}], "k": 1}
    with client(ELSEWHERE) as far, client() as near:
        assert "key" in is_problem(far.post(SEARCH, json=body), 401)
        assert near.post(SEARCH, json=body).status_code == 200
        proxied = near.post(SEARCH, json=body, headers={"X-Forwarded-For": ELSEWHERE})
        is_problem(proxied, 401)
        monkeypatch.setenv("SIMILARITY_API", "everyone")
        assert far.post(SEARCH, json=body).status_code == 200
        monkeypatch.setenv("SIMILARITY_API", "nobody")
        is_problem(near.post(SEARCH, json=body), 401)


def test_pages_of_other_servers_and_other_names_are_refused(api: TestClient) -> None:
    for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}, {"Origin": "null"}):
        is_problem(api.get("/api/v1/galleries", headers=headers), 403)


def test_others_see_no_places_and_learn_none_from_conditions(
    shapes: Gallery, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SIMILARITY_MANAGE", "local")
    monkeypatch.setenv("SIMILARITY_API", "everyone")
    item = shapes.items[0]
    with client(ELSEWHERE) as far:
        answers = [
            far.post(SEARCH, json={"like": [{"item": item.id}], "k": 5}),
            far.get("/api/v1/galleries/shapes"),
            far.get(f"/api/v1/galleries/shapes/items/{item.id}"),
            far.post(SEARCH, files={"file": ("a.jpg", b"none")}),
        ]
        folder = str(Path(item.path).parent)
        for answer in answers:
            assert folder not in answer.text
            assert str(tmp_path.parent) not in answer.text
        assert answers[0].json()["hits"][0]["path"] == Path(item.path).name
        hidden = far.post(SEARCH, json={"like": [{"item": item.id}], "where": ["latitude>=1"]})
        assert "latitude" in is_problem(hidden, 422)


def test_a_stranger_who_has_used_up_their_share_is_told_when_to_try_again(
    shapes: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    from similarity.api import searches
    from similarity.service.turns import Turns

    busy = Turns(quota=0)
    monkeypatch.setattr(searches, "shared_turns", lambda: busy)
    monkeypatch.setenv("SIMILARITY_API", "everyone")
    with client(ELSEWHERE) as far:
        for _ in range(2):
            answer = far.post(SEARCH, json={"like": [{"item": shapes.items[0].id, "box": [0, 0, 0.5, 1]}]})
    assert int(answer.headers["retry-after"]) > 0
    is_problem(answer, 429)


def test_something_unexpected_tells_nothing_of_the_inside(
    api: TestClient, shapes: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr("similarity.api.searches.find_answer", fail)
    answer = api.post(SEARCH, json={"like": [{"item": shapes.items[0].id}]})
    assert "secret" not in is_problem(answer, 500)


def test_the_document_names_every_route_and_its_page_needs_no_network(api: TestClient) -> None:
    document = api.get("/openapi.json").json()
    assert document == api.get("/api/v1/openapi.json").json()
    assert set(document["paths"]) >= {"/galleries", "/galleries/{gallery}/search", "/galleries/{gallery}/embed"}
    page = api.get("/api/v1/docs").text
    sources = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert sources
    for source in sources:
        assert source.startswith("/"), source
        assert api.get(source).status_code == 200


def test_several_searches_are_answered_in_their_order_and_one_that_fails_stops_no_other(
    api: TestClient, shapes: Gallery
) -> None:
    first, second = (item.id for item in list(shapes.items)[:2])
    searches = [{"like": [{"item": name}], "k": 2} for name in (first, "nowhere", second)]
    answers = api.post(f"{SEARCH}/batch", json={"searches": searches}).json()["answers"]
    assert [answer.get("status") for answer in answers] == [None, 422, None]
    assert [answers[place]["hits"][0]["id"] for place in (0, 2)] == [first, second]
    assert answers[0]["hits"] == api.post(SEARCH, json=searches[0]).json()["hits"]
    is_problem(api.post(f"{SEARCH}/batch", json={"searches": []}), 422)


def test_what_a_program_has_already_is_not_sent_again_until_the_gallery_changes(
    api: TestClient, shapes: Gallery, own_gallery_of: Callable[[str], Gallery]
) -> None:
    mine = own_gallery_of("kept")
    place = f"/api/v1/galleries/{mine.name}"
    first = api.get(place)
    again = api.get(place, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    item = f"{place}/items/{mine.items[1].id}"
    assert api.get(item, headers={"If-None-Match": api.get(item).headers["etag"]}).status_code == 304
    Gallery.open(mine.directory).remove(ids=[mine.items[0].id])
    changed = api.get(place, headers={"If-None-Match": first.headers["etag"]})
    assert changed.json()["count"] == len(shapes) - 1
