"""Nodes of Ray on this computer, each with a core and processes of its own, which can be killed and started again."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil
from e2e.server import free_port

# On the search path of a process, it crashes at JPEGs with either comment, see there.
CRASHING = Path(__file__).parent / "crashing"
FAULT, KILLED = b"a segmentation fault", b"killed for its memory"
# Seconds until a node answers; it takes 5 on two cores.
STARTING = 120.0
# A killed node is missed within a second, not within a quarter of a minute.
QUICK = {"RAY_health_check_period_ms": "300", "RAY_health_check_failure_threshold": "2"}


class Node:
    """A node: `ray start`, and what that has started.

    Attributes:
        process: `ray start --block`.
    """

    def __init__(self, *options: str, folder: Path, environment: Mapping[str, str]) -> None:
        """Start it with options of `ray start`; its messages go to a file in the folder."""
        program = Path(sys.executable).with_name("ray")
        command = [program, "start", "--block", "--num-cpus=1", "--object-store-memory=80000000", *options]
        # Ports of workers are whichever are free, since two nodes share this computer's.
        command += ["--disable-usage-stats", "--min-worker-port=0", "--max-worker-port=0"]
        self._messages = Path(tempfile.mkdtemp(dir=folder)) / "messages"
        with self._messages.open("wb") as messages:
            self.process = psutil.Popen(
                command, env=dict(environment), stdout=messages, stderr=messages, stdin=subprocess.DEVNULL
            )
        try:
            self._wait()
        except BaseException:
            self.kill()
            raise

    def _wait(self) -> None:
        """Until it is a part of its cluster."""
        deadline = time.monotonic() + STARTING
        while b"Ray runtime started" not in (told := self._messages.read_bytes()):
            assert self.process.poll() is None, told
            assert time.monotonic() < deadline, told
            time.sleep(0.05)

    def processes(self) -> list[psutil.Process]:
        """All processes of the node: Ray's own, and its workers."""
        with suppress(psutil.NoSuchProcess):
            return [*self.process.children(recursive=True), self.process]
        return []

    def workers(self) -> list[psutil.Process]:
        """Those that embed."""
        return [process for process in self.processes() if "MapWorker" in _title(process)]

    def kill(self) -> None:
        """End all of it at once, by SIGKILL."""
        processes = self.processes()
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes, timeout=STARTING)
        self.process.wait()


class Nodes:
    """A head and a second node.

    Attributes:
        address: of the head, for those that connect.
        head, second: the nodes.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        """Start both.

        Args:
            folder: for what Ray keeps and logs; its path must be short, since there are sockets in it.
            environment: of all processes.
        """
        self._folder, self._environment = folder, QUICK | dict(environment)
        port = free_port()
        self.address = f"127.0.0.1:{port}"
        head = ("--head", f"--port={port}", "--node-ip-address=127.0.0.1", f"--temp-dir={folder}")
        self.head = self._start(*head, "--include-dashboard=false")
        try:
            self.second = self.start_second()
        except BaseException:
            self.head.kill()
            raise

    def start_second(self) -> Node:
        """Start the second node, in the place of one that was killed."""
        self.second = self._start(f"--address={self.address}", "--node-ip-address=127.0.0.1")
        return self.second

    def close(self) -> None:
        """End both."""
        for node in (self.second, self.head):
            node.kill()

    def _start(self, *options: str) -> Node:
        return Node(*options, folder=self._folder, environment=self._environment)


def _title(process: psutil.Process) -> str:
    """What Ray calls one of its workers by."""
    with suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""
