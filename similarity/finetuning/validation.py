"""Validation of a head: metrics of held-out pictures with and without it, and the calibration of its results."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from similarity.evaluation.aggregates import per_query
from similarity.evaluation.confidence.calibration import MIN_QUERIES, fit
from similarity.evaluation.metrics import Values, average_precision_at_r
from similarity.evaluation.queries import without_the_query
from similarity.evaluation.ranking import Codes, Task, rank_all
from similarity.finetuning.batches import TrainingExamples
from similarity.finetuning.examples import Fold, Labelled
from similarity.finetuning.feedback_examples import FeedbackExamples
from similarity.finetuning.settings import Split
from similarity.search import Rows
from similarity.search.neighbours import find_neighbours
from similarity.vectors.arrays import Vectors
from similarity.vectors.memmap import StoredVectors, write_vectors
from similarity.vectors.methods import POWER, Method
from similarity.vectors.refinement import is_large, refine

METRICS = ("recall@1", "map@r")
SEARCHED = "searched.npy"
# Number of queries compared with all pictures at a time.
BLOCK = 1024


class HeldOut(Protocol):
    """Held-out examples on which vectors are evaluated. Vectors are of all examples, float32 (n, dim)."""

    def __len__(self) -> int:
        """Number of queries."""

    def recall(self, vectors: Vectors) -> float:
        """Recall@1 without refinement."""

    def evaluate(self, vectors: Vectors, method: Method, power: float = POWER, /) -> "QueryResults":
        """Results of each query, searched as a gallery with this refinement; for `power` see `power_of`."""


def make_held_out(examples: TrainingExamples, fold: Fold, split: Split) -> HeldOut:
    """Return the held-out part of a fold, ready to evaluate vectors."""
    if isinstance(examples, Labelled):
        return HeldOutLabels.of(examples, fold, split)
    return HeldOutFeedback.of(examples, fold)


@dataclass(frozen=True, slots=True, eq=False)
class HeldOutLabels:
    """The held-out pictures of a fold as queries.

    Attributes:
        pictures: rows of the searched pictures, which are the training ones or the held-out ones themselves, int64.
        queries: rows of the queries, int64.
        own: the position of each query in `pictures`, or -1.
        codes: the labels of all examples, as numbers.
    """

    pictures: Rows
    queries: Rows
    own: Rows
    codes: Codes

    @classmethod
    def of(cls, examples: Labelled, fold: Fold, split: Split) -> "HeldOutLabels":
        """Search for held-out items among the training pictures; for held-out labels among themselves."""
        held_out = fold.held_out
        if split == "item":
            return cls(fold.learned, held_out, np.full(len(held_out), -1), examples.codes)
        return cls(held_out, held_out, np.arange(len(held_out)), examples.codes)

    def __len__(self) -> int:
        """Number of queries."""
        return len(self.queries)

    def recall(self, vectors: Vectors) -> float:
        """See `HeldOut`."""
        pictures, right = vectors[self.pictures].T, 0
        for start in range(0, len(self), BLOCK):
            queries, own = self.queries[start : start + BLOCK], self.own[start : start + BLOCK]
            scores = vectors[queries] @ pictures
            inside = np.flatnonzero(own >= 0)
            scores[inside, own[inside]] = -np.inf
            right += int((self.codes[self.pictures[scores.argmax(axis=1)]] == self.codes[queries]).sum())
        return right / len(self)

    def evaluate(self, vectors: Vectors, method: Method, power: float = POWER) -> "QueryResults":
        """See `HeldOut`."""
        pictures = self.codes[self.pictures]
        codes = self.codes[self.queries]
        relevant = np.bincount(pictures, minlength=int(codes.max()) + 1)[codes] - (self.own >= 0)
        rows = np.flatnonzero(relevant > 0)
        task = Task(pictures, codes[rows], self.own[rows], relevant[rows].astype(np.int32))
        own = task.own if (task.own >= 0).all() else None
        with TemporaryDirectory() as folder:
            searched = _write_refined(Path(folder), vectors[self.pictures], method, power)
            queries = vectors[self.queries[rows]]

            def refined_queries(numbers: Rows) -> Vectors:
                return searched.refine(queries[numbers], None if own is None else own[numbers])

            outcomes = rank_all(searched, refined_queries, task, amend=without_the_query(searched, task.own))
        hits = np.where(outcomes.rows >= 0, pictures[outcomes.rows], -1)
        return QueryResults(
            {name: per_query(outcomes, name) for name in METRICS}, outcomes.scores, outcomes.right, hits
        )


@dataclass(frozen=True, slots=True, eq=False)
class HeldOutFeedback:
    """Queries with feedback of both kinds: of the results with feedback, the wanted ones should come first.

    Its metrics cover results with feedback only, so do not compare them with those of a whole gallery.

    Attributes:
        queries: rows of the queries, int64 (q,).
        items: for each query the rows of the results with feedback.
        wanted: for each query whether these results are wanted.
    """

    queries: Rows
    items: Sequence[Rows]
    wanted: Sequence[npt.NDArray[np.bool_]]

    @classmethod
    def of(cls, examples: FeedbackExamples, fold: Fold) -> "HeldOutFeedback":
        """Return the queries that a fold holds out."""
        held_out = np.zeros(len(examples), bool)
        held_out[fold.held_out] = True
        pairs = examples.pairs
        queries = np.intersect1d(examples.both_ways(), pairs.queries[held_out])
        masks = [held_out & (pairs.queries == query) for query in queries]
        return cls(queries, [pairs.items[mask] for mask in masks], [pairs.wanted[mask] for mask in masks])

    def __len__(self) -> int:
        """Number of queries."""
        return len(self.queries)

    def recall(self, vectors: Vectors) -> float:
        """See `HeldOut`."""
        return float(self.evaluate(vectors, "none").metrics["recall@1"].mean())

    def evaluate(self, vectors: Vectors, _method: Method, _power: float = POWER) -> "QueryResults":
        """See `HeldOut`; the refinement is ignored, since feedback covers too few pictures to compute it."""
        recalls, precisions = [], []
        for query, items, wanted in zip(self.queries, self.items, self.wanted, strict=True):
            right = wanted[np.argsort(-(vectors[items] @ vectors[query]), kind="stable")][np.newaxis]
            recalls.append(float(right[0, 0]))
            precisions.append(float(average_precision_at_r(right, np.array([wanted.sum()]))[0]))
        return QueryResults({"recall@1": np.array(recalls), "map@r": np.array(precisions)})


@dataclass(frozen=True, slots=True, eq=False)
class QueryResults:
    """Results of a set of queries.

    Attributes:
        metrics: metrics by name, float64 (q,) each.
        scores, right, labels: those of the first ten hits, (q, 10) each, see `confidence.fit`; empty for feedback.
    """

    metrics: Mapping[str, Values]
    scores: Vectors = field(default_factory=lambda: np.empty((0, 0), np.float32))
    right: npt.NDArray[np.bool_] = field(default_factory=lambda: np.empty((0, 0), bool))
    labels: npt.NDArray[np.integer] = field(default_factory=lambda: np.empty((0, 0), np.int32))

    @classmethod
    def join(cls, folds: Sequence["QueryResults"]) -> "QueryResults":
        """Concatenate the results of all folds."""
        metrics = {name: np.concatenate([results.metrics[name] for results in folds]) for name in METRICS}
        hits = (np.concatenate([getattr(results, name) for results in folds]) for name in ("scores", "right", "labels"))
        return cls(metrics, *hits)

    def __len__(self) -> int:
        """Number of queries."""
        return len(self.metrics[METRICS[0]])

    def summary(self) -> dict[str, float]:
        """Return the mean metrics, for a card."""
        return {name: round(float(values.mean()), 4) for name, values in self.metrics.items()}

    def calibration(self) -> Mapping[str, Any] | None:
        """Return the calibration for the card; None if too few pictures were held out."""
        return fit(self.scores, self.right, self.labels).to_json() if len(self.scores) >= MIN_QUERIES else None


def _write_refined(folder: Path, vectors: Vectors, method: Method, power: float) -> StoredVectors:
    write_vectors(folder / SEARCHED, (len(vectors), vectors.shape[1]), [vectors])
    find = find_neighbours if is_large(*vectors.shape) else None
    return refine(folder, StoredVectors(folder / SEARCHED), method, power=power, find=find)
