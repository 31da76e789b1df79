"""Jobs over HTTP: who sees which, how one is watched and cancelled, and what waiting for events costs."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import uvicorn
from conftest import draw
from programs import client, stalled
from starlette.testclient import TestClient

from similarity.api import jobs as routes
from similarity.api.application import create_alone
from similarity.errors import GalleryError
from similarity.service.audit import file_of_changes
from similarity.service.jobs import Job, shared_jobs
from similarity.service.keys import add_key

JOBS = "/api/v1/jobs"


@pytest.fixture
def mine(empty_home: Path) -> Path:
    """The folder of a gallery that jobs are about."""
    return empty_home / "galleries" / "mine"


def events(text: str) -> list[tuple[str, dict[str, Any]]]:
    """The events in the text of an answer, by their names."""
    parts = [dict(line.split(": ", 1) for line in part.splitlines()) for part in text.strip().split("\n\n")]
    return [(part["event"], json.loads(part["data"])) for part in parts if "event" in part]


def test_a_job_is_seen_by_those_who_may_search_its_gallery_and_by_nobody_else(far: TestClient, mine: Path) -> None:
    reader, other = ({"X-API-Key": add_key(name, [name])} for name in ("mine", "others"))
    with stalled(mine) as job:
        place = f"{JOBS}/{job.number}"
        seen = far.get(place, headers=reader).json()
        assert (seen["gallery"], seen["task"], seen["state"]) == ("mine", "sync", "running")
        assert {name: seen["progress"][name] for name in ("task", "done", "total")} == {
            "task": "Indexing", "done": 1, "total": 2,
        }  # fmt: skip
        assert job.number in [one["number"] for one in far.get(JOBS, headers=reader).json()["jobs"]]
        assert job.number not in [one["number"] for one in far.get(JOBS, headers=other).json()["jobs"]]
        for method, rest in (("GET", ""), ("GET", "/events"), ("DELETE", "")):
            answers = [far.request(method, f"{JOBS}/{number}{rest}", headers=other) for number in (job.number, 999_999)]
            assert [answer.status_code for answer in answers] == [404] * 2
            assert answers[0].text.replace(f" {job.number}.", " 999999.") == answers[1].text
            assert far.request(method, f"{place}{rest}").status_code == 401


def test_only_who_may_change_a_gallery_cancels_its_job(far: TestClient, mine: Path) -> None:
    reader, writer = {"X-API-Key": add_key("a", ["mine"])}, {"X-API-Key": add_key("b", [], write=["mine"])}
    elsewhere = {"X-API-Key": add_key("c", ["mine"], write=["others"])}
    with stalled(mine) as job:
        place = f"{JOBS}/{job.number}"
        for headers in (reader, elsewhere):
            assert far.delete(place, headers=headers).status_code == 403
        assert not job.is_cancelled
        assert far.delete(place, headers=writer).status_code == 200
        assert job.wait(10)
        assert far.get(place, headers=reader).json()["state"] == "cancelled"
        assert far.delete(place, headers=writer).json()["state"] == "cancelled"
    lines = [json.loads(line) for line in file_of_changes().read_text().splitlines()]
    assert [(line["who"], line["outcome"]) for line in lines] == [
        ("", "started"), ("key b", "cancelling"), ("", "cancelled"),
    ]  # fmt: skip


def test_the_events_of_a_job_are_its_progress_and_its_end(far: TestClient, mine: Path) -> None:
    reader = {"X-API-Key": add_key("reader", ["mine"])}
    with stalled(mine) as job:
        threading.Timer(0.4, job.cancel).start()
        answer = far.get(f"{JOBS}/{job.number}/events", headers=reader | {"Last-Event-ID": "1"})
    assert answer.headers["content-type"].startswith("text/event-stream")
    told = events(answer.text)
    assert [name for name, _ in told] == ["progress"] * (len(told) - 1) + ["end"]
    assert told[0][1]["progress"]["done"] == 1
    assert told[-1][1] == far.get(f"{JOBS}/{job.number}", headers=reader).json()
    assert events(far.get(f"{JOBS}/{job.number}/events", headers=reader).text) == [told[-1]]


def test_why_a_job_failed_does_not_tell_a_key_where_things_lie(far: TestClient, mine: Path) -> None:
    reader = {"X-API-Key": add_key("reader", ["mine"])}

    def fail(_: Job) -> None:
        raise GalleryError(f"The gallery in {mine} could not be written.")

    job = shared_jobs().start(mine, "sync", fail)
    assert job.wait(10)
    said = far.get(f"{JOBS}/{job.number}", headers=reader).json()
    assert said["state"] == "failed"
    assert "could not be written" in said["error"]
    assert str(mine.parent) not in said["error"]
    with client() as near:
        assert str(mine) in near.get(f"{JOBS}/{job.number}").json()["error"]


@pytest.fixture
def served(empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of the API behind a real web server."""
    monkeypatch.setenv("SIMILARITY_MANAGE", "local")
    assert empty_home.is_dir()
    server = uvicorn.Server(uvicorn.Config(create_alone(), port=0, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


def test_who_goes_away_is_not_waited_for_and_many_who_listen_are_refused(served: str, mine: Path) -> None:
    with stalled(mine) as job:
        place = f"{served}{JOBS}/{job.number}/events"
        opened = [requests.get(place, stream=True, timeout=10) for _ in range(routes.MOST_OF_CALLER)]
        lines = [one.iter_lines() for one in opened]  # kept, since a connection goes with them
        assert [next(line) for line in lines] == [b"event: progress"] * len(opened)
        refused = requests.get(place, timeout=10)
        assert (refused.status_code, refused.headers["content-type"]) == (429, "application/problem+json")
        for one in opened:
            one.close()
        while routes._listening:
            time.sleep(0.01)
        assert job.is_active
        assert requests.get(f"{served}{JOBS}/{job.number}", timeout=10).json()["state"] == "running"


@pytest.mark.exhaustive
def test_a_server_that_is_asked_to_end_does_not_wait_for_those_who_listen(
    own_pictures: Path, empty_home: Path, child_environment: dict[str, str]
) -> None:
    for number in range(300):
        draw("dots", number).save(own_pictures / "dots" / f"more-{number}.jpg")
    environment = child_environment | {"SIMILARITY_MANAGE": "local", "SIMILARITY_HOME": str(empty_home)}
    command = [sys.executable, "-m", "similarity", "serve", "--port", "0"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr
        place = server.stderr.readline().split(" at ")[1].partition(". ")[0]
        body = {"gallery": "mine", "source": str(own_pictures), "model": "efficientnet-lite2"}
        job = requests.post(f"{place}/galleries", json=body, timeout=10).json()["job"]
        lines = requests.get(f"{place}/jobs/{job['number']}/events", stream=True, timeout=30).iter_lines()
        assert next(lines) == b"event: progress"
        server.terminate()
        assert b"event: end" not in list(lines)  # which fails where the answer is cut off
        assert server.wait(30) is not None
