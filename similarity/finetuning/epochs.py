"""Progress of training, epoch by epoch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

# Cross-validation, which finds the best number of epochs; then training on all pictures for that number.
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
        number, of: number of the epoch, from 1, and maximum number of epochs.
        loss: the mean over its batches.
        recall: held-out recall@1, without refinement; None in the final stage.
    """

    stage: Stage
    number: int
    of: int
    loss: float
    recall: float | None = None


OnEpoch = Callable[[Epoch], None]
