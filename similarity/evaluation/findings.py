"""Records of the findings of an evaluation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from similarity.evaluation.confidence.reliability import Reliability
from similarity.evaluation.metrics import Values
from similarity.sources import Item


@dataclass(frozen=True, slots=True)
class Estimate:
    """A metric: its value for the queries, with its 95 % confidence interval.

    Attributes:
        value: the mean over the queries.
        low, high: the ends of the bootstrap interval, see `significance.bootstrap`.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class LabelResult:
    """The metrics over the queries of one label.

    Attributes:
        queries: number of queries with the label.
        pictures: number of pictures of the gallery with the label.
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
    """Queries of one label whose first hits have another.

    Attributes:
        label: the label of the queries.
        taken_for: the label of their first hits; empty if these have none.
        count: number of queries.
    """

    label: str
    taken_for: str
    count: int


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """A histogram of the scores of the first ten hits.

    Attributes:
        edges: edges of the bins, float64 (bins + 1,).
        right, wrong: number of right and wrong hits in each bin, int64 (bins,).
    """

    edges: Values
    right: npt.NDArray[np.int64]
    wrong: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Counts of pictures that could not be queries.

    Attributes:
        unlabelled: pictures without a label.
        unanswerable: pictures whose label no other picture of the gallery has.
        unreadable: files that cannot be used.
        repeated: files with the same content as another query.
    """

    unlabelled: int = 0
    unanswerable: int = 0
    unreadable: int = 0
    repeated: int = 0

    @property
    def total(self) -> int:
        """Number of pictures left out."""
        return self.unlabelled + self.unanswerable + self.unreadable + self.repeated

    def __str__(self) -> str:
        """A description in words, without counts of zero."""
        counts = {
            "without a label": self.unlabelled,
            "with a label that no other picture has": self.unanswerable,
            "that cannot be read": self.unreadable,
            "with the content of another query": self.repeated,
        }
        return ", ".join(f"{count:,} {reason}" for reason, count in counts.items() if count)


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
        number: the number of the query in its evaluation.
        item: the query picture.
        label: its label.
        relevant: number of right pictures in the gallery.
        first_right: rank of the first right hit.
        average_precision: average precision at R.
        answers: the hits, best first.
    """

    number: int
    item: Item
    label: str
    relevant: int
    first_right: int
    average_precision: float
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True, eq=False)
class StrangerResults:
    """The answers of a gallery to strangers.

    Attributes:
        name: of their source.
        pictures: how many there are.
        auroc: area under the ROC curve of the cosine to the nearest picture, which tells the queries of the gallery's
            kinds from strangers; 1 if each of them is nearer than every stranger.
        nothing_like: share of strangers that look like nothing in the gallery.
        own_nothing_like: share of the queries of its kinds that do.
        likely: share of strangers with a hit that is called at least 80 % likely; None if no hit has a probability.
        confident: share of strangers with a hit that counts as confident, by the precision that is asked for; empty
            if no hit has a probability.
        reliability: of probabilities where that share of the queries are strangers; empty without
            enough queries of the gallery's kinds.
    """

    name: str
    pictures: int
    auroc: float
    nothing_like: float
    own_nothing_like: float
    likely: float | None
    confident: Mapping[float, float]
    reliability: Mapping[float, Reliability]

    def to_json(self) -> dict[str, Any]:
        """Return them as JSON."""
        return {
            "source": self.name,
            "pictures": self.pictures,
            "auroc": round(self.auroc, 6),
            "looks_like_nothing": round(self.nothing_like, 6),
            "own_looks_like_nothing": round(self.own_nothing_like, 6),
            "likely_80": None if self.likely is None else round(self.likely, 6),
            "false_confidence": {f"{precision:g}": round(share, 6) for precision, share in self.confident.items()},
            "ece": {f"{share:g}": round(mixed.error, 6) for share, mixed in self.reliability.items()},
            "calibration": {f"{share:g}": mixed.to_json() for share, mixed in self.reliability.items()},
        }
