"""Progress of a long task, reported by the library and drawn by the command line and the app."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

# Seconds between two reports: drawing them costs time too.
REPORT_EVERY = 0.1
# An estimate of the time left is steady after so many seconds, or already after a few with this share of all done.
STEADY_SECONDS, FEW_SECONDS, STEADY_SHARE = 30.0, 4.0, 0.15
# The task of embedding the pictures of a source.
INDEXING = "Indexing"

Unit = Literal["pictures", "files", "bytes", "epochs"]


@dataclass(frozen=True, slots=True)
class Progress:
    """The state of a long task.

    Attributes:
        task: its description for people.
        done: items processed, skipped ones included.
        total: items in all; 0 if nothing is counted.
        seconds: since the start.
        unit: the kind of items.
    """

    task: str
    done: int = 0
    total: int = 0
    seconds: float = 0.0
    unit: Unit = "pictures"

    @property
    def images_per_second(self) -> float:
        """Average speed so far."""
        return self.done / self.seconds if self.seconds else 0.0

    @property
    def seconds_left(self) -> float:
        """Estimate at the average speed so far; 0 before the first item."""
        return (self.total - self.done) * self.seconds / self.done if self.done else 0.0

    @property
    def is_steady(self) -> bool:
        """Whether the speed so far says how long the rest takes: the first pictures take many times as long."""
        enough = FEW_SECONDS if self.done >= STEADY_SHARE * self.total else STEADY_SECONDS
        return 0 < self.done < self.total and self.seconds >= enough


OnProgress = Callable[[Progress], object]


class Reporter:
    """Reports progress, ten times a second and at the end."""

    def __init__(
        self, total: int, on_progress: OnProgress | None, *, task: str = INDEXING, unit: Unit = "pictures"
    ) -> None:
        self._task = task
        self._unit: Unit = unit
        self._total = total
        self._on_progress = on_progress
        self._done = 0
        self._started = time.perf_counter()
        self._reported_at = 0.0

    def advance(self, count: int) -> None:
        """Count more items as processed."""
        self._done += count
        seconds = time.perf_counter() - self._started
        if self._on_progress and (seconds - self._reported_at >= REPORT_EVERY or self._done == self._total):
            self._reported_at = seconds
            self._on_progress(Progress(self._task, self._done, self._total, seconds, self._unit))
