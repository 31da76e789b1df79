"""Probabilities that the hits of one search are right."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np

from similarity.evaluation.confidence.calibration import Calibration, count_votes, find_margins
from similarity.query.belonging import DOUBTFUL, NOTHING_LIKE, WITHOUT_DOUBT, weight
from similarity.search import Hit

# Below this probability a hit is more likely wrong than right.
RATHER_RIGHT = 0.5


@dataclass(frozen=True, slots=True)
class Chances:
    """Estimates the probability that a hit is right, from the first hits of a search without filters.

    Attributes:
        calibration: the calibration of the gallery; without one, no hit has a probability.
        votes: the vote of the first hits for each label.
        same: ids of pictures that are the query itself, which have no probability.
        rivals: the best score of the first hits of another label, for each label.
        best_score: of the first hits.
        belongs: the share of the gallery's own pictures that are no nearer to others of it than the query is, see
            `query/belonging.py`; None if that is not known.
    """

    calibration: Calibration | None
    votes: dict[str, float]
    same: Collection[str]
    rivals: dict[str, float] = field(default_factory=dict)
    best_score: float = 0.0
    belongs: float | None = None

    @property
    def is_stranger(self) -> bool:
        """Whether the query looks like nothing in the gallery, so that no hit is right."""
        return self.belongs is not None and self.belongs < NOTHING_LIKE

    @property
    def is_doubtful(self) -> bool:
        """Whether the gallery may have nothing of the query's kind, so that no hit has a probability."""
        return self.belongs is not None and self.belongs < DOUBTFUL

    def of(self, hit: Hit) -> float | None:
        """Return the probability that a hit is right, in 0..1.

        None if it has no label, or is the query itself, or if it is doubtful that the query belongs to the gallery.
        """
        if self.calibration is None or self.is_doubtful or (evidence := self._evidence(hit)) is None:
            return None
        return self.calibration.chance(evidence) * (1.0 if self.belongs is None else weight(self.belongs))

    def is_sure(self, hit: Hit, precision: float) -> bool:
        """Whether first hits with at least the evidence of this one have this precision.

        In a gallery where most first hits are right, 80 % precision admits even unlikely ones; so each hit must also be
        more likely right than wrong. Where it is doubtful that the query belongs to the gallery, no hit is sure.
        """
        evidence, start = self._evidence(hit), self.threshold(precision)
        if evidence is None or start is None or (self.of(hit) or 0.0) < RATHER_RIGHT:
            return False
        return evidence >= start and (self.belongs is None or self.belongs >= WITHOUT_DOUBT)

    def threshold(self, precision: float) -> float | None:
        """Return the lowest evidence at which first hits have at least this precision; None if there is none."""
        return self.calibration.threshold(precision) if self.calibration else None

    def best(self, hits: Sequence[Hit]) -> Hit | None:
        """Return the first hit that is not the query itself."""
        return next((hit for hit in hits if hit.item.id not in self.same), None)

    def are_confident(self, hits: Sequence[Hit], precision: float | None = None) -> bool:
        """Whether the best hit has a precision, or, if none is given, is more likely right than wrong."""
        best = self.best(hits)
        if best is None:
            return False
        return (self.of(best) or 0.0) >= RATHER_RIGHT if precision is None else self.is_sure(best, precision)

    def _evidence(self, hit: Hit) -> float | None:
        label = label_of(hit)
        if self.calibration is None or label is None or hit.item.id in self.same:
            return None
        margin = hit.score - self.rivals.get(label, self.best_score)
        return float(self.calibration.weigh(hit.score, self.votes.get(label, 0.0), margin))


def find_chances(
    calibration: Calibration | None, voters: Sequence[Hit], *, same: Collection[str] = (), belongs: float | None = None
) -> Chances:
    """Return the probabilities for the hits of a query, with any filters.

    Args:
        voters: the first VOTERS hits of the query without filters, and without those in `same`.
        same: ids of pictures of the gallery that are the query itself.
        belongs: the share of the gallery's own pictures that are no nearer to others of it than the query is.
    """
    labels = [label_of(hit) for hit in voters]
    numbers = {label: number for number, label in enumerate(dict.fromkeys(filter(None, labels)))}
    codes = np.array([[-1 if label is None else numbers[label] for label in labels]], np.int64)
    scores = np.array([[hit.score for hit in voters]])
    votes, margins = count_votes(scores, codes)[0].tolist(), find_margins(scores, codes)[0].tolist()
    known = [
        (label, vote, hit.score - margin)
        for label, vote, margin, hit in zip(labels, votes, margins, voters, strict=True)
        if label
    ]
    return Chances(
        calibration,
        {label: vote for label, vote, _ in known},
        set(same),
        {label: rival for label, _, rival in known},
        max((hit.score for hit in voters), default=0.0),
        belongs,
    )


def label_of(hit: Hit) -> str | None:
    """Return the label of a hit; if it has none, that of an exact copy."""
    return next(iter(hit.item.labels), None)


def percent(chance: float) -> str:
    """Return a probability in per cent as text, which never says 0 or 100 %."""
    if chance >= 0.995:
        return "> 99 %"
    return "< 1 %" if chance < 0.005 else f"{chance:.0%}".replace("%", " %")
