"""A Ray of two nodes, each with one core, of which one is killed again and again: the job is none the worse for it."""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from commands import run_command, started
from conftest import MODEL, Site, bundled_model, draw
from objectstore import ObjectStore
from ray_nodes import CRASHING, FAULT, KILLED, STARTING, Nodes
from test_ray import TOKEN, assert_same
from test_shards import table, times

from similarity.shards.attempts import SUFFIX

pytestmark = pytest.mark.cluster

ROOT = Path(__file__).resolve().parents[2]
SEARCH_PATH = os.pathsep.join(map(str, (CRASHING, ROOT)))
KILLS, PICTURES, SIZE = 20, 400, 2
# Seconds that each download takes while nodes are killed, so that there are chunks in progress; and that of each of the
# last ones, so that the job does not end before.
SLOW, SLOWER, LAST = 1.0, 5.0, 100


@pytest.fixture(scope="module")
def objects() -> Iterator[ObjectStore]:
    """An object store that the nodes can read."""
    store = ObjectStore()
    yield store
    store.close()


@pytest.fixture(scope="module")
def nodes(home: Path, objects: ObjectStore) -> Iterator[Nodes]:
    """Two nodes, whose processes have the tests' home, and nothing of which is left."""
    pytest.importorskip("ray")
    folder = Path(tempfile.mkdtemp(prefix="ray-"))  # a short path: pytest's are too long for sockets
    nodes = Nodes(folder, environment(SIMILARITY_HOME=str(home), **objects.environment))
    try:
        yield nodes
    finally:
        nodes.close()
        shutil.rmtree(folder, ignore_errors=True)


def command(nodes: Nodes, source: Path | str, out: Path, size: int) -> list[str]:
    words = ["embed", source, "--out", out, "-m", MODEL, "--json", "--shard-size", size]
    words += ["--engine", "ray", "--address", nodes.address, "--cpus-per-worker", 1]
    return [sys.executable, "-m", "similarity", *map(str, words)]


def environment(**variables: str) -> dict[str, str]:
    return dict(os.environ) | TOKEN | {"PYTHONPATH": SEARCH_PATH} | variables


def wait_for(condition: Callable[[], object], job: "subprocess.Popen[str]") -> None:
    """Until it holds, or the job ends."""
    deadline = time.monotonic() + STARTING
    while not condition() and job.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)


class SlowSite(Site):
    """Pictures that take a while to download, until `is_quick`.

    Attributes:
        given: how often each was downloaded.
    """

    def __init__(self, pictures: dict[str, bytes]) -> None:
        super().__init__()
        self.is_quick, self.given = threading.Event(), Counter[str]()

        def answer(handler: Any) -> None:
            self.is_quick.wait(SLOW if len(self.given) < PICTURES - LAST else SLOWER)
            self.given[handler.path] += 1
            data = pictures[handler.path]
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(data)))
            handler.end_headers()
            handler.wfile.write(data)

        self.pages |= dict.fromkeys(pictures, answer)


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[SlowSite]:
    pictures = {}
    for number in range(PICTURES):
        draw("rings", number).resize((96, 96)).save(tmp_path / "one.jpg")
        pictures[f"/{number}.jpg"] = (tmp_path / "one.jpg").read_bytes()
    site = SlowSite(pictures)
    yield site
    site.is_quick.set()
    site.close()


def kill_again_and_again(nodes: Nodes, out: Path, job: "subprocess.Popen[str]") -> None:
    """Kill the second node, sometimes as soon as it is there, sometimes at a moment when its worker is at work."""
    moments, made = random.Random(5), dict[str, int]()
    for number in range(KILLS):
        if number % 2 == 0:
            wait_for(nodes.second.workers, job)
            time.sleep(moments.uniform(0, 2 * SLOW))
        nodes.second.kill()
        assert job.poll() is None, "the job ended before all kills were made"
        assert made.items() <= times(out).items(), "what was there is not made again"
        made = times(out)
        nodes.start_second()


def test_a_node_that_is_killed_twenty_times_costs_no_picture_and_no_finished_shard(
    nodes: Nodes, slow: SlowSite, tmp_path: Path
) -> None:
    listing, out = tmp_path / "list.parquet", tmp_path / "out"
    pq.write_table(pa.table({"path": [slow.url(path) for path in slow.pages]}), listing)
    variables = {"SIMILARITY_PRIVATE_HOSTS": slow.host}
    with started(
        command(nodes, listing, out, SIZE),
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as job:
        wait_for(lambda: times(out), job)
        kill_again_and_again(nodes, out, job)
        made = times(out)
        slow.is_quick.set()
        told, errors = job.communicate(timeout=STARTING)
    assert (job.returncode, errors) == (0, "")
    report = json.loads(told)
    assert (report["embedded"], report["resumed"], report["skipped"]) == (PICTURES, 0, [])
    assert made.items() <= times(out).items()
    rows = table(out)
    assert rows.column("path").to_pylist() == pq.read_table(listing).column("path").to_pylist()
    assert set(slow.given) == set(slow.pages)
    again = sum(slow.given.values()) - PICTURES
    assert again <= KILLS * SIZE, "a kill costs no more than the chunk that was in progress"
    with bundled_model():
        local = ("embed", listing, "--out", tmp_path / "local", "-m", MODEL, "--shard-size", SIZE)
        assert run_command(*local, environment=variables).returncode == 0
    assert_same(out, tmp_path / "local")


def test_the_job_ends_on_the_node_that_is_left(nodes: Nodes, slow: SlowSite, tmp_path: Path) -> None:
    listing, out = tmp_path / "list.parquet", tmp_path / "out"
    pq.write_table(pa.table({"path": [slow.url(path) for path in list(slow.pages)[:40]]}), listing)
    with started(
        command(nodes, listing, out, SIZE),
        env=environment(SIMILARITY_PRIVATE_HOSTS=slow.host),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as job:
        wait_for(lambda: nodes.second.workers() and nodes.head.workers() and times(out), job)
        nodes.second.kill()
        slow.is_quick.set()
        told, errors = job.communicate(timeout=2 * STARTING)
    nodes.start_second()
    assert (job.returncode, errors) == (0, "")
    assert json.loads(told)["embedded"] == 40
    assert table(out).num_rows == 40


@pytest.mark.parametrize("comment", [FAULT, KILLED])
def test_a_picture_that_ends_its_worker_is_given_up_after_three_times_and_named(
    nodes: Nodes, own_pictures: Path, tmp_path: Path, comment: bytes
) -> None:
    draw("rings", 99).save(own_pictures / "rings" / "crashing.jpg", comment=comment)
    out = tmp_path / "out"
    told = subprocess.run(
        command(nodes, own_pictures, out, 8),
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=2 * STARTING,
    )
    assert (told.returncode, told.stderr) == (0, "")
    report = json.loads(told.stdout)
    assert (report["embedded"], report["shards"]) == (15, 2)
    assert report["skipped"] == [
        {"path": str(own_pictures / "rings" / "crashing.jpg"), "reason": "it ended its worker three times"}
    ]
    assert [row["id"] for row in table(out).to_pylist() if row["vector"] is None] == ["rings/crashing.jpg"]
    assert not list(out.glob(f"*{SUFFIX}"))


def test_nodes_list_and_read_an_object_store_themselves(
    nodes: Nodes, objects: ObjectStore, pictures: Path, tmp_path: Path
) -> None:
    pytest.importorskip("s3fs")
    for path in pictures.rglob("*.jpg"):
        objects.objects[f"shop/{path.relative_to(pictures).as_posix()}"] = path.read_bytes()
    told = subprocess.run(
        command(nodes, "s3://shop", tmp_path / "out", 4),
        env=environment(**objects.environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=2 * STARTING,
    )
    assert (told.returncode, told.stderr) == (0, "")
    assert (json.loads(told.stdout)["embedded"], json.loads(told.stdout)["shards"]) == (15, 4)
    rows = table(tmp_path / "out").to_pylist()
    assert [row["path"] for row in rows] == sorted(f"s3://{key}" for key in objects.objects)
    assert {row["label"] for row in rows} == {"dots", "rings", "stripes"}
