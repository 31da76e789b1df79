"""The result of an evaluation: metrics with intervals, by label, and by query."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from similarity.evaluation.aggregates import per_query
from similarity.evaluation.confidence.reliability import Reliability
from similarity.evaluation.findings import (
    Answer,
    Case,
    Confusion,
    Estimate,
    Histogram,
    LabelResult,
    LeftOut,
    StrangerResults,
)
from similarity.evaluation.held_out import Change
from similarity.evaluation.metrics import Values
from similarity.evaluation.ranking import Codes, Outcomes
from similarity.sources import Item
from similarity.sources.base import LABEL
from similarity.text.unicode import nfc

LEAVE_ONE_OUT = "leave-one-out"


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """The evaluation of a gallery.

    Attributes:
        gallery, generation, state, model, recipe, refinement: the gallery as it was evaluated; see `Manifest`.
        pictures: number of pictures of the gallery.
        contents: a digest, which is the same for galleries with the same pictures and labels.
        protocol: leave-one-out, or the name of the source of the queries.
        by: the column in which a right hit has the query's value.
        left_out: counts of pictures that could not be queries.
        seconds: duration of the evaluation.
        metrics: the metrics, by the names in METRICS.
        per_label: the metrics of each label, in order.
        recall_curve: recall@k for k = 1..100.
        histogram: the scores of right and wrong hits.
        reliability: the reliability of probabilities, if the gallery has any; see `gallery_calibration.py`.
        confusions: the most frequent first, up to 50.
        labels: the values of the column, in order; numbers of labels below are indices into it.
        outcomes: the results of each query.
        query_labels: the label of each query, int32 (queries,).
        hit_labels: the label of its first hit; -1 for none.
        relevant: number of right pictures for each query, int32 (queries,).
        items: the query pictures, and those that were left out.
        rows: the index of each query in `items`, int64 (queries,).
        pictures_of_gallery: the items of the gallery.
        sha256: SHA-256 of each query's file, in hex, bytes (queries,).
        caution: a sentence about the limits of these metrics; usually empty.
        held_out: the metrics on pictures that were held out when its head or network was trained, before and after.
        strangers: the answers to pictures whose kind the gallery does not have, if there were any.
    """

    gallery: str
    generation: int
    state: str
    model: str
    recipe: str
    refinement: str
    pictures: int
    contents: str
    protocol: str
    by: str
    left_out: LeftOut
    seconds: float
    metrics: dict[str, Estimate]
    per_label: tuple[LabelResult, ...]
    recall_curve: Values
    histogram: Histogram
    reliability: Reliability | None
    confusions: tuple[Confusion, ...]
    labels: tuple[str, ...] = field(repr=False)
    outcomes: Outcomes = field(repr=False)
    query_labels: Codes = field(repr=False)
    hit_labels: Codes = field(repr=False)
    relevant: Codes = field(repr=False)
    items: Sequence[Item] = field(repr=False)
    rows: npt.NDArray[np.int64] = field(repr=False)
    pictures_of_gallery: Sequence[Item] = field(repr=False)
    sha256: npt.NDArray[np.bytes_] = field(repr=False)
    caution: str = ""
    held_out: tuple[Change, ...] = ()
    strangers: StrangerResults | None = None

    @property
    def queries(self) -> int:
        """Number of queries."""
        return len(self.outcomes)

    @property
    def asked(self) -> Codes:
        """Older name of `query_labels`."""
        return self.query_labels

    @property
    def found(self) -> Codes:
        """Older name of `hit_labels`."""
        return self.hit_labels

    def values(self, metric: str) -> Values:
        """Return a metric for each query, float64 (queries,)."""
        return per_query(self.outcomes, metric)

    def best(self, count: int) -> list[int]:
        """Return the numbers of the queries with the highest average precision, and then with most right pictures."""
        order = np.lexsort((-self.relevant, -self.outcomes.average_precision))
        return [int(number) for number in order[:count]]

    def worst(self, count: int) -> list[int]:
        """Return the numbers of the queries with the lowest average precision, those with a wrong first hit first."""
        first = self.outcomes.first_right
        order = np.lexsort((-first, self.outcomes.average_precision, first == 1))
        return [int(number) for number in order[:count]]

    def random(self, count: int, seed: int = 0) -> list[int]:
        """Draw the numbers of some queries without repetition; the same for the same seed."""
        drawn = np.random.default_rng(seed).choice(self.queries, min(count, self.queries), replace=False)
        return [int(number) for number in drawn]

    def cases(self, numbers: Iterable[int]) -> list[Case]:
        """Return queries with their first hits, by their numbers."""
        return [self._case(number) for number in numbers]

    def _case(self, number: int) -> Case:
        outcomes, shown = self.outcomes, self.outcomes.rows[number] >= 0
        items = [self.pictures_of_gallery[int(row)] for row in outcomes.rows[number][shown]]
        hits = zip(outcomes.scores[number].tolist(), items, outcomes.right[number].tolist(), strict=False)
        return Case(
            number=number,
            item=self.items[int(self.rows[number])],
            label=self.labels[self.query_labels[number]],
            relevant=int(self.relevant[number]),
            first_right=int(outcomes.first_right[number]),
            average_precision=float(outcomes.average_precision[number]),
            answers=tuple(
                Answer(rank, score, item, label_of(item, self.by) or "", is_right)
                for rank, (score, item, is_right) in enumerate(hits, start=1)
            ),
        )

    def confusion_matrix(self, most: int = 12) -> tuple[list[str], npt.NDArray[np.int64]]:
        """Return the confusion matrix of queries and first hits, for the most frequent labels.

        Returns:
            The m labels with most queries, in order; and int64 (m, m + 1), with a row for each label of the queries, a
            column for each label of first hits, and a last column for other labels and none.
        """
        counts = np.bincount(self.query_labels, minlength=len(self.labels))
        chosen = np.sort(np.argsort(-counts, kind="stable")[: min(most, int((counts > 0).sum()))])
        place = np.full(len(self.labels) + 1, len(chosen))  # the last one is of -1, no label
        place[chosen] = np.arange(len(chosen))
        table = np.zeros((len(chosen) + 1, len(chosen) + 1), np.int64)
        np.add.at(table, (place[self.query_labels], place[self.hit_labels]), 1)
        return [self.labels[code] for code in chosen], table[:-1]

    def held_out_json(self) -> dict[str, dict[str, float]]:
        """Return the metrics on held-out pictures as JSON."""
        return {
            change.name: {"before": round(change.before, 6), "after": round(change.after, 6)}
            for change in self.held_out
        }

    def to_json(self) -> dict[str, Any]:
        """Return the evaluation without single queries, as JSON."""
        names = {"recall_1": "recall@1", "recall_10": "recall@10", "precision_10": "precision@10", "map_r": "map@r"}
        labels = [
            {"label": result.label, "queries": result.queries, "pictures": result.pictures}
            | {name: round(getattr(result, key), 6) for key, name in names.items()}
            for result in self.per_label
        ]
        intervals = {name: [round(metric.low, 6), round(metric.high, 6)] for name, metric in self.metrics.items()}
        named = ("gallery", "generation", "model", "protocol", "by", "queries")
        return (
            {name: getattr(self, name) for name in named}
            | {"left_out": self.left_out.total, "seconds": round(self.seconds, 3)}
            | {name: round(estimate.value, 6) for name, estimate in self.metrics.items()}
            | {
                "intervals": intervals,
                "labels": labels,
                "confusions": [
                    {"label": pair.label, "taken_for": pair.taken_for, "count": pair.count} for pair in self.confusions
                ],
                "recall_curve": [round(float(value), 6) for value in self.recall_curve],
                "pictures": self.pictures,
                "recipe": self.recipe,
                "refinement": self.refinement,
                "caution": self.caution,
                "ece": None if self.reliability is None else round(self.reliability.error, 6),
                "calibration": None if self.reliability is None else self.reliability.to_json(),
                "held_out": self.held_out_json(),
                "strangers": None if self.strangers is None else self.strangers.to_json(),
            }
        )


def label_of(item: Item, by: str) -> str | None:
    """Return the value of a picture in a column; a picture without a label takes that of an exact copy."""
    return (next(iter(item.labels), None) if by == LABEL else item.metadata.get(nfc(by))) or None
