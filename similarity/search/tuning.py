"""How many lists have to be visited is not guessed but measured, with pictures of the gallery as queries.

For some rows the exact ten nearest others are found by comparing them with all, and lists are visited twice as many at
a time until so large a share of those ten is found as each level of accuracy asks for. What was reached is kept with
the gallery: `info` tells it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from similarity.progress import OnProgress, Reporter
from similarity.search.accuracy import Accuracy
from similarity.search.contract import Rows
from similarity.search.faiss_library import faiss
from similarity.vectors.arrays import Vectors
from similarity.vectors.memmap import StoredVectors

# Queries float32 (m, dim), k, lists to visit and candidates to rescore -> scores and rows, both (m, k).
Answer = Callable[[Vectors, int, int, int], tuple[Vectors, Rows]]

# The least recall@10 of each level, with something to spare: other queries than those measured may fare a little worse.
TARGETS: dict[Accuracy, float] = {"fast": 0.96, "balanced": 0.99, "high": 0.999}
# How many candidates are rescored at each level.
SHORTLIST: dict[Accuracy, int] = {"fast": 50, "balanced": 50, "high": 100}
# How many queries are measured with, and of how many results.
QUERIES, K = 200, 10
# What two ways to compute one score may differ by.
SAME = 1e-5
# It is measured anew when so large a share of the pictures has come or gone since.
OUTDATED = 0.05
# An index has drifted when it takes so many times the lists that it took at first, or has so many times the pictures.
DRIFTED, GROWN = 2, 4


@dataclass(frozen=True, slots=True)
class Tuning:
    """What was measured.

    Attributes:
        trained_on: how many pictures there were when the lists were learned.
        probes: lists to visit, by level.
        recall: recall@10 that was reached with them, by level.
        first_probes: lists that the level `balanced` took when the lists were learned.
        changed: pictures that have come or gone since then.
        measured_after: how many of these had when this was measured.
    """

    trained_on: int
    probes: dict[Accuracy, int] = field(default_factory=dict)
    recall: dict[Accuracy, float] = field(default_factory=dict)
    first_probes: int = 0
    changed: int = 0
    measured_after: int = 0

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> "Tuning":
        """What `facts` said; raises LookupError, TypeError or ValueError where that cannot be."""
        numbers = {name: facts[name] for name in ("trained_on", "first_probes", "changed", "measured_after")}
        probes = {level: facts["probes"][level] for level in TARGETS}
        recall = {level: facts["recall@10"][level] for level in TARGETS}
        if not all(type(one) is int and 0 <= one < 1 << 62 for one in (*numbers.values(), *probes.values())):
            raise ValueError("counts that are none")
        if not all(isinstance(one, int | float) and 0 <= one <= 1 for one in recall.values()):
            raise ValueError("shares that are none")
        return cls(probes=probes, recall=recall, **numbers)

    @property
    def facts(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "trained_on": self.trained_on,
            "probes": dict(self.probes),
            "recall@10": dict(self.recall),
            "first_probes": self.first_probes,
            "changed": self.changed,
            "measured_after": self.measured_after,
        }

    def after(self, changes: int) -> "Tuning":
        """After so many pictures have come or gone."""
        return replace(self, changed=self.changed + changes)

    def is_outdated(self, count: int) -> bool:
        """Whether it should be measured anew, among so many pictures."""
        return self.changed - self.measured_after > OUTDATED * count

    def drift(self, count: int) -> str:
        """What has become of the index since its lists were learned, if it would be better anew; else nothing.

        Args:
            count: how many pictures there are now.
        """
        if count > GROWN * self.trained_on or GROWN * count < self.trained_on:
            return f"its groups were learned from {self.trained_on:,} pictures, and it has {count:,} now"
        if self.probes["balanced"] > DRIFTED * self.first_probes:
            return f"a search visits {self.probes['balanced']} of its groups now, and {self.first_probes} at first"
        if self.recall["balanced"] < TARGETS["balanced"] and self.changed:
            return f"it finds {self.recall['balanced']:.1%} of the ten nearest pictures only"
        return ""


def tune(
    answer: Answer, lists: int, vectors: StoredVectors, before: Tuning, progress: OnProgress | None = None
) -> Tuning:
    """Measure how many lists each level takes.

    Args:
        answer: asks the index.
        lists: how many it has.
        vectors: that it holds.
        before: what is known of it.
    """
    rows = np.sort(np.random.default_rng(1).choice(len(vectors), min(QUERIES, len(vectors)), replace=False))
    queries = vectors[rows]
    needed = _tenth_best(vectors, queries, progress)
    probes: dict[Accuracy, int] = {}
    recall: dict[Accuracy, float] = {}
    visited = 1
    while len(probes) < len(TARGETS):
        for level, target in TARGETS.items():
            if level not in probes:
                recall[level] = round(_recall(answer, queries, needed, visited, SHORTLIST[level]), 4)
                if recall[level] >= target or visited == lists:
                    probes[level] = visited
        visited = min(2 * visited, lists)
    first = probes["balanced"] if not before.changed else before.first_probes
    return replace(before, probes=probes, recall=recall, first_probes=first, measured_after=before.changed)


def _tenth_best(vectors: StoredVectors, queries: Vectors, progress: OnProgress | None) -> Vectors:
    """The score that the K-th nearest vector of each query has, itself not counted, float32 (m,)."""
    report = Reporter(len(vectors), progress, task="Measuring the index")
    best = np.full((len(queries), K + 1), -np.inf, np.float32)
    for _, block in vectors.blocks():
        found, _ = faiss.knn(queries, block, min(K + 1, len(block)), metric=faiss.METRIC_INNER_PRODUCT)
        best = -np.sort(-np.concatenate([best, found], axis=1), axis=1)[:, : K + 1]
        report.advance(len(block))
    lowest: Vectors = best[:, min(K, len(vectors) - 1)]
    return lowest


def _recall(answer: Answer, queries: Vectors, needed: Vectors, probes: int, shortlist: int) -> float:
    """The share of the K nearest that are found, which are those with such scores; itself is not counted."""
    scores, _ = answer(queries, K + 1, probes, shortlist)
    found = (scores >= needed[:, np.newaxis] - SAME).sum(axis=1) - 1
    return float(np.mean(np.maximum(found, 0)) / max(1, scores.shape[1] - 1))
