"""What a head is worth: metrics of held-out pictures with and without it, and how sure a result with it is."""

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
from similarity.finetuning.batches import Examples
from similarity.finetuning.examples import Fold, Labelled
from similarity.finetuning.feedback_examples import Marked
from similarity.finetuning.settings import Split
from similarity.search import Rows
from similarity.vectors.arrays import Vectors
from similarity.vectors.memmap import StoredVectors, write_vectors
from similarity.vectors.methods import Method
from similarity.vectors.refinement import refine

METRICS = ("recall@1", "map@r")
COMPARED = "compared.npy"
# How many queries are compared with all pictures at a time.
BLOCK = 1024


class Exam(Protocol):
    """What is asked about, to see what vectors are worth. Vectors are of all examples, float32 (n, dim)."""

    def __len__(self) -> int:
        """How many queries."""

    def recall(self, vectors: Vectors) -> float:
        """recall@1, nothing refined."""

    def sit(self, vectors: Vectors, method: Method, /) -> "Answers":
        """What comes of each query, as a gallery with a refinement answers."""


def make_exam(examples: Examples, fold: Fold, split: Split) -> Exam:
    """The exam of what a fold holds out."""
    if isinstance(examples, Labelled):
        return LabelExam.of(examples, fold, split)
    return MarkExam.of(examples, fold)


@dataclass(frozen=True, slots=True, eq=False)
class LabelExam:
    """The held-out pictures of a fold as queries.

    Attributes:
        pictures: what is searched: those that were learned from, or the held-out ones themselves,
        queries: and what is asked with: rows of all examples, int64.
        own: the place of each query among `pictures`, or -1.
        codes: of all examples.
    """

    pictures: Rows
    queries: Rows
    own: Rows
    codes: Codes

    @classmethod
    def of(cls, examples: Labelled, fold: Fold, split: Split) -> "LabelExam":
        """Held-out items are looked for among what was learned from; held-out labels among themselves."""
        held_out = fold.held_out
        if split == "item":
            return cls(fold.learned, held_out, np.full(len(held_out), -1), examples.codes)
        return cls(held_out, held_out, np.arange(len(held_out)), examples.codes)

    def __len__(self) -> int:
        """How many queries."""
        return len(self.queries)

    def recall(self, vectors: Vectors) -> float:
        """See `Exam`."""
        pictures, right = vectors[self.pictures].T, 0
        for start in range(0, len(self), BLOCK):
            queries, own = self.queries[start : start + BLOCK], self.own[start : start + BLOCK]
            scores = vectors[queries] @ pictures
            inside = np.flatnonzero(own >= 0)
            scores[inside, own[inside]] = -np.inf
            right += int((self.codes[self.pictures[scores.argmax(axis=1)]] == self.codes[queries]).sum())
        return right / len(self)

    def sit(self, vectors: Vectors, method: Method) -> "Answers":
        """See `Exam`."""
        pictures = self.codes[self.pictures]
        asked = self.codes[self.queries]
        relevant = np.bincount(pictures, minlength=int(asked.max()) + 1)[asked] - (self.own >= 0)
        rows = np.flatnonzero(relevant > 0)
        task = Task(pictures, asked[rows], self.own[rows], relevant[rows].astype(np.int32))
        own = task.own if (task.own >= 0).all() else None
        with TemporaryDirectory() as folder:
            compared = _refined(Path(folder), vectors[self.pictures], method)
            questions = vectors[self.queries[rows]]

            def ask(numbers: Rows) -> Vectors:
                return compared.refine(questions[numbers], None if own is None else own[numbers])

            outcomes = rank_all(compared, ask, task, amend=without_the_query(compared, task.own))
        hits = np.where(outcomes.rows >= 0, pictures[outcomes.rows], -1)
        return Answers({name: per_query(outcomes, name) for name in METRICS}, outcomes.scores, outcomes.right, hits)


@dataclass(frozen=True, slots=True, eq=False)
class MarkExam:
    """Queries with marks of both kinds: of the results that are marked, those that are wanted should come first.

    A metric then is not to be compared with one of a whole gallery, of which a few results are marked.

    Attributes:
        queries: rows of all embeddings, int64 (q,).
        items: those that are marked for each, likewise,
        wanted: and whether they are wanted.
    """

    queries: Rows
    items: Sequence[Rows]
    wanted: Sequence[npt.NDArray[np.bool_]]

    @classmethod
    def of(cls, marked: Marked, fold: Fold) -> "MarkExam":
        """Of the marks that a fold holds out."""
        held_out = np.zeros(len(marked), bool)
        held_out[fold.held_out] = True
        pairs = marked.pairs
        queries = np.intersect1d(marked.both_ways(), pairs.queries[held_out])
        mine = [held_out & (pairs.queries == query) for query in queries]
        return cls(queries, [pairs.items[one] for one in mine], [pairs.wanted[one] for one in mine])

    def __len__(self) -> int:
        """How many queries."""
        return len(self.queries)

    def recall(self, vectors: Vectors) -> float:
        """See `Exam`."""
        return float(self.sit(vectors, "none").metrics["recall@1"].mean())

    def sit(self, vectors: Vectors, _method: Method) -> "Answers":
        """See `Exam`; of marks it is not known how a gallery refines them."""
        recalls, precisions = [], []
        for query, items, wanted in zip(self.queries, self.items, self.wanted, strict=True):
            right = wanted[np.argsort(-(vectors[items] @ vectors[query]), kind="stable")][np.newaxis]
            recalls.append(float(right[0, 0]))
            precisions.append(float(average_precision_at_r(right, np.array([wanted.sum()]))[0]))
        return Answers({"recall@1": np.array(recalls), "map@r": np.array(precisions)})


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What came of some queries.

    Attributes:
        metrics: by name, float64 (q,) each.
        scores, right, labels: of the first ten hits, (q, 10) each, see `confidence.fit`; or nothing, of marks.
    """

    metrics: Mapping[str, Values]
    scores: Vectors = field(default_factory=lambda: np.empty((0, 0), np.float32))
    right: npt.NDArray[np.bool_] = field(default_factory=lambda: np.empty((0, 0), bool))
    labels: npt.NDArray[np.integer] = field(default_factory=lambda: np.empty((0, 0), np.int32))

    @classmethod
    def join(cls, several: Sequence["Answers"]) -> "Answers":
        """Those of all folds."""
        metrics = {name: np.concatenate([one.metrics[name] for one in several]) for name in METRICS}
        hits = (np.concatenate([getattr(one, name) for one in several]) for name in ("scores", "right", "labels"))
        return cls(metrics, *hits)

    def __len__(self) -> int:
        """How many queries there were."""
        return len(self.metrics[METRICS[0]])

    def summary(self) -> dict[str, float]:
        """The metrics of a card."""
        return {name: round(float(values.mean()), 4) for name, values in self.metrics.items()}

    def calibration(self) -> Mapping[str, Any] | None:
        """How sure results are, for the card; None where too few pictures were held out."""
        return fit(self.scores, self.right, self.labels).to_json() if len(self.scores) >= MIN_QUERIES else None


def _refined(folder: Path, vectors: Vectors, method: Method) -> StoredVectors:
    write_vectors(folder / COMPARED, (len(vectors), vectors.shape[1]), [vectors])
    return refine(folder, StoredVectors(folder / COMPARED), method)
