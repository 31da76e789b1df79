"""Records of the findings of an evaluation."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from similarity.evaluation.metrics import Values
from similarity.sources import Item


@dataclass(frozen=True, slots=True)
class Estimate:
    """A metric: its value for the queries, with its 95 % confidence interval.

    Attributes:
        value: the mean over the queries.
        low, high: the ends of the bootstrap interval, see `resampling.bootstrap`.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class LabelResult:
    """The metrics over the queries of one label.

    Attributes:
        queries: how many there are.
        pictures: how many pictures of the gallery have it.
    """

    label: str
    queries: int
    pictures: int
    recall_1: float
    recall_10: float
    precision_10: float
    map_r: float


@dataclass(frozen=True, slots=True)
class Confusion:
    """Queries of one label whose first hit is of another.

    Attributes:
        label: of the queries.
        taken_for: of their first hits; empty where these have none.
        count: how many queries.
    """

    label: str
    taken_for: str
    count: int


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """A histogram of the scores of the first ten hits.

    Attributes:
        edges: of the bins, float64 (bins + 1,).
        right, wrong: how many right and wrong hits each bin has, int64 (bins,).
    """

    edges: Values
    right: npt.NDArray[np.int64]
    wrong: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Counts of pictures that could not be queries.

    Attributes:
        unlabelled: nothing says what would be right.
        unanswerable: no other picture of the gallery has the label.
        unreadable: the file cannot be used.
        repeated: the file has the very content of another query.
    """

    unlabelled: int = 0
    unanswerable: int = 0
    unreadable: int = 0
    repeated: int = 0

    @property
    def total(self) -> int:
        """Number of all of them."""
        return self.unlabelled + self.unanswerable + self.unreadable + self.repeated

    def __str__(self) -> str:
        """A description in words, without counts of zero."""
        counts = {
            "without a label": self.unlabelled,
            "with a label that no other picture has": self.unanswerable,
            "that cannot be read": self.unreadable,
            "with the content of another query": self.repeated,
        }
        return ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)


@dataclass(frozen=True, slots=True)
class Answer:
    """A hit, and whether it is right."""

    rank: int
    score: float
    item: Item
    label: str
    is_right: bool


@dataclass(frozen=True, slots=True)
class Case:
    """A query with its first ten hits.

    Attributes:
        number: of the query in its evaluation.
        label: of the query.
        relevant: how many right pictures there are to be found.
        first_right: the rank of the first of them.
        average_precision: at R.
        answers: best first.
    """

    number: int
    item: Item
    label: str
    relevant: int
    first_right: int
    average_precision: float
    answers: tuple[Answer, ...]
