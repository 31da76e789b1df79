"""Tasks that are timed in turns, so that whatever disturbs a computer disturbs all of them alike."""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from similarity.progress import OnProgress, Progress


@dataclass(frozen=True, slots=True)
class Task:
    """A timed task.

    Attributes:
        run: does it once.
        amount: how many pictures, queries or the like it deals with.
    """

    run: Callable[[], object]
    amount: int = 1


def in_turns(tasks: Mapping[str, Task], rounds: int, report_progress: OnProgress) -> dict[str, list[float]]:
    """Return for each task the seconds of each round; a round before them warms up."""
    seconds: dict[str, list[float]] = defaultdict(list)
    total = (rounds + 1) * len(tasks)
    for turn in range(rounds + 1):
        for number, (name, task) in enumerate(tasks.items()):
            report_progress(Progress("Measuring", done=turn * len(tasks) + number, total=total))
            started = time.perf_counter()
            task.run()
            if turn:
                seconds[name].append(time.perf_counter() - started)
    return dict(seconds)
