"""Reliability of probabilities: of all hits with a probability of 80 %, 80 % should be right."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

# Bins of equal width over 0..1, as in the paper.
BINS = 10


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """Probabilities and the shares that were right, in BINS bins of equal width.

    Attributes:
        predicted: the mean probability in each bin, float64 (BINS,); NaN for an empty bin.
        measured: the share of right hits in each bin, float64 (BINS,); NaN for an empty bin.
        counts: number of hits in each bin, int64 (BINS,).
    """

    predicted: Values
    measured: Values
    counts: npt.NDArray[np.int64]

    @property
    def error(self) -> float:
        """The expected calibration error: the mean difference of the two over all hits.

            ECE = sum over bins of (hits in the bin / all hits) |measured - predicted|

        M. P. Naeini, G. F. Cooper, M. Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning",
        AAAI 2015; as it is used by C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On calibration of modern neural
        networks", ICML 2017.
        """
        gaps = np.nan_to_num(np.abs(self.measured - self.predicted))
        return float((gaps * self.counts).sum() / max(1, self.counts.sum()))

    def to_json(self) -> list[dict[str, Any]]:
        """Return the bins that are not empty, as JSON."""
        return [
            {
                "from": place / BINS,
                "to": (place + 1) / BINS,
                "predicted": round(float(self.predicted[place]), 6),
                "measured": round(float(self.measured[place]), 6),
                "count": int(self.counts[place]),
            }
            for place in np.flatnonzero(self.counts).tolist()
        ]


def measure_reliability(chances: Values, right: npt.NDArray[np.bool_], weights: Values | None = None) -> Reliability:
    """Measure the reliability of probabilities.

    Args:
        chances: float64 (m,).
        right: for each of them whether it was right, bool (m,).
        weights: how many hits each of them stands for, float64 (m,); one unless given.
    """
    weights = np.ones(len(chances)) if weights is None else weights
    places = np.clip((chances * BINS).astype(np.int64), 0, BINS - 1)
    counts = np.bincount(places, weights, BINS)
    divisors = np.where(counts, counts, np.nan)
    predicted, measured = (np.bincount(places, values * weights, BINS) / divisors for values in (chances, right))
    return Reliability(predicted, measured, counts.round().astype(np.int64))
