"""A Milvus server in a process of its own: the program that the package `milvus` carries, on free ports of loopback."""

import lzma
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import filelock
import pytest
from e2e.server import free_port
from stores import let_go, lite

from similarity.search.milvus import client, collection
from similarity.search.milvus.addresses import give
from similarity.search.stores import Store

# Seconds until it answers; it takes 2 on two cores, and 9 after a kill. How often to try.
STARTING, STARTS = 180.0, 3
# It misses parts of a killed one sooner than by default (s), looks more often for what is to be done (ms), logs less.
QUICK = {
    "COMMON_SESSION_TTL": "20",
    "DATACOORD_SEGMENT_ASSIGNMENTEXPIRATION": "500",
    "PROXY_TIMETICKINTERVAL": "50",
    "QUERYCOORD_CHECKCHANNELINTERVAL": "100",
    "QUERYCOORD_CHECKSEGMENTINTERVAL": "100",
    "QUERYCOORD_DISTPULLINTERVAL": "100",
    "LOG_LEVEL": "error",
}
# Who may do everything on a server that asks for a password, and the password it starts with.
ROOT = "root:Milvus"


def programs(folder: Path) -> Path:
    """The server's program and libraries, unpacked into a folder that several processes may share."""
    reason = "the package milvus, a Milvus server for x86-64 Linux, is not installed"
    packed = Path(pytest.importorskip("milvus", reason=reason).__file__).parent / "data" / "bin"
    unpacked = folder / "milvus"
    with filelock.FileLock(folder / "milvus.lock"):
        if not unpacked.is_dir():
            partial = folder / "milvus.partial"
            partial.mkdir()
            for path in packed.glob("*.lzma"):
                (partial / path.stem).write_bytes(lzma.decompress(path.read_bytes()))
                (partial / path.stem).chmod(0o755)
            partial.rename(unpacked)
    return unpacked


class StandaloneServer:
    """A Milvus server, which keeps what it has while it is away.

    Attributes:
        port: where it listens.
        folder: for what it keeps and logs.
        store: how it is reached.
    """

    def __init__(self, programs: Path, folder: Path, **configured: Any) -> None:
        """Start it.

        Args:
            programs: see `programs`.
            folder: see above.
            configured: what `milvus.MilvusServerConfig` is told, if not the default.
        """
        from milvus import MilvusServerConfig

        self._programs, self.folder, self._health = programs, folder, free_port()
        config = MilvusServerConfig(data_dir=str(folder), **configured)
        ports = {name: free_port() for name in config.configurable_items if name.endswith("_port")}
        config.update(**ports)
        for name, value in (ports | configured).items():  # it reads only ports from what it is told
            config.set(name, value)
        config.resolve()
        (folder / "etcd.yaml").write_text(
            f"listen-client-urls: http://127.0.0.1:{ports['etcd_port']}\n"
            f"advertise-client-urls: http://127.0.0.1:{ports['etcd_port']}\n"
            f"listen-peer-urls: http://127.0.0.1:{free_port()}\n"
            "unsafe-no-fsync: true\n"  # it is only ever the process that is killed
        )
        self.port: int = ports["proxy_port"]
        self.store = Store("milvus", f"http://127.0.0.1:{self.port}")
        self.start()

    def start(self) -> None:
        """Until it answers; it is started again if it ends, as it does when its computer stops for a while."""
        for _ in range(STARTS):
            self._run()
            try:
                if self._is_up():
                    return
            except BaseException:
                self.stop()
                raise
        raise RuntimeError(f"the Milvus server did not start, see {self.folder / 'logs' / 'output'}")

    def _run(self) -> None:
        told = {
            "DEPLOY_MODE": "STANDALONE",
            "METRICS_PORT": str(self._health),
            "MILVUS_RUN_DIR": str(self.folder / "run"),
            "ETCD_CONFIG_PATH": str(self.folder / "etcd.yaml"),
            "LD_LIBRARY_PATH": str(self._programs),
        }
        with (self.folder / "logs" / "output").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "milvus", "run", "standalone"],
                cwd=self.folder,
                env=dict(os.environ) | QUICK | told,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def stop(self) -> None:
        """Kill it, with all that it has started, at once."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _is_up(self) -> bool:
        """Wait until it answers, or has ended."""
        deadline = time.monotonic() + STARTING
        while time.monotonic() < deadline and self._process.poll() is None:
            with (
                suppress(OSError),
                urllib.request.urlopen(f"http://127.0.0.1:{self._health}/healthz", timeout=10) as answer,
            ):
                if b"OK" in answer.read():
                    return True
            time.sleep(0.1)
        self.stop()
        return False


@contextmanager
def impatient(seconds: float = 1.5) -> Iterator[None]:
    """Nobody waits longer for a server, until the block ends."""
    with pytest.MonkeyPatch.context() as patch:
        for module, names in ((client, ("CONNECT", "ANSWER", "WRITE")), (collection, ("ANSWER", "WRITE"))):
            for name in names:
                patch.setattr(module, name, seconds)
        yield


@pytest.fixture(scope="session")
def milvus_programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a Milvus server, unpacked once for the whole run."""
    own = tmp_path_factory.getbasetemp()
    return programs(own.parent if "PYTEST_XDIST_WORKER" in os.environ else own)


@pytest.fixture(scope="session")
def milvus_server(
    milvus_programs: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[StandaloneServer]:
    """A Milvus server, one for all tests of a process; whoever stops it starts it again."""
    pytest.importorskip("pymilvus")
    server = StandaloneServer(milvus_programs, tmp_path_factory.mktemp("milvus-server"))
    yield server
    server.stop()


@pytest.fixture(scope="session", params=["lite", pytest.param("server", marks=pytest.mark.cluster)])
def milvus(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A Milvus Lite in a file, and in the tier `cluster` a server too; each test has collections of its own in it."""
    for library in ("pymilvus", "milvus_lite"):
        pytest.importorskip(library)
    if request.param == "server":
        server: StandaloneServer = request.getfixturevalue("milvus_server")
        give(server.store)
        yield server.store
        return
    place = lite(tmp_path_factory.mktemp("milvus"))
    give(place)  # whatever the home of a test remembers
    yield place
    let_go(place)
