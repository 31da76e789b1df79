"""Tuning of an approximate index: how many lists to visit, measured with pictures of the gallery as queries.

The exact ten nearest neighbours of a sample of rows are computed, and the number of visited lists is raised until the
index returns the share of them that each level of accuracy requires. The recall that was reached is kept with the
gallery and shown by `info`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from similarity.progress import OnProgress, Reporter
from similarity.search.accuracy import Accuracy
from similarity.search.contract import Rows
from similarity.search.faiss_library import compute_ahead, faiss
from similarity.vectors.arrays import Vectors
from similarity.vectors.mapped import BLOCK
from similarity.vectors.memmap import StoredVectors

# Queries float32 (m, dim), k, lists to visit and candidates to rescore -> scores and rows, both (m, k).
Answer = Callable[[Vectors, int, int, int], tuple[Vectors, Rows]]

# Minimum recall@10 of each level, with a margin: queries other than those measured may do slightly worse.
TARGETS: dict[Accuracy, float] = {"fast": 0.96, "balanced": 0.99, "high": 0.999}
# Candidates that are rescored at each level.
SHORTLIST: dict[Accuracy, int] = {"fast": 50, "balanced": 50, "high": 100}
# Number of queries and of results in a measurement.
QUERIES, K = 200, 10
# Difference between two ways to compute the same score.
SAME = 1e-5
# Tuning is repeated after this share of the pictures has changed.
OUTDATED = 0.05
# An index has drifted when it needs DRIFTED times its first number of lists, or has GROWN times its first pictures.
DRIFTED, GROWN = 2, 4


@dataclass(frozen=True, slots=True)
class Tuning:
    """The result of tuning.

    Attributes:
        trained_on: number of pictures when the lists were trained.
        probes: lists to visit, by level.
        recall: recall@10 that was reached with them, by level.
        first_probes: lists that the level `balanced` needed when the lists were trained.
        changed: pictures added or removed since then.
        measured_after: number of these changes before the last measurement.
    """

    trained_on: int
    probes: dict[Accuracy, int] = field(default_factory=dict)
    recall: dict[Accuracy, float] = field(default_factory=dict)
    first_probes: int = 0
    changed: int = 0
    measured_after: int = 0

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> "Tuning":
        """Read `facts`; raises LookupError, TypeError or ValueError if they are not valid."""
        numbers = {name: facts[name] for name in ("trained_on", "first_probes", "changed", "measured_after")}
        probes = {level: facts["probes"][level] for level in TARGETS}
        recall = {level: facts["recall@10"][level] for level in TARGETS}
        if not all(type(value) is int and 0 <= value < 1 << 62 for value in (*numbers.values(), *probes.values())):
            raise ValueError("its counts are invalid")
        if not all(isinstance(value, int | float) and 0 <= value <= 1 for value in recall.values()):
            raise ValueError("its shares are invalid")
        return cls(probes=probes, recall=recall, **numbers)

    @property
    def facts(self) -> dict[str, Any]:
        """The values as JSON."""
        return {
            "trained_on": self.trained_on,
            "probes": dict(self.probes),
            "recall@10": dict(self.recall),
            "first_probes": self.first_probes,
            "changed": self.changed,
            "measured_after": self.measured_after,
        }

    def after(self, changes: int) -> "Tuning":
        """Return the tuning after more changes."""
        return replace(self, changed=self.changed + changes)

    def is_outdated(self, count: int) -> bool:
        """Whether it should be measured again, for a gallery of `count` pictures."""
        return self.changed - self.measured_after > OUTDATED * count

    def drift(self, count: int) -> str:
        """Return the reason why the index should be rebuilt after changes; empty if there is none.

        Args:
            count: the current number of pictures.
        """
        if count > GROWN * self.trained_on or GROWN * count < self.trained_on:
            return f"its groups were learned from {self.trained_on:,} pictures, and it has {count:,} now"
        if self.probes["balanced"] > DRIFTED * self.first_probes:
            return f"a search visits {self.probes['balanced']} of its groups now, and {self.first_probes} at first"
        if self.recall["balanced"] < TARGETS["balanced"] and self.changed:
            return f"it finds only {self.recall['balanced']:.1%} of the ten nearest pictures"
        return ""


def tune(
    answer: Answer, lists: int, vectors: StoredVectors, before: Tuning, progress: OnProgress | None = None
) -> Tuning:
    """Measure the number of lists that each level needs.

    Args:
        answer: searches the index.
        lists: the number of its lists.
        vectors: its vectors.
        before: the tuning so far.
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
        visited = min(_more(visited), lists)
    first = probes["balanced"] if not before.changed else before.first_probes
    return replace(before, probes=probes, recall=recall, first_probes=first, measured_after=before.changed)


def _more(visited: int) -> int:
    """Return the next number of lists to try: 1, 2, 3, 4, 6, 8, 12 ..., so that few more are visited than needed."""
    is_power = visited & (visited - 1) == 0
    return max(visited + 1, visited * 3 // 2 if is_power else visited * 4 // 3)


def _tenth_best(vectors: StoredVectors, queries: Vectors, progress: OnProgress | None) -> Vectors:
    """Return the score of the K-th nearest vector of each query, without itself, float32 (m,)."""
    report = Reporter(len(vectors), progress, task="Measuring the index")
    best = np.full((len(queries), K + 1), -np.inf, np.float32)

    def compare(rows: Rows) -> Vectors:
        scores, _ = faiss.knn(queries, vectors[rows], min(K + 1, len(rows)), metric=faiss.METRIC_INNER_PRODUCT)
        return scores  # type: ignore[no-any-return]

    blocks = [np.arange(start, min(start + BLOCK, len(vectors))) for start in range(0, len(vectors), BLOCK)]
    for rows, scores in zip(blocks, compute_ahead(compare, blocks), strict=True):
        best = -np.sort(-np.concatenate([best, scores], axis=1), axis=1)[:, : K + 1]
        report.advance(len(rows))
    lowest: Vectors = best[:, min(K, len(vectors) - 1)]
    return lowest


def _recall(answer: Answer, queries: Vectors, needed: Vectors, probes: int, shortlist: int) -> float:
    """Return the share of the K nearest vectors, without the query, that the index finds, judged by scores."""
    scores, _ = answer(queries, K + 1, probes, shortlist)
    hits = (scores >= needed[:, np.newaxis] - SAME).sum(axis=1) - 1
    return float(np.mean(np.maximum(hits, 0)) / max(1, scores.shape[1] - 1))
