"""For tests of galleries in Milvus: a Milvus Lite in a file, one that answers on a port, and what two engines say."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from e2e.server import free_port

from similarity.search import Hit
from similarity.search.stores import Store

# Scores that differ by no more than this may be in either order.
SAME = 1e-5


def lite(folder: Path) -> Store:
    """A Milvus Lite in a file."""
    return Store("milvus", str(folder / "vectors.db"))


def let_go(store: Store) -> None:
    """Close a Milvus Lite, as the end of the process would."""
    from milvus_lite.server_manager import server_manager_instance

    from similarity.search.milvus import client

    for key in [key for key in client._clients if key[0] == store.uri]:
        client._clients.pop(key).close()
    server_manager_instance.release_server(store.uri)


class Server:
    """A Milvus Lite as a process of its own, which answers on a port as a server does.

    Attributes:
        store: how it is reached.
    """

    def __init__(self, folder: Path) -> None:
        self._port = free_port()
        self._folder = folder
        self.store = Store("milvus", f"http://127.0.0.1:{self._port}")
        self.start()

    def start(self) -> None:
        """Until it listens."""
        command = [sys.executable, "-m", "milvus_lite", "server", "--data-dir", str(self._folder / "server.db")]
        self._process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(self._port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=dict(os.environ),
        )
        for _ in range(300):
            with socket.socket() as attempt:
                if attempt.connect_ex(("127.0.0.1", self._port)) == 0:
                    return
            time.sleep(0.1)
        raise TimeoutError("the server does not listen")

    def stop(self) -> None:
        """At once."""
        self._process.kill()
        self._process.wait()


def differences(mine: Sequence[Hit], its: Sequence[Hit]) -> list[str]:
    """Where two lists of results do not agree: other scores, or other pictures that are not as similar as these."""
    if len(mine) != len(its):
        return [f"{len(mine)} results and {len(its)}"]
    found = []
    scores = {hit.item.id: hit.score for hit in its}
    for one, other in zip(mine, its, strict=True):
        if one.rank != other.rank or abs(one.score - other.score) > SAME:
            found.append(f"rank {one.rank}: {one.score} and {other.score}")
        # At the end of a list one of several that are as similar may have been left out.
        elif one.item.id != other.item.id and abs(scores.get(one.item.id, its[-1].score) - one.score) > SAME:
            found.append(f"rank {one.rank}: {one.item.id} and {other.item.id}")
    return found
