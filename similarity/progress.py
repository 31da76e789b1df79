"""How far a long task is: told by the library, drawn by the command line and the app, each in its own way."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

# How often progress is told, in seconds: drawing it costs time too.
TELL_EVERY = 0.1

Unit = Literal["pictures", "files", "bytes", "epochs"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a long task is.

    Attributes:
        task: what is going on, as a person reads it.
        done: items dealt with, skipped ones included.
        total: items in all; 0 where nothing is counted.
        seconds: since the first item was taken up.
        unit: what is counted.
    """

    task: str
    done: int = 0
    total: int = 0
    seconds: float = 0.0
    unit: Unit = "pictures"

    @property
    def images_per_second(self) -> float:
        """So far."""
        return self.done / self.seconds if self.seconds else 0.0

    @property
    def seconds_left(self) -> float:
        """If it goes on like this; 0 as long as nothing is known."""
        return (self.total - self.done) * self.seconds / self.done if self.done else 0.0


OnProgress = Callable[[Progress], object]


class Reporter:
    """Tells how far it is, ten times a second and at the end."""

    def __init__(self, total: int, tell: OnProgress | None, *, task: str = "Indexing", unit: Unit = "pictures") -> None:
        self._task = task
        self._unit: Unit = unit
        self._total = total
        self._tell = tell
        self._done = 0
        self._started = time.perf_counter()
        self._reported_at = 0.0

    def advance(self, count: int) -> None:
        """So many more items have been dealt with."""
        self._done += count
        seconds = time.perf_counter() - self._started
        if self._tell and (seconds - self._reported_at >= TELL_EVERY or self._done == self._total):
            self._reported_at = seconds
            self._tell(Progress(self._task, self._done, self._total, seconds, self._unit))
