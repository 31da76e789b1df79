"""Progress of training, epoch by epoch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

# With some pictures held out, to see how good it gets; then with all of them, for as many epochs as were best.
Stage = Literal["trial", "final"]
STAGES: dict[Stage, str] = {
    "trial": "Trying it with some held out",
    "final": "Learning from all",
}


@dataclass(frozen=True, slots=True)
class Epoch:
    """A pass through all examples.

    Attributes:
        stage: trial or final.
        number, of: which, from 1, of how many at most.
        loss: the mean over its batches.
        recall: recall@1 of what is held out, nearest first by the head alone; None in the final stage.
    """

    stage: Stage
    number: int
    of: int
    loss: float
    recall: float | None = None


OnEpoch = Callable[[Epoch], None]
