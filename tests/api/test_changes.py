"""Changes of galleries over HTTP: what they do, who may make them, and what a key can never reach."""

import io
import json
import shutil
import threading
import zipfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from commands import Run
from conftest import MODEL, draw
from programs import ELSEWHERE, client, stalled
from starlette.testclient import TestClient

from similarity import Gallery
from similarity.api.change_bodies import MOST_FILES
from similarity.api.limits import MOST_BYTES
from similarity.service.audit import file_of_changes
from similarity.service.jobs import Job, shared_jobs
from similarity.service.keys import add_key, revoke_key
from similarity.service.uploads_along import drop_unless_used

PLACE = "/api/v1/galleries"
Files = list[tuple[str, tuple[str, bytes]]]


@pytest.fixture
def key(far: TestClient) -> dict[str, str]:
    """The headers of a key that may change the gallery `mine`, whether there is one or not."""
    far.headers.clear()
    return {"X-API-Key": add_key("writer", [], write=["mine"])}


@pytest.fixture
def mine(empty_home: Path, shapes: Gallery) -> Gallery:
    """A gallery of the test's own, a copy of `shapes`, which the key may change."""
    return Gallery.open(shutil.copytree(shapes.directory, empty_home / "galleries" / "mine"))


def pictures(*names: str) -> Files:
    """Pictures to upload, each with content of its own."""
    made: Files = []
    for number, name in enumerate(names):
        data = io.BytesIO()
        draw("dots", number).resize((60, 80)).save(data, "JPEG")
        made.append(("file", (name, data.getvalue())))
    return made


def ended(answer: Any) -> dict[str, Any]:
    """The facts of the job that a request has started, once it has ended."""
    assert answer.status_code == 202, answer.text
    number = answer.json()["job"]["number"]
    assert answer.headers["location"] == f"/api/v1/jobs/{number}"
    job = next(job for job in shared_jobs().listed() if job.number == number)
    assert job.wait(30)
    return {"state": job.status.state, "error": job.status.error, "result": job.status.result}


def uploads(home: Path) -> list[str]:
    """The files that were uploaded and are kept."""
    return sorted(path.name for path in (home / "uploads").rglob("*") if path.is_file())


def test_a_key_makes_a_gallery_of_uploads_and_changes_it(
    far: TestClient, key: dict[str, str], empty_home: Path
) -> None:
    sent = pictures("shoes/1.jpg", "shoes/2.jpg", "hats/1.jpg")
    made = far.post(PLACE, data={"gallery": "mine", "model": MODEL}, files=sent, headers=key)
    assert ended(made)["state"] == "done"
    opened = Gallery.open(empty_home / "galleries" / "mine")
    assert sorted((item.id, item.label) for item in opened.items) == [
        ("hats/1.jpg", "hats"), ("shoes/1.jpg", "shoes"), ("shoes/2.jpg", "shoes"),
    ]  # fmt: skip
    more = [("file", ("boots/1.jpg", pictures(*"abcd")[-1][1][1]))]
    assert ended(far.post(f"{PLACE}/mine/items", files=more, headers=key))["result"].added == 1
    item = f"{PLACE}/mine/items/boots/1.jpg"
    assert far.get(item, headers=key).json()["label"] == "boots"
    for label, now in (("wellingtons", "wellingtons"), (None, "boots")):
        ended(far.patch(item, json={"label": label}, headers=key))
        assert far.get(item, headers=key).json()["label"] == now
    sha256 = far.get(f"{PLACE}/mine/items/hats/1.jpg", headers=key).json()["sha256"]
    gone = far.post(f"{PLACE}/mine/items/remove", json={"ids": [sha256], "labels": ["boots"]}, headers=key)
    assert ended(gone)["result"].removed == 2
    assert ended(far.post(f"{PLACE}/mine/sync", headers=key))["result"].added == 1  # what the source still has
    assert far.get(f"{PLACE}/mine", headers=key).json()["count"] == 3


def test_who_may_manage_galleries_on_the_pages_names_places(
    far: TestClient, own_pictures: Path, run: Run, empty_home: Path
) -> None:
    assert far
    with client() as near:
        body = {"gallery": "here", "source": str(own_pictures), "model": MODEL, "exclude": ["rings/"]}
        ended(near.post(PLACE, json=body))
        assert len(Gallery.open(empty_home / "galleries" / "here")) == 10
        draw("dots", 77).save(own_pictures / "dots" / "new.jpg")
        for task in ("sync", "items"):
            answer = near.post(f"{PLACE}/here/{task}?dry_run=true", json={"source": str(own_pictures)})
            command = "add" if task == "items" else task
            said = json.loads(run(command, own_pictures, "--gallery", "here", "--dry-run", "--json").stdout)
            assert answer.json() | {"seconds": 0, "images_per_second": 0} == said | {
                "seconds": 0, "images_per_second": 0,
            }  # fmt: skip
            assert (said["dry_run"], said["added"]) == (True, 1)
        assert ended(near.post(f"{PLACE}/here/items", json={"source": str(own_pictures)}))["result"].added == 1
        paths = {"paths": [str(own_pictures / "dots")]}
        assert near.post(f"{PLACE}/here/items/remove?dry_run=true", json=paths).json()["removed"] == 6
        assert ended(near.post(f"{PLACE}/here/items/remove", json=paths))["result"].removed == 6


def every_change(gallery: str) -> list[tuple[str, str, dict[str, Any]]]:
    """A request of each kind that would change a gallery."""
    return [
        ("POST", PLACE, {"json": {"gallery": gallery, "source": "/"}}),
        ("POST", PLACE, {"files": pictures("a.jpg"), "data": {"gallery": gallery}}),
        ("POST", f"{PLACE}/{gallery}/items", {"files": pictures("a.jpg")}),
        ("POST", f"{PLACE}/{gallery}/sync", {}),
        ("POST", f"{PLACE}/{gallery}/items/remove", {"json": {"ids": ["dots/dots-0.jpg"]}}),
        ("PATCH", f"{PLACE}/{gallery}/items/dots/dots-0.jpg", {"json": {"label": "x"}}),
        ("DELETE", "/api/v1/jobs/1", {}),
    ]


@pytest.mark.parametrize("who", ["nobody", "wrong", "revoked", "reader", "other"])
def test_nobody_else_changes_anything_or_learns_what_there_is(far: TestClient, mine: Gallery, who: str) -> None:
    tokens = {
        "wrong": "sim_writer_guessed",
        "revoked": add_key("revoked", [], write=["*"]),
        "reader": add_key("reader", ["*"]),
        "other": add_key("other", [], write=["others"]),
    }
    revoke_key("revoked")
    headers = {"X-API-Key": tokens[who]} if who in tokens else {}
    answers = {
        name: [far.request(*one[:2], headers=headers, **one[2]) for one in every_change(name)[:-1]]
        for name in ("mine", "nowhere")
    }
    for there, nowhere in zip(answers["mine"], answers["nowhere"], strict=True):
        assert there.status_code == (403 if who in ("reader", "other") else 401), there.text
        assert there.headers["content-type"] == "application/problem+json"
        assert (there.text, there.status_code) == (nowhere.text, nowhere.status_code)
    assert mine.is_live
    assert not any(job.directory == mine.directory for job in shared_jobs().listed())


def test_the_body_of_somebody_who_may_change_nothing_is_not_read(
    far: TestClient, mine: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: Any, **__: Any) -> None:
        raise AssertionError("it was read")

    for name in ("body", "form", "stream", "json"):
        monkeypatch.setattr(f"starlette.requests.Request.{name}", read)
    reader = {"X-API-Key": add_key("reader", ["*"])}
    for headers, status in (({}, 401), (reader, 403)):
        for method, place, sent in every_change(mine.name):
            answer = far.request(method, place, headers=headers, **sent)
            assert answer.status_code in (status, 404), answer.text


def test_who_sits_here_changes_nothing_where_nobody_may(
    far: TestClient, mine: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert far
    monkeypatch.setenv("SIMILARITY_MANAGE", "nobody")
    with client() as near:
        for method, place, sent in every_change(mine.name):
            assert near.request(method, place, **sent).status_code in (401, 404)
        monkeypatch.setenv("SIMILARITY_MANAGE", "local")
        proxied = {"X-Forwarded-For": ELSEWHERE}
        assert near.post(f"{PLACE}/mine/sync", headers=proxied).status_code == 401


def test_a_key_names_no_place_of_the_computer(
    far: TestClient, key: dict[str, str], mine: Gallery, own_pictures: Path
) -> None:
    for place, body in (
        (PLACE, {"gallery": "mine", "source": str(own_pictures), "replace": True}),
        (f"{PLACE}/mine/items", {"source": str(own_pictures)}),
        (f"{PLACE}/mine/items?dry_run=true", {"source": "/nowhere"}),
        (f"{PLACE}/mine/sync", {"source": str(own_pictures)}),
        (f"{PLACE}/mine/items/remove", {"paths": [str(own_pictures)]}),
    ):
        answer = far.post(place, json=body, headers=key)
        assert answer.status_code == 403, answer.text
        assert "cannot be named" in answer.json()["detail"]
        assert str(own_pictures) not in answer.text
    assert mine.is_live


@pytest.mark.parametrize("place", ["{0}", "file://{0}", "s3://bucket/a.jpg", "../../keys.json", "nowhere.jpg"])
def test_a_list_of_a_key_names_web_addresses_only(
    far: TestClient, key: dict[str, str], mine: Gallery, own_pictures: Path, place: str
) -> None:
    named = place.format(own_pictures / "dots" / "dots-0.jpg")
    table = f"path,label\nhttp://example.org/a.jpg,x\n{named},y\n".encode()
    answer = far.post(f"{PLACE}/mine/items", files={"file": ("list.csv", table)}, headers=key)
    assert answer.status_code == 422
    assert "web addresses only" in answer.json()["detail"]
    assert not uploads(mine.directory.parents[1])
    assert mine.is_live


def test_the_addresses_of_a_list_are_fetched_as_a_query_is(
    far: TestClient, key: dict[str, str], mine: Gallery, site: Any
) -> None:
    site.pages["/a.jpg"] = (200, {}, pictures("a.jpg")[0][1][1])
    table = f"url,label\n{site.url('/a.jpg')},x\nhttp://169.254.169.254/latest,y\n".encode()
    done = ended(far.post(f"{PLACE}/mine/items", files={"file": ("list.csv", table)}, headers=key))
    assert done["result"].added == 1
    assert "private" in done["result"].skipped[0].reason
    assert uploads(mine.directory.parents[1]) == ["list.csv"]


@pytest.mark.parametrize(
    "names",
    [
        ["../x.jpg"], ["/etc/x.jpg"], ["a\\b.jpg"], ["x.txt"], ["x"], [".jpg/../../y.jpg"], ["a.jpg", "a.jpg"],
        ["a.jpg", "b.zip"], ["x" * 300 + ".jpg"], ["a/" * 30 + "a.jpg"], ["a.csv", "b.csv"],
    ],
)  # fmt: skip
def test_files_that_cannot_be_kept_are_a_problem_and_nothing_of_them_stays(
    far: TestClient, key: dict[str, str], mine: Gallery, names: list[str]
) -> None:
    answer = far.post(f"{PLACE}/mine/items", files=pictures(*names), headers=key)
    assert answer.status_code in (400, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert not uploads(mine.directory.parents[1])
    assert mine.is_live


def test_a_zip_that_unpacks_to_very_much_is_refused(far: TestClient, key: dict[str, str], mine: Gallery) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.jpg", bytes(50_000_000))
        archive.writestr("shoes/a.jpg", pictures("a.jpg")[0][1][1])
    answer = far.post(f"{PLACE}/mine/items", files={"file": ("some.zip", packed.getvalue())}, headers=key)
    assert answer.status_code == 422
    assert "some.zip is refused: its entry 'bomb.jpg' grows" in answer.json()["detail"]
    assert not uploads(mine.directory.parents[1])


def test_a_file_of_an_upload_that_is_no_picture_is_skipped_by_its_name(
    far: TestClient, key: dict[str, str], mine: Gallery
) -> None:
    sent = [*pictures("shoes/a.jpg"), ("file", ("shoes/b.jpg", b"no picture"))]
    answer = far.post(f"{PLACE}/mine/items", files=sent, headers=key)
    assert ended(answer)["result"].added == 1
    skipped = far.get(answer.headers["location"], headers=key).json()["report"]["skipped"]
    assert [one["path"] for one in skipped] == ["b.jpg"]
    assert str(mine.directory.parents[1]) not in json.dumps(skipped)


def test_a_request_that_is_too_large_or_has_too_many_files_is_refused(
    far: TestClient, key: dict[str, str], mine: Gallery
) -> None:
    large: Files = [("file", ("large.jpg", bytes(MOST_BYTES)))]
    assert far.post(f"{PLACE}/mine/items", files=large, headers=key).status_code == 413
    many: Files = [("file", (f"{number}.jpg", b"x")) for number in range(MOST_FILES + 1)]
    assert far.post(f"{PLACE}/mine/items", files=many, headers=key).status_code == 400
    assert not uploads(mine.directory.parents[1])


def test_the_upload_of_a_job_that_fails_or_is_cancelled_does_not_stay(
    far: TestClient, key: dict[str, str], mine: Gallery
) -> None:
    fields = {"gallery": "mine", "model": MODEL, "replace": "true", "recipe": "IVF64,SQ8"}
    failed = ended(far.post(PLACE, data=fields, files=pictures("a.jpg"), headers=key))
    assert failed["state"] == "failed"
    assert not uploads(mine.directory.parents[1])
    other = mine.directory.with_name("other")
    with ExitStack() as stack:
        # A turn that somebody else has keeps the job from its work.
        taken, released = threading.Event(), threading.Event()

        def work(job: Job) -> None:
            with job.turn():
                taken.set()
                assert released.wait(30)

        busy = shared_jobs().start(other, "index", work)
        stack.callback(lambda: (released.set(), busy.wait(30)))
        assert taken.wait(30)
        waiting = far.post(f"{PLACE}/mine/items", files=pictures("a.jpg"), headers=key)
        assert uploads(mine.directory.parents[1]) == ["a.jpg"]
        assert far.delete(waiting.headers["location"], headers=key).status_code == 200
        assert ended(waiting)["state"] == "cancelled"
    assert not uploads(mine.directory.parents[1])
    assert mine.is_live


def test_an_upload_that_the_gallery_uses_stays_when_a_job_fails_late(
    far: TestClient, key: dict[str, str], mine: Gallery, empty_home: Path
) -> None:
    assert ended(far.post(f"{PLACE}/mine/items", files=pictures("a.jpg"), headers=key))["state"] == "done"
    drop_unless_used(mine.directory, empty_home / "uploads" / "mine" / "pictures")
    assert uploads(empty_home) == ["a.jpg"]


def test_only_so_many_jobs_wait(
    far: TestClient, key: dict[str, str], mine: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("similarity.service.jobs.MOST_ACTIVE", 1)
    with stalled(mine.directory.with_name("other")):
        for method, place, sent in every_change("mine")[2:-1]:
            assert far.request(method, place, headers=key, **sent).status_code == 429
    assert not uploads(mine.directory.parents[1])


@pytest.mark.parametrize(
    "wrong",
    [{"model": "resnet51"}, {"refinement": "nonsense"}, {"model": MODEL, "recipe": "nonsense"}, {"exclude": "!"}],
)
def test_a_gallery_that_could_not_be_made_is_refused_before_an_upload_is_kept(
    far: TestClient, key: dict[str, str], empty_home: Path, wrong: dict[str, str]
) -> None:
    before = len(shared_jobs().listed())
    answer = far.post(PLACE, data={"gallery": "mine"} | wrong, files=pictures("a.jpg"), headers=key)
    assert answer.status_code == 422, answer.text
    assert len(shared_jobs().listed()) == before
    assert not uploads(empty_home)


@pytest.mark.exhaustive
def test_a_thousand_pictures_arrive_in_one_request(far: TestClient, key: dict[str, str], mine: Gallery) -> None:
    many = pictures(*(f"{number}/a.jpg" for number in range(MOST_FILES)))
    assert ended(far.post(f"{PLACE}/mine/items", files=many, headers=key))["result"].added == MOST_FILES
    assert len(Gallery.open(mine.directory)) == len(mine) + MOST_FILES


def test_a_gallery_is_replaced_only_where_that_is_said(far: TestClient, key: dict[str, str], mine: Gallery) -> None:
    fields = {"gallery": "mine", "model": MODEL}
    taken = far.post(PLACE, data=fields, files=pictures("a.jpg"), headers=key)
    assert taken.status_code == 409
    assert not uploads(mine.directory.parents[1])
    assert mine.is_live
    done = ended(far.post(PLACE, data=fields | {"replace": "true"}, files=pictures("a.jpg", "b.jpg"), headers=key))
    assert done["state"] == "done"
    assert len(Gallery.open(mine.directory)) == 2


def test_a_gallery_at_work_is_busy_and_an_upload_for_it_is_not_kept(
    far: TestClient, key: dict[str, str], mine: Gallery
) -> None:
    with stalled(mine.directory):
        for method, place, sent in every_change("mine")[2:-1]:
            answer = far.request(method, place, headers=key, **sent)
            assert answer.status_code == 409, answer.text
            assert "Another task is running" in answer.json()["detail"]
    assert not uploads(mine.directory.parents[1])


@pytest.mark.many
@pytest.mark.parametrize(
    ("method", "place", "sent", "status"),
    [
        ("POST", "", {"json": {"source": "x"}}, 422),
        ("POST", "", {"json": {"gallery": "../mine", "source": "x"}}, 403),
        ("POST", "", {"content": b"x", "headers": {"content-type": "text/plain"}}, 415),
        ("POST", "", {"data": {"gallery": "mine", "recipe": "flat"}}, 409),
        ("POST", "/mine/items", {"data": {}}, 415),
        ("POST", "/mine/items", {"data": {"exclude": "a"}}, 422),
        ("POST", "/mine/items", {"data": {"nonsense": "a"}}, 422),
        *(
            ("POST", "/mine/items", {"data": {"exclude": exclude}, "files": pictures("a.jpg")}, 422)
            for exclude in (["*a*a*a*a*b"], ["a" * 256], ["a"] * 21, ["!"])
        ),
        ("POST", "/mine/items?dry_run=true", {"files": pictures("a.jpg")}, 422),
        ("POST", "/mine/items?dry_run=perhaps", {"files": pictures("a.jpg")}, 422),
        ("POST", "/mine/items/remove", {"json": {}}, 422),
        ("POST", "/mine/items/remove", {"json": {"ids": "a"}}, 422),
        ("POST", "/mine/items/remove?dry_run=true", {"json": {"ids": ["nowhere"]}}, 422),
        ("POST", "/mine/sync", {"content": b"{"}, 400),
        ("PATCH", "/mine/items/nowhere", {"json": {"label": "x"}}, 404),
        ("PATCH", "/mine/items/dots/dots-0.jpg", {"json": {}}, 422),
        ("PATCH", "/mine/items/dots/dots-0.jpg", {"json": {"label": "x" * 5_000}}, 422),
        ("PATCH", "/mine/items/dots/dots-0.jpg", {"json": {"label": " "}}, 422),
    ],
)
def test_what_cannot_be_done_is_a_problem(
    far: TestClient, key: dict[str, str], mine: Gallery, method: str, place: str, sent: dict[str, Any], status: int
) -> None:
    headers = key | sent.get("headers", {})
    answer = far.request(method, f"{PLACE}{place}", **sent | {"headers": headers})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert mine.is_live
    assert not uploads(mine.directory.parents[1])


@pytest.mark.parametrize("place", ["~nobody-here/a", "\0", "a\0b", "a/" * 2_500, "a" * 300, "/x/" + "b" * 300])
def test_a_place_that_cannot_be_one_is_a_problem_of_the_request(far: TestClient, mine: Gallery, place: str) -> None:
    assert far
    bodies = [
        ("", {"gallery": "new", "source": place}),
        ("/mine/items", {"source": place}),
        ("/mine/items?dry_run=true", {"source": place}),
        ("/mine/sync", {"source": place}),
        ("/mine/sync?dry_run=true", {"source": place}),
        ("/mine/items/remove?dry_run=true", {"paths": [place]}),
    ]
    with client() as near:
        for where, body in bodies:
            answer = near.post(f"{PLACE}{where}", json=body)
            assert answer.status_code == 422, answer.text
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["detail"].isprintable()
    assert mine.is_live


def test_a_gallery_that_is_none_is_not_found(far: TestClient) -> None:
    key = {"X-API-Key": add_key("all", [], write=["*"])}
    for method, place, sent in every_change("nowhere")[2:-1]:
        assert far.request(method, place, headers=key, **sent).status_code == 404


def test_who_changed_what_and_how_it_ended_is_recorded(
    far: TestClient, key: dict[str, str], mine: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended(far.post(f"{PLACE}/mine/items/remove", json={"ids": ["dots/dots-0.jpg"]}, headers=key))
    with client() as near:
        ended(near.post(f"{PLACE}/mine/items/remove", json={"ids": ["nowhere"]}))
    for setting in ("SIMILARITY_API", "SIMILARITY_MANAGE"):
        monkeypatch.setenv(setting, "everyone")
    ended(far.patch(f"{PLACE}/mine/items/dots/dots-1.jpg", json={"label": "x"}))
    lines = [json.loads(line) for line in file_of_changes().read_text().splitlines()]
    said = [(line["who"], line["address"], line["what"], line["gallery"], line["outcome"]) for line in lines]
    assert said == [
        ("key writer", ELSEWHERE, "remove", mine.name, "started"),
        ("key writer", ELSEWHERE, "remove", mine.name, "done"),
        ("this computer", "127.0.0.1", "remove", mine.name, "started"),
        ("this computer", "127.0.0.1", "remove", mine.name, "failed"),
        ("a visitor", ELSEWHERE, "relabel", mine.name, "started"),
        ("a visitor", ELSEWHERE, "relabel", mine.name, "done"),
    ]
    assert key["X-API-Key"] not in file_of_changes().read_text()


@pytest.mark.parametrize(
    ("method", "place", "sent"),
    [
        ("PATCH", "galleries/mine/items/dots/dots-1.jpg?dry_run=true", {"label": "x"}),
        ("POST", "galleries?dry_run=true", {"gallery": "mine", "source": "/", "replace": True}),
        ("POST", "galleries/mine/items/remove?dryrun=true", {"labels": ["dots"]}),
    ],
)
def test_a_parameter_that_an_address_does_not_take_is_refused_and_nothing_is_changed(
    mine: Gallery, method: str, place: str, sent: dict[str, object]
) -> None:
    with client() as near:
        answer = near.request(method, f"/api/v1/{place}", json=sent)
    assert answer.status_code == 422
    assert "takes no parameter" in answer.json()["detail"]
    assert mine.is_live
