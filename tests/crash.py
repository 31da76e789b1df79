"""What the tests of crashes run in processes of their own: one task on a gallery, killed where they say.

A process counts its steps, which are all the file operations in the gallery's folder that Python knows of, the disk's
confirmations, and each embedding that is kept. It kills itself with SIGKILL just before the step that it was told.
"""

import hashlib
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas  # noqa: F401 - pyarrow imports it when it writes: a quarter of a second, here before the fork
import standin

from similarity.gallery import Gallery, restore
from similarity.indexing import operations
from similarity.indexing.options import IndexOptions
from similarity.indexing.relabelling import relabel
from similarity.service import tasks
from similarity.service.jobs import Jobs
from similarity.service.renaming import Renaming
from similarity.sources import open_source
from similarity.storage.current import exists
from similarity.storage.generations import read_generation
from similarity.storage.journal import Journal

WATCHED = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "sqlite3.connect"}
NEVER = 1 << 30


class Steps:
    """Counts, and kills at its time."""

    def __init__(self, directory: Path, kill_at: int) -> None:
        self.taken: list[str] = []
        self._directory = str(directory)
        self._kill_at = kill_at

    def take(self, what: str) -> None:
        if len(self.taken) == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        self.taken.append(what)

    def hook(self, event: str, arguments: tuple[object, ...]) -> None:
        in_the_folder = any(isinstance(one, str) and one.startswith(self._directory) for one in arguments)
        in_an_open_folder = event in ("os.remove", "os.rmdir") and arguments[1] != -1  # as `shutil.rmtree` does it
        if event in WATCHED and (in_the_folder or in_an_open_folder):
            self.take(f"{event} {arguments}")

    def before(self, function: Callable[..., object]) -> Callable[..., object]:
        def counted(*arguments: object, **options: object) -> object:
            self.take(function.__name__)
            return function(*arguments, **options)

        return counted


def run(task: str, directory: Path, source: Path, answer: Path, kill_at: int = NEVER) -> None:
    """Index, add, sync or relabel, and write the report and the steps to a file."""
    os.environ["SIMILARITY_EARLIER_STATES"] = "1"  # so that a task has a generation to take away
    standin.use_standin()
    steps = Steps(directory, kill_at)
    sys.addaudithook(steps.hook)
    os.fsync = steps.before(os.fsync)  # type: ignore
    Journal.add = steps.before(Journal.add)  # type: ignore
    listed = open_source(source)
    if task in ("index", "index-set"):
        shards = 3 if task == "index-set" else None
        report, _ = operations.index(listed, directory, IndexOptions(standin.CHOICE, shards=shards))
    elif task == "rebalance":
        report = operations.rebalance(directory, 5)
    elif task == "relabel":
        report = relabel(directory, {"a/1.jpg": "other", "b/2.jpg": "b"})
    else:
        report = operations.update(task.removesuffix("-set"), listed, directory, standin.load)
    taken = list(steps.taken)
    answer.write_text(json.dumps({"embedded": report.embedded, "resumed": report.resumed, "steps": taken}))


def go_back(directory: Path) -> None:
    """Restore a gallery."""
    restore(directory)


def do(what: str, directory: Path, name: str, answer: Path, kill_at: int = NEVER) -> None:
    """Do a job on a gallery of SIMILARITY_HOME, which gives it or a collection of it a name; write down the steps."""
    home = directory.parents[1]
    os.environ["SIMILARITY_HOME"] = str(home)
    steps = Steps(home, kill_at)
    named = directory.with_name(name)
    works = {
        "rename": lambda: Renaming(directory, name),
        "collect": lambda: tasks.collect(directory, [item.id for item in read_generation(directory).items][:2], named),
        "forget": lambda: tasks.forget_other_states(directory),
    }
    work: Any = works[what]()
    sys.addaudithook(steps.hook)
    os.fsync = steps.before(os.fsync)  # type: ignore
    task: Any = what
    job = Jobs().start(named if what == "collect" else directory, task, work)
    job.wait(30)
    answer.write_text(json.dumps({"state": job.status.state, "error": job.status.error, "steps": list(steps.taken)}))


def look(directory: Path, answer: Path) -> None:
    """Open a gallery in this process, verify it, and write down what it is to the last bit."""
    if directory.parent.name == "galleries":  # its uploads are in its own home
        os.environ["SIMILARITY_HOME"] = str(directory.parents[1])
    answer.write_text(json.dumps(state(directory)))


def look_and_resume(task: str, directory: Path, source: Path, answer: Path) -> None:
    """What a fresh process finds after a kill, and what it makes of it when it runs the same task again."""
    killed = state(directory)
    log, report = answer.with_name("embedded.log"), answer.with_name("report.json")
    log.write_text("")
    os.environ["EMBEDDED_LOG"] = str(log)
    run(task, directory, source, report)
    found = {"killed": killed, "resumed": state(directory), "embedded": log.read_text().split()}
    answer.write_text(json.dumps(found | {"report": json.loads(report.read_text())}))


def state(directory: Path) -> dict[str, object] | None:
    """All that a gallery answers with; None if there is none."""
    if not exists(directory):
        return None
    read_generation(directory, thorough=True)
    gallery = Gallery.open(directory, load=standin.load)
    items = [(item.id, item.path, item.label, item.sha256, len(item.copies)) for item in gallery.items]
    return {
        "items": items,
        "shards": len(gallery.manifest.shards),
        "vectors": hashlib.sha256(gallery.vectors[:].tobytes()).hexdigest(),
        "hits": str(standin.answers(directory)),
    }
