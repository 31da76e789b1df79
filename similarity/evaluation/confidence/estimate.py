"""Probabilities that the hits of one search are right."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from similarity.evaluation.confidence.calibration import Calibration, count_votes
from similarity.search import Hit

# Below this probability a hit is more likely wrong than right.
RATHER_RIGHT = 0.5


@dataclass(frozen=True, slots=True)
class Chances:
    """Estimates the probability that a hit is right, from the first hits of a search without filters.

    Attributes:
        calibration: the calibration of the gallery.
        votes: the vote of the first hits for each label.
        same: ids of pictures that are the query itself, which have no probability.
    """

    calibration: Calibration
    votes: dict[str, float]
    same: Collection[str]

    def of(self, hit: Hit) -> float | None:
        """Return the probability that a hit is right, in 0..1; None if it has no label, or is the query itself."""
        if (vote := self._vote(hit)) is None:
            return None
        return float(self.calibration.probability(hit.score, vote))

    def is_sure(self, hit: Hit, precision: float) -> bool:
        """Whether first hits with at least the evidence of this one have this precision.

        In a gallery where most first hits are right, 80 % precision admits even unlikely ones; so each hit must also be
        more likely right than wrong.
        """
        vote, start = self._vote(hit), self.calibration.threshold(precision)
        if vote is None or start is None or (self.of(hit) or 0.0) < RATHER_RIGHT:
            return False
        return bool(self.calibration.weigh(hit.score, vote) >= start)

    def best(self, hits: Sequence[Hit]) -> Hit | None:
        """Return the first hit that is not the query itself."""
        return next((hit for hit in hits if hit.item.id not in self.same), None)

    def are_confident(self, hits: Sequence[Hit], precision: float | None = None) -> bool:
        """Whether the best hit has a precision, or, if none is given, is more likely right than wrong."""
        best = self.best(hits)
        if best is None:
            return False
        return (self.of(best) or 0.0) >= RATHER_RIGHT if precision is None else self.is_sure(best, precision)

    def _vote(self, hit: Hit) -> float | None:
        label = label_of(hit)
        return None if label is None or hit.item.id in self.same else self.votes.get(label, 0.0)


def find_chances(calibration: Calibration, voters: Sequence[Hit], *, same: Collection[str] = ()) -> Chances:
    """Return the probabilities for the hits of a query, with any filters.

    Args:
        voters: the first VOTERS hits of the query without filters, and without those in `same`.
        same: ids of pictures of the gallery that are the query itself.
    """
    labels = [label_of(hit) for hit in voters]
    numbers = {label: number for number, label in enumerate(dict.fromkeys(filter(None, labels)))}
    codes = np.array([[-1 if label is None else numbers[label] for label in labels]], np.int64)
    votes = count_votes(np.array([[hit.score for hit in voters]]), codes)[0].tolist()
    return Chances(calibration, {label: vote for label, vote in zip(labels, votes, strict=True) if label}, set(same))


def label_of(hit: Hit) -> str | None:
    """Return the label of a hit; if it has none, that of an exact copy."""
    return next(iter(hit.item.labels), None)


def percent(chance: float) -> str:
    """Return a probability in per cent as text, which never says 0 or 100 %."""
    if chance >= 0.995:
        return "> 99 %"
    return "< 1 %" if chance < 0.005 else f"{chance:.0%}".replace("%", " %")
