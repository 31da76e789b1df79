"""The programs of the compose file as processes: a door, two replicas and Milvus, while each replica is restarted."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import door
import pytest
import requests
import urllib3
from conftest import MODEL
from e2e.server import free_port
from milvus_server import ROOT as WHO
from milvus_server import StandaloneServer

from similarity import Gallery
from similarity.service.keys import add_key

pytestmark = [
    pytest.mark.cluster,
    # The door's certificate is of its own making.
    pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning"),
]
REPLICAS = ("127.0.0.2", "127.0.0.3")
VISITORS, ROUNDS = 6, 2


def of_compose(**given: str) -> dict[str, str]:
    """The environment of the app, as the compose file makes it of what its user gives."""
    yaml = pytest.importorskip("ruamel.yaml")
    told = yaml.YAML(typ="safe").load(door.ROOT / "compose.yaml")["services"]["app"]["environment"]
    form = re.compile(r"\$\{(\w+):[-?]([^}]*)\}")
    return {name: form.sub(lambda found: given.get(found[1], found[2]), value) for name, value in told.items()}


def command(host: str, port: int) -> list[str]:
    """What the image of the app runs, at another address."""
    *_, words = re.findall(r'^CMD (\["python", "-m", "streamlit".*\])$', (door.ROOT / "Dockerfile").read_text(), re.M)
    told = {"python": sys.executable, "--server.address=0.0.0.0": f"--server.address={host}"}
    return [told.get(word, word).replace("port=8501", f"port={port}") for word in json.loads(words)]


class Replicas:
    """The replicas of the app, each at an address of its own, and the names by which the door finds them."""

    def __init__(self, port: int, environment: dict[str, str]) -> None:
        self._port, self._environment = port, environment
        self.names = door.Names([])
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, host: str) -> None:
        """Start one, which has its name at once, as with Docker, and answers after a while."""
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        told = dict(os.environ) | self._environment
        self._running[host] = subprocess.Popen(command(host, self._port), cwd=door.ROOT, env=told, **quiet)  # type: ignore[call-overload]
        self.names.replicas.append(host)

    def wait(self, host: str) -> None:
        """Until it is healthy, as the compose file asks it."""
        deadline = time.monotonic() + 120
        while self._running[host].poll() is None and time.monotonic() < deadline:
            try:
                if requests.get(f"http://{host}:{self._port}/_stcore/health", timeout=4).ok:
                    return
            except requests.RequestException:
                time.sleep(0.2)
        raise RuntimeError(f"the replica at {host} did not start")

    def stop(self, host: str) -> None:
        """End one as Docker does; its name is gone once it has ended."""
        self._running[host].terminate()
        self._running[host].wait(60)
        self.names.replicas.remove(host)

    def close(self) -> None:
        """End all."""
        for process in self._running.values():
            process.kill()
            process.wait(60)
        self.names.close()


class Load:
    """Visitors and programs who ask without a pause, and what they were answered."""

    def __init__(self, port: int, key: str, picture: bytes, item: str) -> None:
        self._url, self._key, self._picture, self._item = f"https://localhost:{port}", key, picture, item
        self._ended = threading.Event()
        self.answers: Counter[str] = Counter()

    def ask(self, visitor: requests.Session, what: str) -> str:
        """What was asked for, and what came: the status, and for a search the results."""
        search = f"{self._url}/api/v1/galleries/shop/search"
        asked: dict[str, dict[str, Any]] = {
            "a page": {"method": "GET", "url": self._url},
            "an item": {"method": "POST", "url": search, "json": {"like": [{"item": self._item}], "k": 4}},
            "a picture": {"method": "POST", "url": search, "files": {"file": self._picture}, "data": {"k": 4}},
        }
        answer = visitor.request(**asked[what], headers={"X-API-Key": self._key}, verify=False, timeout=90)
        found = [hit["id"] for hit in answer.json()["hits"]] if "/api/" in answer.url and answer.ok else []
        return f"{what}: {answer.status_code} {found}"

    def _visit(self, number: int) -> None:
        for turn in range(number, 1_000_000):
            with requests.Session() as visitor:
                for _ in range(5):  # a browser keeps its cookie and its connection for a while
                    if self._ended.is_set():
                        return
                    self.answers[self.ask(visitor, ("a page", "an item", "a picture")[turn % 3])] += 1

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Ask until the block ends; raises what went wrong with the connection of a visitor."""
        with ThreadPoolExecutor(VISITORS) as pool:
            visits = [pool.submit(self._visit, number) for number in range(VISITORS)]
            try:
                yield
            finally:
                self._ended.set()
        for visit in visits:
            visit.result()


@pytest.fixture
def shop(milvus_server: StandaloneServer, own_pictures: Path, empty_home: Path) -> Gallery:
    """A gallery in the home of the replicas, its vectors in Milvus."""
    return Gallery.build(own_pictures, empty_home / "galleries" / "shop", model=MODEL, store=milvus_server.store)


def test_no_request_fails_while_one_replica_after_the_other_is_restarted(
    milvus_server: StandaloneServer, shop: Gallery, empty_home: Path, tmp_path: Path
) -> None:
    urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    environment = of_compose(
        STREAMLIT_SERVER_COOKIE_SECRET="a long secret of this test",
        SIMILARITY_MILVUS_TOKEN=WHO,
        SIMILARITY_LOGIN="none",
    ) | {"SIMILARITY_HOME": str(empty_home), "SIMILARITY_MILVUS_URI": milvus_server.store.uri}
    key = add_key("visitor", ["shop"])
    item = shop.items[0]
    load = Load(port := free_port(), key, Path(item.path).read_bytes(), item.id)
    replicas = Replicas(inner := free_port(), environment)
    config = door.of_the_image().replace("app 8501", f"app {inner}").replace("8443", str(port))
    config = config.replace("refresh 2s", f"refresh 2s\nresolvers {replicas.names.address}")
    with ExitStack() as at_the_end:
        at_the_end.callback(replicas.close)
        for host in REPLICAS:
            replicas.start(host)
        for host in REPLICAS:
            replicas.wait(host)
        config = config.replace("8081", str(free_port()))
        at_the_end.enter_context(door.running(config, tmp_path, door.environment(SIMILARITY_LOGIN="none"), port))
        with requests.Session() as visitor:
            expected = {load.ask(visitor, what) for what in ("a page", "an item", "a picture")}
        assert all(": 200 " in answer for answer in expected), expected
        with load.going_on():
            for host in REPLICAS * ROUNDS:
                replicas.stop(host)
                time.sleep(1)  # it is away for a while
                replicas.start(host)
                replicas.wait(host)
                time.sleep(2)
    assert set(load.answers) == expected
    assert load.answers.total() > 50
