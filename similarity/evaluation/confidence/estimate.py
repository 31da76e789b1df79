"""Probabilities that the first hits of one search are right."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from similarity.evaluation.confidence.calibration import VOTERS, Calibration, count_votes, find_margins
from similarity.query.belonging import DOUBTFUL, NOTHING_LIKE, WITHOUT_DOUBT, weight
from similarity.search import Hit

# Below this probability a hit is more likely wrong than right.
RATHER_RIGHT = 0.5


class Withheld(StrEnum):
    """Why the hits of a search have no probabilities, which are measured for searches of another kind."""

    FILTERED = "How likely results are right is only worked out without filters."
    SEVERAL = "How likely results are right is only worked out for a search with one picture."
    KNOWN = "This picture is in the gallery, with a label: there is nothing to work out."
    MEASURING = "How likely results are right is still being worked out: search again in a while."


@dataclass(frozen=True, slots=True)
class Chances:
    """The probability of each of the first hits of a search with one picture and without filters.

    Attributes:
        calibration: the calibration of the gallery; without one, no hit has a probability.
        evidence: that of each of the first hits that have a label, by their ids.
        same: ids of pictures that are the query itself, which have no probability.
        belongs: the share of the gallery's own pictures that are no nearer to others of it than the query is, see
            `query/belonging.py`; None if that is not known.
        withheld: why hits have no probabilities; None if they can have some.
    """

    calibration: Calibration | None
    evidence: Mapping[str, float] = field(default_factory=dict)
    same: Collection[str] = ()
    belongs: float | None = None
    withheld: Withheld | None = None

    @property
    def is_stranger(self) -> bool:
        """Whether the query looks like nothing in the gallery, so that no hit is right."""
        return self.belongs is not None and self.belongs < NOTHING_LIKE

    @property
    def is_doubtful(self) -> bool:
        """Whether the gallery may have nothing of the query's kind, so that no hit has a probability."""
        return self.belongs is not None and self.belongs < DOUBTFUL

    @property
    def are_known(self) -> bool:
        """Whether hits can have a probability at all."""
        return self.calibration is not None and not self.withheld and not self.is_doubtful

    def of(self, hit: Hit) -> float | None:
        """Return the probability that a hit is right, in 0..1.

        None if it is not one of the first, has no label, or is the query itself, and if `are_known` is false.
        """
        evidence = self.evidence.get(hit.item.id)
        if self.calibration is None or not self.are_known or evidence is None:
            return None
        return self.calibration.chance(evidence) * (1.0 if self.belongs is None else weight(self.belongs))

    def is_sure(self, hit: Hit, precision: float) -> bool:
        """Whether first hits with at least the evidence of this one have this precision.

        In a gallery where most first hits are right, 80 % precision admits even unlikely ones; so each hit must also be
        more likely right than wrong. Where it is doubtful that the query belongs to the gallery, no hit is sure.
        """
        chance, start = self.of(hit), self.threshold(precision)
        if chance is None or start is None or chance < RATHER_RIGHT:
            return False
        return self.evidence[hit.item.id] >= start and (self.belongs is None or self.belongs >= WITHOUT_DOUBT)

    def threshold(self, precision: float) -> float | None:
        """Return the lowest evidence at which first hits have at least this precision; None if there is none."""
        return self.calibration.threshold(precision) if self.calibration else None

    def likeliest(self, hits: Sequence[Hit]) -> Hit | None:
        """Return the hit with the highest probability, the first of several; None if no hit has one."""
        return max((hit for hit in hits if self.of(hit) is not None), key=lambda hit: self.of(hit) or 0.0, default=None)

    def are_confident(self, hits: Sequence[Hit], precision: float) -> bool | None:
        """Whether any hit has a precision; None if that cannot be told for such a search."""
        return None if self.withheld else any(self.is_sure(hit, precision) for hit in hits)


def find_chances(
    calibration: Calibration | None,
    first: Sequence[Hit],
    *,
    same: Collection[str] = (),
    belongs: float | None = None,
    withheld: Withheld | None = None,
) -> Chances:
    """Return the probabilities for the hits of a query.

    Args:
        first: the first hits of the query without filters, more than VOTERS if some are in `same`.
        same: ids of pictures of the gallery that are the query itself.
        belongs: the share of the gallery's own pictures that are no nearer to others of it than the query is.
        withheld: why there are to be none.
    """
    voters = [hit for hit in first if hit.item.id not in same][:VOTERS]
    if calibration is None or not voters:
        return Chances(calibration, {}, set(same), belongs, withheld)
    labels = [label_of(hit) for hit in voters]
    numbers = {label: number for number, label in enumerate(dict.fromkeys(filter(None, labels)))}
    codes = np.array([[-1 if label is None else numbers[label] for label in labels]], np.int64)
    scores = np.array([[hit.score for hit in voters]])
    evidence = calibration.weigh(scores, count_votes(scores, codes), find_margins(scores, codes))[0].tolist()
    known = {hit.item.id: value for hit, value, label in zip(voters, evidence, labels, strict=True) if label}
    return Chances(calibration, known, set(same), belongs, withheld)


def label_of(hit: Hit) -> str | None:
    """Return the label of a hit; if it has none, that of an exact copy."""
    return next(iter(hit.item.labels), None)


def percent(chance: float) -> str:
    """Return a probability in per cent as text, which never says 0 or 100 %."""
    if chance >= 0.995:
        return "> 99 %"
    return "< 1 %" if chance < 0.005 else f"{chance:.0%}".replace("%", " %")
