"""Jobs: tasks on galleries that run in the background, and can be watched and cancelled from anywhere.

A cancelled job ends when it next reports progress; the gallery is then as it was before, and embeddings made so far are
kept for the next run. Jobs that embed or train take turns, because one of them uses the whole computer.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from similarity.errors import GalleryBusyError, QuotaError, SimilarityError
from similarity.progress import Progress
from similarity.service import audit
from similarity.service.singleton import singleton
from similarity.storage.manifest import Manifest, Report
from similarity.vectors.heads import Head

Task = Literal[
    "index",
    "add",
    "sync",
    "remove",
    "relabel",
    "rebuild",
    "rename",
    "verify",
    "restore",
    "forget",
    "collect",
    "delete",
    "finetune",
    "keep",
    "drop",
]
State = Literal["waiting", "running", "done", "failed", "cancelled"]
# The result of a job: a report, the gallery's new manifest, or a head to keep or discard.
Result = Report | Manifest | Head | None

MAX_JOBS = 20
# Each that waits or runs has a thread, and perhaps uploads on the disk.
MOST_ACTIVE = 50
NOBODY = audit.Actor()
# Tasks that change nothing, whose jobs are not in the record of changes.
HARMLESS = ("verify", "finetune")
UNEXPECTED = "Something unexpected went wrong ({}). The gallery is as it was; the log of the app has the detail."

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Status:
    """The state of a job at one moment.

    Attributes:
        state: waiting (for its turn), running, done, failed or cancelled.
        progress: the latest that was reported, if any.
        result: the result of a job that is done.
        error: a sentence, of a job that failed.
        ended: time of its end, in seconds since 1970; 0 before that.
    """

    state: State = "waiting"
    progress: Progress | None = None
    result: Result = None
    error: str = ""
    ended: float = 0.0


class CancelledError(BaseException):
    """Raised inside a cancelled job; not an Exception, so that no handler mistakes it for a failure."""


class Job:
    """One task on one gallery. Safe to share between threads.

    Attributes:
        number: its number; later jobs have higher numbers, also after a restart.
        directory: the gallery's folder.
        task: the kind of task.
        work: called in the background.
        started: time of its start, in seconds since 1970.
        by: who started it.
    """

    def __init__(
        self, number: int, directory: Path, task: Task, work: "Work", turns: "JobQueue", by: audit.Actor
    ) -> None:
        self.number = number
        self.directory = directory
        self.task = task
        self.work = work
        self.started = time.time()
        self.by = by
        self._turns = turns
        self._status = Status()
        self._cancelled = threading.Event()
        self._ended = threading.Event()

    @property
    def status(self) -> Status:
        """The state at this moment."""
        return self._status

    @property
    def is_active(self) -> bool:
        """Whether it has not ended."""
        return not self._ended.is_set()

    @property
    def is_cancelled(self) -> bool:
        """Whether it was cancelled; it ends soon then, unless it is nearly done."""
        return self._cancelled.is_set()

    @property
    def is_undecided(self) -> bool:
        """Whether it has trained a head that was neither kept nor discarded yet."""
        return isinstance(self._status.result, Head)

    def cancel(self, by: audit.Actor = NOBODY) -> None:
        """Cancel it for somebody; it ends when it next reports progress."""
        if not self.is_cancelled:
            self._record("cancelling", by)
        self._cancelled.set()
        self._turns.wake()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it has ended; returns whether it has."""
        return self._ended.wait(timeout)

    def report(self, progress: Progress) -> None:
        """Report progress; called by its work. Raises CancelledError if the job was cancelled."""
        if self.is_cancelled:
            raise CancelledError
        self._status = replace(self._status, progress=progress)

    def counter(self, task: str, unit: Literal["bytes", "files"]) -> Callable[[int, int], None]:
        """Return a callback that takes the number done and the total, and reports them as progress."""
        started = time.perf_counter()
        return lambda done, total: self.report(Progress(task, done, total, time.perf_counter() - started, unit))

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until no other job embeds or trains, and hold the turn during the block; raises CancelledError."""
        with self._turns.queued(self) as wait:
            self._status = replace(self._status, state="waiting")
            wait()
            self._status = replace(self._status, state="running")
            yield

    def run(self) -> None:
        """Do the work and store its outcome; called in the job's own thread."""
        self._status = replace(self._status, state="running")
        self._record("started")
        try:
            self._end("done", result=self.work(self))
        except CancelledError:
            self._end("cancelled")
        except SimilarityError as error:
            logger.warning("%s of %s failed: %s", self.task, self.directory, error)
            self._end("failed", error=str(error))
        except BaseException as error:  # the thread's outermost edge
            logger.exception("%s of %s failed", self.task, self.directory)
            self._end("failed", error=UNEXPECTED.format(type(error).__name__))

    def _end(self, state: State, *, result: Result = None, error: str = "") -> None:
        self._status = replace(self._status, state=state, result=result, error=error, ended=time.time())
        self._record(state)
        self._ended.set()

    def _record(self, outcome: str, by: audit.Actor | None = None) -> None:
        if self.task not in HARMLESS:
            audit.record(by or self.by, self.task, outcome, gallery=self.directory.name, job=self.number)


Work = Callable[[Job], Result]


class JobQueue:
    """A queue of jobs, of which the first may work."""

    def __init__(self) -> None:
        self._queue: deque[Job] = deque()
        self._changed = threading.Condition()

    def wake(self) -> None:
        """Wake the waiting jobs, since one was cancelled."""
        with self._changed:
            self._changed.notify_all()

    @contextmanager
    def queued(self, job: Job) -> Iterator[Callable[[], None]]:
        """Stand in the queue during the block; yields a function that waits for the turn, or raises CancelledError."""

        def wait() -> None:
            with self._changed:
                self._changed.wait_for(lambda: self._queue[0] is job or job.is_cancelled)
            if job.is_cancelled:
                raise CancelledError

        with self._changed:
            self._queue.append(job)
        try:
            yield wait
        finally:
            with self._changed:
                self._queue.remove(job)
                self._changed.notify_all()


class Jobs:
    """The running jobs of this process, and the ended ones until they are dismissed. Safe to share between threads."""

    def __init__(self) -> None:
        self._jobs: list[Job] = []
        self._latest = 0  # number
        self._turns = JobQueue()
        self._lock = threading.Lock()

    def start(self, directory: Path, task: Task, work: Work, by: audit.Actor = NOBODY) -> Job:
        """Start a task for somebody; raises as `check_free`.

        It replaces the ended jobs of this gallery; a training whose head is undecided stays until another head is
        trained or the gallery is deleted.
        """
        stays = task not in ("finetune", "delete")
        with self._lock:
            _check_free(self._jobs, directory)
            # In milliseconds since 1970, so that who asks for a job of before a restart is not told of another one.
            self._latest = max(self._latest + 1, time.time_ns() // 10**6)
            job = Job(self._latest, directory, task, work, self._turns, by)
            others = [other for other in self._jobs if other.directory != directory or (stays and other.is_undecided)]
            ended = [other for other in others if not other.is_active and not other.is_undecided]
            self._jobs = [other for other in others if other not in ended[: max(0, len(ended) - MAX_JOBS + 1)]] + [job]
        try:
            threading.Thread(target=job.run, name=f"{task} {directory.name}", daemon=True).start()
        except RuntimeError as error:
            self.dismiss(job, even_active=True)
            raise GalleryBusyError("This computer is too busy for one more task: try again later.") from error
        return job

    def check_free(self, directory: Path) -> None:
        """Check that a task could start, before anything is made ready for it.

        Raises:
            GalleryBusyError: another task runs in the same gallery. QuotaError: very many run or wait in all.
        """
        _check_free(self.listed(), directory)

    def listed(self) -> list[Job]:
        """Return all jobs, oldest first."""
        with self._lock:
            return list(self._jobs)

    def active(self, directory: Path) -> Job | None:
        """Return the running job of a gallery, if any."""
        return next((job for job in self.listed() if job.is_active and job.directory == directory), None)

    def dismiss(self, job: Job, *, even_active: bool = False) -> None:
        """Forget a job that has ended."""
        with self._lock:
            self._jobs = [other for other in self._jobs if other is not job or (other.is_active and not even_active)]


def _check_free(jobs: Iterable[Job], directory: Path) -> None:
    active = [job for job in jobs if job.is_active]
    if len(active) >= MOST_ACTIVE:
        raise QuotaError(f"{len(active)} tasks are running or waiting: wait until some have ended.")
    if any(job.directory == directory for job in active):
        raise GalleryBusyError(f"Another task is running on the gallery {directory.name}: wait for it, or cancel it.")


@singleton
def shared_jobs() -> Jobs:
    """Return the jobs of this process, which all visitors see."""
    return Jobs()
