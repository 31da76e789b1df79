"""Metrics: pure functions of the right hits in a ranking. A picture is right if it has the query's label.

Everywhere below, `right` is bool (q, depth): for each query, best hit first, whether the hit is right; and `relevant`,
written R in the formulas, is int (q,): the number of right pictures in the gallery without the query itself, at least
1. Every function returns a number for each query; the mean of these is the metric.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Right = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.integer[Any]]
Values = npt.NDArray[np.float64]

NEVER = np.iinfo(np.int32).max


def first_right(right: Right) -> npt.NDArray[np.int32]:
    """The rank of the first right hit, int32 (q,), 1 for the best hit; NEVER if none is right."""
    first_right = right.argmax(axis=1) + 1 if right.shape[1] else np.zeros(len(right), np.int64)
    return np.where(right.any(axis=1), first_right, NEVER).astype(np.int32)


def recall_at(first: Counts, k: int) -> Values:
    """Recall@k of metric learning: 1 if at least one of the first k hits is right, else 0.

    H. Jégou, M. Douze, C. Schmid, "Product quantization for nearest neighbor search", TPAMI 2011, section V; as it is
    used for Stanford Online Products by H. Oh Song, Y. Xiang, S. Jegelka, S. Savarese, "Deep metric learning via lifted
    structured feature embedding", CVPR 2016. It is not the share of all right pictures that information retrieval calls
    recall.

    Args:
        first: rank of each query's first right hit, see `first_right`.
    """
    return np.asarray(first <= k, np.float64)


def precision_at(right: Right, k: int) -> Values:
    """Precision@k: how many of the first k hits are right, divided by k also where there are fewer pictures than k.

    As in TREC: C. Buckley, E. M. Voorhees, "Retrieval system evaluation", in "TREC: Experiment and Evaluation in
    Information Retrieval", 2005.
    """
    return np.asarray(right[:, :k].sum(axis=1) / k, np.float64)


def r_precision(right: Right, relevant: Counts) -> Values:
    """R-precision: of the first R hits, the share that is right.

    K. Musgrave, S. Belongie, S.-N. Lim, "A metric learning reality check", ECCV 2020, section 3.2. `right` must be as
    deep as the largest R, or hold all there is.
    """
    return np.asarray(_within(right, relevant).sum(axis=1) / relevant, np.float64)


def average_precision_at_r(right: Right, relevant: Counts) -> Values:
    """Average precision at R, of which mAP@R is the mean: 1 only if all R right pictures come first.

        (1 / R)  sum over i = 1..R of  P(i) = (right hits among the first i) / i  if hit i is right, else 0

    Musgrave, Belongie, Lim, as above. Unlike average precision over the whole ranking, it looks no further than R.
    """
    counted = _within(right, relevant)
    precisions = np.cumsum(counted, axis=1, dtype=np.float64)
    precisions /= np.arange(1, counted.shape[1] + 1)
    precisions *= counted
    return np.asarray(precisions.sum(axis=1) / relevant, np.float64)


def ndcg_at(right: Right, relevant: Counts, k: int = 10) -> Values:
    """Normalised discounted cumulative gain of the first k hits, where a right one gains 1 and a wrong one nothing.

        sum over right hits i <= k of 1 / log2(i + 1),  divided by the same for a ranking with all R right ones first

    K. Järvelin, J. Kekäläinen, "Cumulated gain-based evaluation of IR techniques", TOIS 20 (4), 2002; with the discount
    1 / log2(i + 1) that is common today, so that the second hit counts less than the first.
    """
    discounts = 1 / np.log2(np.arange(2, k + 2))
    best = np.concatenate([[0.0], np.cumsum(discounts)])[np.minimum(relevant, k)]
    shown = right[:, :k]
    return np.asarray(shown @ discounts[: shown.shape[1]] / best, np.float64)


def _within(right: Right, relevant: Counts) -> Right:
    """The right hits among the first R."""
    reach = min(right.shape[1], int(relevant.max(initial=0)))
    within: Right = right[:, :reach] & (np.arange(reach) < np.asarray(relevant)[:, np.newaxis])
    return within
