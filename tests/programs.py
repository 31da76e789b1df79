"""Programs that call the HTTP API, without a server between, and the server."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from commands import started
from starlette.applications import Starlette
from starlette.testclient import TestClient

from similarity.api.application import create_alone
from similarity.progress import Progress
from similarity.service.jobs import Job, Task, shared_jobs

HERE, ELSEWHERE = "127.0.0.1", "203.0.113.7"


def client(address: str = HERE) -> TestClient:
    """A program that calls from an address."""
    app = application(os.environ.get("SIMILARITY_API_ORIGINS", ""))
    return TestClient(app, base_url="http://localhost", client=(address, 50_000), raise_server_exceptions=False)


@cache
def application(_origins: str) -> Starlette:
    """The API, which takes a while to make, and reads SIMILARITY_API_ORIGINS then."""
    return create_alone()


@contextmanager
def stalled(directory: Path, task: Task = "sync") -> Iterator[Job]:
    """A job on a gallery that is half done until the block ends, or until it is cancelled."""
    go_on, has_begun = threading.Event(), threading.Event()

    def work(job: Job) -> None:
        job.report(Progress("Indexing", 1, 2))
        has_begun.set()
        while not go_on.wait(0.02):
            job.report(Progress("Indexing", 1, 2))

    job = shared_jobs().start(directory, task, work)
    try:
        assert has_begun.wait(30)
        yield job
    finally:
        go_on.set()
        assert job.wait(30)


@contextmanager
def serving(environment: Mapping[str, str]) -> "Iterator[tuple[subprocess.Popen[str], str]]":
    """The API in a process of its own; gives it and its host and port."""
    command = [sys.executable, "-m", "similarity", "serve", "--port", "0"]
    with started(command, env=environment, stderr=subprocess.PIPE) as process:
        assert process.stderr
        listening = next((line for line in process.stderr if "Listening at" in line), "")
        assert listening, "it has ended"
        yield process, urlsplit(listening.split()[2]).netloc
