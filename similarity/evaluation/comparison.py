"""Comparison of two evaluations over the same queries: which gallery is better, and whether significantly."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from similarity.errors import SearchError
from similarity.evaluation.aggregates import METRICS
from similarity.evaluation.results import Evaluation
from similarity.evaluation.significance import bootstrap, holm, mcnemar_test, sign_flip_test

# Without precision@1, which is the same as recall@1.
COMPARED = tuple(name for name in METRICS if name != "precision@1")
SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True)
class Difference:
    """A metric of two evaluations over the queries they have in common.

    Attributes:
        a, b: its value in each.
        difference: b - a.
        low, high: the 95 % confidence interval of the difference, by bootstrap over the queries.
        test: the test that gave p: McNemar's exact test of right and wrong answers, or sign flips.
        p: the p-value of the difference.
        adjusted: the p-value after Holm's correction for several metrics.
    """

    a: float
    b: float
    difference: float
    low: float
    high: float
    test: str
    p: float
    adjusted: float

    @property
    def is_significant(self) -> bool:
        """Whether the difference is significant."""
        return self.adjusted < SIGNIFICANT


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Comparison of two evaluations.

    Attributes:
        a, b: the evaluations.
        metrics: the differences, by the names in COMPARED.
        numbers_a, numbers_b: the numbers of the common queries in each evaluation, int64 (queries,).
    """

    a: Evaluation = field(repr=False)
    b: Evaluation = field(repr=False)
    metrics: dict[str, Difference]
    numbers_a: npt.NDArray[np.int64] = field(repr=False)
    numbers_b: npt.NDArray[np.int64] = field(repr=False)

    @property
    def queries(self) -> int:
        """Number of queries in common."""
        return len(self.numbers_a)

    @property
    def same_pictures(self) -> bool:
        """Whether both galleries have the same pictures and labels; if not, that affects the difference, too."""
        return self.a.contents == self.b.contents

    @property
    def cautions(self) -> list[str]:
        """Sentences about the limits of both evaluations; with any, the differences say nothing about new pictures."""
        return list(dict.fromkeys(filter(None, (self.a.caution, self.b.caution))))

    def verdict(self, metric: str) -> str:
        """The result of a metric in words."""
        if self.cautions:
            return "cannot be told"
        return _verdict(self.metrics[metric], *self.names)

    def differing(self, count: int) -> list[tuple[int, int, float]]:
        """Return the queries on which the evaluations differ most, in either direction.

        Returns:
            The query's number in a and in b, and its average precision in b minus that in a; the largest first.
        """
        gains = self._gains()
        order = np.argsort(-np.abs(gains), kind="stable")[:count]
        gained = zip(self.numbers_a[order].tolist(), self.numbers_b[order].tolist(), gains[order].tolist(), strict=True)
        return [query for query in gained if query[2]]

    def _gains(self) -> npt.NDArray[np.float64]:
        after = self.b.outcomes.average_precision[self.numbers_b]
        return np.asarray(after - self.a.outcomes.average_precision[self.numbers_a], np.float64)

    @property
    def names(self) -> tuple[str, str]:
        """The names of the two evaluations."""
        if self.a.gallery != self.b.gallery:
            return self.a.gallery, self.b.gallery
        return (
            f"{self.a.gallery} (generation {self.a.generation})",
            f"{self.b.gallery} (generation {self.b.generation})",
        )

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as JSON."""
        names = ("gallery", "generation", "model")
        named = [
            {name: getattr(evaluation, name) for name in names} | {"held_out": evaluation.held_out_json()}
            for evaluation in (self.a, self.b)
        ]
        gains = self._gains()
        return {
            "a": named[0],
            "b": named[1],
            "protocol": self.a.protocol,
            "by": self.a.by,
            "queries": self.queries,
            "same_pictures": self.same_pictures,
            "cautions": self.cautions,
            "metrics": {
                name: {
                    "a": round(difference.a, 6),
                    "b": round(difference.b, 6),
                    "difference": round(difference.difference, 6),
                    "interval": [round(difference.low, 6), round(difference.high, 6)],
                    "test": difference.test,
                    "p": None if self.cautions else difference.p,
                    "p_adjusted": None if self.cautions else difference.adjusted,
                    "verdict": self.verdict(name),
                }
                for name, difference in self.metrics.items()
            },
            "better_in_b": int((gains > 0).sum()),
            "better_in_a": int((gains < 0).sum()),
            "as_good": int((gains == 0).sum()),
        }


def compare(a: Evaluation, b: Evaluation, *, seed: int = 0) -> Comparison:
    """Compare two evaluations over their common queries: files with the same content.

    Args:
        seed: seed of the draws for intervals and tests.

    Raises:
        SearchError: their protocols or columns differ, or they have no query in common.
    """
    if a.protocol != b.protocol:
        raise SearchError(f"These cannot be compared: their queries differ, {a.protocol} and {b.protocol}.")
    if a.by != b.by:
        raise SearchError(
            f"These cannot be compared: in one a right result has the same {a.by!r}, in the other the same {b.by!r}."
        )
    _, numbers_a, numbers_b = np.intersect1d(a.sha256, b.sha256, return_indices=True)
    if not len(numbers_a):
        raise SearchError(f"{a.gallery} and {b.gallery} have no query in common, so they cannot be compared.")
    order = np.argsort(numbers_a)
    numbers_a, numbers_b = numbers_a[order], numbers_b[order]
    before = np.stack([a.values(name)[numbers_a] for name in COMPARED])
    after = np.stack([b.values(name)[numbers_b] for name in COMPARED])
    return Comparison(a, b, _differences(before, after, seed), numbers_a, numbers_b)


def _differences(before: npt.NDArray[np.float64], after: npt.NDArray[np.float64], seed: int) -> dict[str, Difference]:
    """Return the differences in all metrics; before and after are (metrics, queries)."""
    changes = after - before
    intervals = bootstrap(changes, seed=seed)
    graded = [number for number, name in enumerate(COMPARED) if not name.startswith("recall@")]
    p_values = dict(zip(graded, sign_flip_test(changes[graded], seed=seed).tolist(), strict=True))
    for number in set(range(len(COMPARED))) - set(graded):
        p_values[number] = mcnemar_test(before[number] > 0, after[number] > 0)
    adjusted = holm({name: p_values[number] for number, name in enumerate(COMPARED)})
    differences = {}
    for number, name in enumerate(COMPARED):
        low, high = intervals[number].tolist()
        differences[name] = Difference(
            a=float(before[number].mean()),
            b=float(after[number].mean()),
            difference=float(changes[number].mean()),
            low=low,
            high=high,
            test="sign flips" if number in graded else "McNemar",
            p=p_values[number],
            adjusted=adjusted[name],
        )
    return differences


def _verdict(difference: Difference, a: str, b: str) -> str:
    if not difference.is_significant:
        return "cannot be told apart"
    return f"{b if difference.difference > 0 else a} is better"
