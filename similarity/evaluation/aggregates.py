"""Aggregates over queries: means with intervals, results by label, confusions, and the histogram of scores."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from similarity.evaluation import metrics
from similarity.evaluation.findings import Confusion, Estimate, Histogram, LabelResult
from similarity.evaluation.metrics import Values
from similarity.evaluation.ranking import REACH, Codes, Outcomes, Task
from similarity.evaluation.significance import bootstrap

METRICS = (
    "recall@1",
    "recall@5",
    "recall@10",
    "recall@100",
    "precision@1",
    "precision@5",
    "precision@10",
    "map@r",
    "r_precision",
    "ndcg@10",
)
# Bins of the histogram of scores, which are cosines.
BINS = 50
# Number of the most confused pairs that are listed.
CONFUSED = 50


def per_query(outcomes: Outcomes, metric: str) -> Values:
    """Return a metric for each query, by its name in METRICS, float64 (queries,)."""
    name, _, k = metric.partition("@")
    if name == "recall" or metric == "precision@1":  # of a single hit, both are the same
        return metrics.recall_at(outcomes.first_right, int(k))
    values: Values = getattr(
        outcomes,
        {
            "precision@5": "precision_5",
            "precision@10": "precision_10",
            "map@r": "average_precision",
            "r_precision": "r_precision",
            "ndcg@10": "ndcg_10",
        }[metric],
    )
    return values


def recall_curve(outcomes: Outcomes) -> Values:
    """Return recall@k for k = 1..REACH."""
    first = np.minimum(outcomes.first_right, REACH + 1)
    return np.asarray(np.cumsum(np.bincount(first, minlength=REACH + 2)[1 : REACH + 1]) / len(outcomes), np.float64)


def score_histogram(outcomes: Outcomes) -> Histogram:
    """The histogram of scores of the first ten hits of all queries."""
    there = outcomes.rows >= 0
    edges = np.linspace(*_range(outcomes.scores[there]), BINS + 1)
    counts = [
        np.histogram(outcomes.scores[there & chosen], edges)[0].astype(np.int64)
        for chosen in (outcomes.right, ~outcomes.right)
    ]
    return Histogram(edges, *counts)


def _range(scores: npt.NDArray[np.float32]) -> tuple[float, float]:
    low, high = float(scores.min()), float(scores.max())
    return (low, high) if high - low > 1e-3 else (low - 1e-3, high + 1e-3)


def estimate(outcomes: Outcomes, seed: int) -> dict[str, Estimate]:
    """Return all metrics with their confidence intervals."""
    values = np.stack([per_query(outcomes, metric) for metric in METRICS])
    intervals = bootstrap(values, seed=seed).tolist()
    means = values.mean(axis=1).tolist()
    return {
        metric: Estimate(mean, low, high) for metric, mean, (low, high) in zip(METRICS, means, intervals, strict=True)
    }


def per_label(labels: Sequence[str], task: Task, outcomes: Outcomes) -> tuple[LabelResult, ...]:
    """Return the metrics for each label of the queries."""
    size = len(labels)
    queries = np.bincount(task.queries, minlength=size)
    pictures = np.bincount(task.pictures[task.pictures >= 0], minlength=size)
    means = [
        np.bincount(task.queries, per_query(outcomes, metric), size) / np.maximum(queries, 1)
        for metric in ("recall@1", "recall@10", "precision@10", "map@r")
    ]
    return tuple(
        LabelResult(labels[code], int(queries[code]), int(pictures[code]), *(float(mean[code]) for mean in means))
        for code in np.flatnonzero(queries).tolist()
    )


def confusions(labels: Sequence[str], query_labels: Codes, hit_labels: Codes) -> tuple[Confusion, ...]:
    """Return the pairs of labels that are most often confused."""
    wrong = query_labels != hit_labels
    pairs, counts = np.unique(np.stack([query_labels[wrong], hit_labels[wrong]]), axis=1, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:CONFUSED]
    return tuple(
        Confusion(labels[pairs[0, place]], labels[pairs[1, place]] if pairs[1, place] >= 0 else "", int(counts[place]))
        for place in order.tolist()
    )
