"""Confidence intervals of means over queries, and significance tests of differences."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from similarity.evaluation.metrics import Values

RESAMPLES = 1_000
CONFIDENCE = 0.95
SIGN_FLIPS = 9_999
# Signs that are drawn at a time, each as a byte and then as a float64.
SIGNS = 1 << 21


def bootstrap(values: Values, *, seed: int = 0, resamples: int = RESAMPLES) -> Values:
    """Return 95 % confidence intervals of means over queries.

    The percentile interval of B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13:
    resamples of the queries, drawn with replacement. They are drawn one at a time to save memory; 60,000 queries take
    about a second.

    Args:
        values: (metrics, q), for all metrics of the same queries.

    Returns:
        (metrics, 2), lower and upper ends; the same for the same seed.
    """
    random, count = np.random.default_rng(seed), values.shape[1]
    means = np.empty((resamples, len(values)))
    for number in range(resamples):
        drawn = np.bincount(random.integers(count, size=count), minlength=count)
        means[number] = values @ drawn / count
    tail = (1 - CONFIDENCE) / 2
    return np.asarray(np.quantile(means, (tail, 1 - tail), axis=0).T, np.float64)


def sign_flip_test(differences: Values, *, seed: int = 0, flips: int = SIGN_FLIPS) -> Values:
    """Return p-values of means of paired differences, by random sign flips.

    Fisher's randomisation test, two-sided, which M. D. Smucker, J. Allan, B. Carterette, "A comparison of statistical
    significance tests for information retrieval evaluation", CIKM 2007, recommend for comparing two systems on the same
    queries. It gives the result of `scipy.stats.permutation_test` with permutation_type="samples", which with 1,192
    queries took 1.2 s for one metric, since SciPy calls Python for each draw.

    Args:
        differences: (metrics, q).

    Returns:
        The p-values, (metrics,).
    """
    random, count = np.random.default_rng(seed), differences.shape[1]
    # A little less, so that an equal sum counts despite rounding.
    reached = np.abs(differences.sum(axis=1)) * (1 - 1e-12)
    extreme = np.ones(len(differences))
    step = max(1, SIGNS // max(1, count))
    for start in range(0, flips, step):
        signs = random.integers(2, size=(min(step, flips - start), count), dtype=np.int8)
        sums = (2.0 * signs - 1) @ differences.T
        extreme += (np.abs(sums) >= reached).sum(axis=0)
    return np.asarray(extreme / (flips + 1), np.float64)


def mcnemar_test(first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> float:
    """Return the p-value of the difference of two systems whose answers are right or wrong.

    Q. McNemar, "Note on the sampling error of the difference between correlated proportions or percentages",
    Psychometrika 12, 1947, as the exact binomial test: only queries count that exactly one of the two answers right.
    """
    from scipy.stats import binomtest

    gained, lost = int((second & ~first).sum()), int((first & ~second).sum())
    return float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Adjust the p-values of several tests for their number.

    S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6, 1979.
    """
    adjusted, largest = {}, 0.0
    for left, name in zip(range(len(p_values), 0, -1), sorted(p_values, key=p_values.__getitem__), strict=True):
        largest = max(largest, min(1.0, left * p_values[name]))
        adjusted[name] = largest
    return {name: adjusted[name] for name in p_values}
