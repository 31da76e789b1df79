"""How likely the hits of one search are of the query's kind."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from similarity.evaluation.confidence.calibration import VOTERS, Calibration, count_votes
from similarity.gallery import Gallery
from similarity.search import Hit
from similarity.search.accuracy import Accuracy
from similarity.vectors.arrays import Vectors

# Less likely than that is rather wrong than right.
RATHER_RIGHT = 0.5


@dataclass(frozen=True, slots=True)
class Chances:
    """What the first hits of a search, without filters, say about all of them.

    Attributes:
        calibration: of the gallery.
        votes: how far the first hits agree with a label, by label.
        same: the ids of pictures that are the query itself, of which there is nothing to be guessed.
    """

    calibration: Calibration
    votes: dict[str, float]
    same: Collection[str]

    def of(self, hit: Hit) -> float | None:
        """How likely a hit is right, in 0..1; None if it has no label, or is the query itself."""
        if (vote := self._vote(hit)) is None:
            return None
        return float(self.calibration.probability(hit.score, vote))

    def is_sure(self, hit: Hit, precision: float) -> bool:
        """Whether first hits as good as this one or better are right at least so often.

        Where most queries find what is right, even those that hardly do can be let through at 80 %; so each hit must be
        rather right than wrong, too.
        """
        vote, start = self._vote(hit), self.calibration.threshold(precision)
        if vote is None or start is None or (self.of(hit) or 0.0) < RATHER_RIGHT:
            return False
        return bool(self.calibration.weigh(hit.score, vote) >= start)

    def best(self, hits: Sequence[Hit]) -> Hit | None:
        """The first one that is not the query itself."""
        return next((hit for hit in hits if hit.item.id not in self.same), None)

    def are_confident(self, hits: Sequence[Hit], precision: float | None = None) -> bool:
        """Whether the best of them is sure with a precision, or, without one, rather right than wrong."""
        best = self.best(hits)
        if best is None:
            return False
        return (self.of(best) or 0.0) >= RATHER_RIGHT if precision is None else self.is_sure(best, precision)

    def _vote(self, hit: Hit) -> float | None:
        label = label_of(hit)
        return None if label is None or hit.item.id in self.same else self.votes.get(label, 0.0)


def find_chances(
    gallery: Gallery,
    calibration: Calibration,
    vector: Vectors,
    *,
    same: Collection[str] = (),
    accuracy: Accuracy = "balanced",
) -> Chances:
    """How likely the hits of a search are right, whichever filters it has: who votes is asked without them.

    Args:
        vector: of the query, see `Gallery.search_vector`.
        same: ids of pictures of the gallery that are the query itself.
    """
    first = gallery.search_vector(vector, VOTERS, but=same, accuracy=accuracy)
    labels = [label_of(hit) for hit in first]
    numbers = {label: number for number, label in enumerate(dict.fromkeys(filter(None, labels)))}
    codes = np.array([[-1 if label is None else numbers[label] for label in labels]], np.int64)
    votes = count_votes(np.array([[hit.score for hit in first]]), codes)[0].tolist()
    return Chances(calibration, {label: vote for label, vote in zip(labels, votes, strict=True) if label}, set(same))


def label_of(hit: Hit) -> str | None:
    """What kind a hit is; of one without a label it is that of an exact copy, if one has any."""
    return next(iter(hit.item.labels), None)


def percent(chance: float) -> str:
    """A probability in per cent, which is never certain."""
    if chance >= 0.995:
        return "> 99 %"
    return "< 1 %" if chance < 0.005 else f"{chance:.0%}".replace("%", " %")
