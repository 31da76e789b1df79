"""The real app in a process of its own, for tests in a browser and for the programs beside them."""

import os
import random
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The first is the same without a window, and opens a page in two thirds of the time.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
QUIET = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-gpu",
    # A name that a stranger makes lead to this computer.
    "--host-resolver-rules=MAP rebound.test 127.0.0.1",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
STREAMLIT = ("-m", "streamlit")
# Below the ports that Linux, macOS and Windows choose for connections.
NEVER_GIVEN = range(20_000, 32_000)


@contextmanager
def serving(
    home: Path,
    *,
    command: Sequence[str] = STREAMLIT,
    environment: Mapping[str, str] | None = None,
    port: int | None = None,
) -> Iterator[str]:
    """Serve the app until the block ends; gives its address. Arguments as `running`'s."""
    with running(home, command=command, environment=environment, port=port) as (url, _):
        yield url


@contextmanager
def running(
    home: Path,
    *,
    command: Sequence[str] = STREAMLIT,
    environment: Mapping[str, str] | None = None,
    port: int | None = None,
    root: Path = ROOT,
) -> Iterator[tuple[str, int]]:
    """Serve the app until the block ends; gives its address and the number of its process.

    Args:
        home: its SIMILARITY_HOME.
        command: for Python, that does what `streamlit` does.
        environment: more of it.
        port: where; anywhere, unless it has to be known before.
        root: the checkout that is served; another one than this, to compare them.
    """
    port = port or free_port()
    options = ["--server.port", str(port), "--server.address", "127.0.0.1", "--server.headless", "true"]
    process = subprocess.Popen(
        [sys.executable, *command, "run", str(root / "streamlit_app.py"), *options],
        cwd=root,
        env=dict(os.environ) | {"SIMILARITY_HOME": str(home), "SIMILARITY_MANAGE": "local"} | dict(environment or {}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_healthy(url, process)
        yield url, process.pid
    finally:
        process.terminate()
        process.wait(10)


def free_port() -> int:
    """A port that nobody listens on, and that the system gives to no connection before it is used."""
    while True:
        port = random.SystemRandom().choice(NEVER_GIVEN)
        with socket.socket() as free, suppress(OSError):
            free.bind(("", port))
            return port


def _wait_until_healthy(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health") as response:
                assert response.read() == b"ok"
                return
        except urllib.error.URLError:
            time.sleep(0.1)
    raise RuntimeError("the app did not start")
