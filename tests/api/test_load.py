"""The API under load: clients that hang, a gallery that changes meanwhile, and servers that are killed."""

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import MODEL, draw
from programs import serving
from urllib3 import HTTPConnectionPool
from urllib3.exceptions import HTTPError

from similarity import Gallery
from similarity.service.header_deadline import allow_many_connections
from similarity.storage.verifying import verify

pytestmark = pytest.mark.exhaustive

HANGING, CLIENTS = 1_000, 4
PATIENCE = 60.0  # seconds that a program waits for an answer; far more than any takes
PLACE = "/api/v1/galleries/own"


@pytest.fixture
def own_gallery(empty_home: Path, own_pictures: Path, monkeypatch: pytest.MonkeyPatch) -> Gallery:
    """A gallery in a home of its own."""
    monkeypatch.setenv("SIMILARITY_MANAGE", "local")
    return Gallery.build(own_pictures, empty_home / "galleries" / "own", model=MODEL)


def program(host: str) -> HTTPConnectionPool:
    """A program that keeps its connections."""
    name, _, port = host.rpartition(":")
    return HTTPConnectionPool(name, int(port), maxsize=CLIENTS, timeout=PATIENCE, retries=False)


def search(pool: HTTPConnectionPool, item: str, **options: Any) -> tuple[int, dict[str, Any]]:
    """The status of a search with an item, and its answer."""
    body = json.dumps({"like": [{"item": item}], "k": 1_000, **options}).encode()
    answer = pool.request("POST", f"{PLACE}/search", body=body, headers={"Content-Type": "application/json"})
    return answer.status, json.loads(answer.data)


def opened(host: str, *sent: bytes) -> socket.socket:
    """A connection on which something was sent, and nothing is read."""
    name, _, port = host.rpartition(":")
    connection = socket.create_connection((name, int(port)), timeout=PATIENCE)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(0.05)
    for piece in sent:
        try:
            connection.sendall(piece)
        except TimeoutError:  # it takes no more, since nobody reads its answers
            break
    return connection


def hanging(host: str) -> list[bytes]:
    """What clients send that hang: nothing, half a head, half a body, and requests whose answers nobody reads."""
    head = f"POST {PLACE}/search HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
    asks = f"GET /openapi.json HTTP/1.1\r\nHost: {host}\r\n\r\n"
    return [b"", head.encode(), (head + 'Content-Length: 100\r\n\r\n{"like"').encode(), asks.encode() * 50]


def test_a_thousand_clients_that_hang_cost_nobody_else(own_gallery: Gallery, child_environment: dict[str, str]) -> None:
    allow_many_connections()
    item, count = own_gallery.items[0].id, len(own_gallery)
    with serving(child_environment) as (process, host), ExitStack() as stack, program(host) as pool:
        assert search(pool, item)[0] == 200
        kinds = hanging(host)
        for number in range(HANGING):
            connection = opened(host, kinds[number % len(kinds)])
            stack.callback(connection.close)
        for _ in range(20):
            status, answer = search(pool, item)
            assert (status, len(answer["hits"])) == (200, count)
        # Half a body is told to be late, and what is silent or has half a head is closed.
        late = opened(host, kinds[2])
        silent = opened(host, kinds[1])
        for connection in (late, silent):
            stack.callback(connection.close)
            connection.settimeout(PATIENCE)
        assert b" 408 " in late.recv(4096)
        assert silent.recv(4096) == b""
        assert search(pool, item)[0] == 200
        assert process.poll() is None


@contextmanager
def load(host: str, item: str) -> Iterator[list[tuple[int, frozenset[str]]]]:
    """Programs that search for as long as the block lasts; gives the status and the ids of each answer."""
    found: list[tuple[int, frozenset[str]]] = []
    over = threading.Event()

    def ask(number: int) -> None:
        chance = random.Random(number)
        with program(host) as pool:
            while not over.is_set():
                status, answer = search(pool, item, copies=chance.random() < 0.1)
                found.append((status, frozenset(hit["id"] for hit in answer.get("hits", []))))

    with ThreadPoolExecutor(CLIENTS) as threads:
        asking: list[Future[None]] = [threads.submit(ask, number) for number in range(CLIENTS)]
        try:
            yield found
        finally:
            over.set()
    for one in asking:
        one.result()


def change(environment: dict[str, str], *words: object) -> "subprocess.CompletedProcess[str]":
    """A command in another process."""
    command = [sys.executable, "-m", "similarity", *map(str, words), "--gallery", "own"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def wait_for(found: list[Any], more: int) -> None:
    """Wait until so many further answers have come."""
    until, pause = len(found) + more, threading.Event()
    while len(found) < until:
        pause.wait(0.02)


def test_a_gallery_changes_under_load_without_a_failed_search(
    own_gallery: Gallery, child_environment: dict[str, str], tmp_path: Path
) -> None:
    directory, item = own_gallery.directory, own_gallery.items[0].id
    more = tmp_path / "more" / "waves"
    more.mkdir(parents=True)
    for seed in range(8):
        draw("rings", 100 + seed).save(more / f"wave-{seed}.jpg", quality=92)
    states = [frozenset(one.id for one in own_gallery.items)]
    with serving(child_environment) as (_, host), load(host, item) as found:
        wait_for(found, 8)
        for words in (
            ["add", more.parent],
            ["remove", "--label", "waves"],
            ["rebuild", "--refinement", "none"],
            ["add", more.parent],
            ["rebuild", "--recipe", "flat"],
        ):
            done = change(child_environment, *words)
            assert done.returncode == 0, done.stderr
            states.append(frozenset(one.id for one in Gallery.open(directory).items))
            wait_for(found, 8)
    assert {status for status, _ in found} == {200}
    assert {ids for _, ids in found} <= set(states)
    assert {ids for _, ids in found} == {states[0], states[1]}, "each was searched"


def test_servers_and_writers_that_are_killed_under_load_lose_nothing(
    own_gallery: Gallery, child_environment: dict[str, str], tmp_path: Path
) -> None:
    directory, item = own_gallery.directory, own_gallery.items[0].id
    before = [(hit.item.id, hit.score) for hit in own_gallery.search(Path(own_gallery.items[0].path), k=5)]
    more = tmp_path / "more"
    shutil.copytree(Path(own_gallery.items[0].path).parents[1], more)
    for number, path in enumerate(sorted(more.rglob("*.jpg"))):
        draw("dots", 200 + number).save(path, quality=92)
    allowed = {frozenset(one.id for one in own_gallery.items)}
    for turn in range(3):
        with serving(child_environment) as (process, host):
            with load(host, item) as found:
                wait_for(found, 4)
                command = [sys.executable, "-m", "similarity", "add", str(more), "--gallery", "own"]
                with subprocess.Popen(command, env=child_environment, stderr=subprocess.DEVNULL) as writer:
                    wait_for(found, 4 + 10 * turn)
                    writer.send_signal(signal.SIGKILL)
                wait_for(found, 4)
            allowed.add(frozenset(one.id for one in Gallery.open(directory).items))
            assert {status for status, _ in found} == {200}
            assert {ids for _, ids in found} <= allowed
            kill_under_load(process, host, item)
        verify(directory)
    assert change(child_environment, "add", more).returncode == 0
    opened = Gallery.open(directory)
    assert len(opened) == 30
    with serving(child_environment) as (_, host), program(host) as pool:
        assert len(search(pool, item)[1]["hits"]) == 30
    again = {hit.item.id: hit.score for hit in opened.search(Path(own_gallery.items[0].path), k=30)}
    assert {name for name, _ in before} <= set(again)


def kill_under_load(process: "subprocess.Popen[str]", host: str, item: str) -> None:
    """Kill a server while it answers; whoever asks then learns that it is gone, and nothing else."""
    learned = []
    try:
        with load(host, item) as found:
            wait_for(found, 8)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
    except (HTTPError, OSError) as error:
        learned.append(error)
    assert learned
    assert {status for status, _ in found} == {200}
