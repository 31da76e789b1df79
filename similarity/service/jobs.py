"""Jobs: tasks on galleries that go on in the background, and can be watched and cancelled from anywhere.

A job that is cancelled ends at the next progress it tells; the gallery is as it was then, and what was embedded is kept
for the next run. Jobs that embed or train take turns, because one of them uses the whole computer.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from similarity.errors import GalleryBusyError, SimilarityError
from similarity.progress import Progress
from similarity.service.singleton import singleton
from similarity.storage.manifest import Manifest, Report
from similarity.vectors.heads import Head

Task = Literal["index", "add", "sync", "remove", "rebuild", "verify", "restore", "delete", "finetune", "keep", "drop"]
State = Literal["waiting", "running", "done", "failed", "cancelled"]
# What a job found out: a run's report, what the gallery is then, or a head that is to be kept or discarded.
Result = Report | Manifest | Head | None

KEPT = 20
UNEXPECTED = "Something unexpected went wrong ({}). The gallery is as it was; the log of the app has the detail."

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Status:
    """How a job is.

    Attributes:
        state: waiting (for its turn), running, done, failed or cancelled.
        progress: the latest, if it has told any.
        result: of a job that is done.
        error: one sentence, of a job that failed.
        ended: when, in seconds since 1970; 0 before that.
    """

    state: State = "waiting"
    progress: Progress | None = None
    result: Result = None
    error: str = ""
    ended: float = 0.0


class CancelledError(BaseException):
    """Ends a job; not an Exception, so that nothing on the way takes it for a failure and goes on."""


class Job:
    """One task on one gallery. Safe to share between threads.

    Attributes:
        number: of this job; later ones have higher numbers.
        directory: of the gallery.
        task: what it does.
        work: what is called in the background.
        started: when, in seconds since 1970.
    """

    def __init__(self, number: int, directory: Path, task: Task, work: "Work", turns: "Turns") -> None:
        self.number = number
        self.directory = directory
        self.task = task
        self.work = work
        self.started = time.time()
        self._turns = turns
        self._status = Status()
        self._cancelled = threading.Event()
        self._ended = threading.Event()

    @property
    def status(self) -> Status:
        """How it is at this moment."""
        return self._status

    @property
    def is_active(self) -> bool:
        """Whether it has not ended."""
        return not self._ended.is_set()

    @property
    def is_cancelled(self) -> bool:
        """Whether it was asked to end; it does soon, unless it is nearly done."""
        return self._cancelled.is_set()

    @property
    def is_undecided(self) -> bool:
        """Whether it has made a head that nobody has kept or discarded yet."""
        return isinstance(self._status.result, Head)

    def cancel(self) -> None:
        """Ask it to end."""
        self._cancelled.set()
        self._turns.look_again()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it has ended; whether it has."""
        return self._ended.wait(timeout)

    def tell(self, progress: Progress) -> None:
        """Note how far it is; for its work. Raises CancelledError if it was cancelled."""
        if self.is_cancelled:
            raise CancelledError
        self._status = replace(self._status, progress=progress)

    def counter(self, task: str, unit: Literal["bytes", "files"]) -> Callable[[int, int], None]:
        """A callback that takes what is done and what there is in all, and tells it."""
        started = time.perf_counter()
        return lambda done, total: self.tell(Progress(task, done, total, time.perf_counter() - started, unit))

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until no other job embeds or trains, and let none until the block ends. Raises CancelledError."""
        with self._turns.queued(self) as wait:
            self._status = replace(self._status, state="waiting")
            wait()
            self._status = replace(self._status, state="running")
            yield

    def run(self) -> None:
        """Do the work and note how it ended; for the thread that it has."""
        self._status = replace(self._status, state="running")
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
        self._ended.set()


Work = Callable[[Job], Result]


class Turns:
    """A queue of which the first one may work."""

    def __init__(self) -> None:
        self._queue: deque[Job] = deque()
        self._changed = threading.Condition()

    def look_again(self) -> None:
        """Somebody in the queue was cancelled."""
        with self._changed:
            self._changed.notify_all()

    @contextmanager
    def queued(self, job: Job) -> Iterator[Callable[[], None]]:
        """Be in the queue; gives a function that returns when it is one's turn, or raises CancelledError."""

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
    """The jobs of this process: those that go on, and those that ended until somebody has taken note. Thread-safe."""

    def __init__(self) -> None:
        self._jobs: list[Job] = []
        self._started = 0
        self._turns = Turns()
        self._lock = threading.Lock()

    def start(self, directory: Path, task: Task, work: Work) -> Job:
        """Begin a task; raises GalleryBusyError if another one goes on in the same gallery.

        It takes the place of those that ended in this gallery; a head that was trained stays to be decided about, until
        another one is trained or the gallery is deleted.
        """
        stays = task not in ("finetune", "delete")
        with self._lock:
            if any(job.is_active and job.directory == directory for job in self._jobs):
                raise GalleryBusyError(
                    f"Something is being done with the gallery {directory.name} already: wait for it, or cancel it."
                )
            self._started += 1
            job = Job(self._started, directory, task, work, self._turns)
            others = [one for one in self._jobs if one.directory != directory or (stays and one.is_undecided)]
            ended = [one for one in others if not one.is_active and not one.is_undecided]
            self._jobs = [one for one in others if one not in ended[: max(0, len(ended) - KEPT + 1)]] + [job]
        try:
            threading.Thread(target=job.run, name=f"{task} {directory.name}", daemon=True).start()
        except RuntimeError as error:
            self.dismiss(job, even_active=True)
            raise GalleryBusyError("This computer is too busy for one more task: try again later.") from error
        return job

    def listed(self) -> list[Job]:
        """All of them, oldest first."""
        with self._lock:
            return list(self._jobs)

    def active(self, directory: Path) -> Job | None:
        """What goes on in a gallery."""
        return next((job for job in self.listed() if job.is_active and job.directory == directory), None)

    def dismiss(self, job: Job, *, even_active: bool = False) -> None:
        """Forget one that has ended."""
        with self._lock:
            self._jobs = [one for one in self._jobs if one is not job or (one.is_active and not even_active)]


@singleton
def shared_jobs() -> Jobs:
    """Return the jobs of this process, which every visitor sees, whoever has started them."""
    return Jobs()
