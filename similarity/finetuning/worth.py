"""What a head is worth: metrics of held-out pictures with and without it, and how sure a result with it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from similarity.confidence import MIN_QUERIES, fit
from similarity.evaluation.ranks import Codes, Outcomes, Task, rank_all
from similarity.evaluation.rounds import without_the_query
from similarity.evaluation.summaries import per_query
from similarity.finetuning.examples import Labelled, Parts
from similarity.heads import Head
from similarity.refinement import Method, refine
from similarity.search import Rows
from similarity.stored import StoredVectors, write_vectors
from similarity.vectors import Vectors

METRICS = ("recall@1", "map@r")
COMPARED = "compared.npy"


@dataclass(frozen=True, slots=True, eq=False)
class Exam:
    """Held-out pictures as queries.

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
    def of(cls, examples: Labelled, parts: Parts, split: str) -> "Exam":
        """Held-out items are looked for among what was learned from; held-out labels among themselves."""
        if split == "item":
            return cls(parts.learned, parts.held_out, np.full(len(parts.held_out), -1), examples.codes)
        return cls(parts.held_out, parts.held_out, np.arange(len(parts.held_out)), examples.codes)

    def recall(self, vectors: Vectors) -> float:
        """recall@1 with what examples are compared as, float32 (n, dim), nothing refined."""
        scores = vectors[self.queries] @ vectors[self.pictures].T
        inside = np.flatnonzero(self.own >= 0)
        scores[inside, self.own[inside]] = -np.inf
        found = self.codes[self.pictures[scores.argmax(axis=1)]]
        return float((found == self.codes[self.queries]).mean())

    def sit(self, vectors: Vectors, method: Method) -> tuple[Outcomes, Codes]:
        """What comes of each query, and the labels of its first ten hits, as a gallery with a refinement answers."""
        pictures = self.codes[self.pictures]
        asked = self.codes[self.queries]
        relevant = (asked[:, np.newaxis] == pictures).sum(axis=1) - (self.own >= 0)
        rows = np.flatnonzero(relevant > 0)
        task = Task(pictures, asked[rows], self.own[rows], relevant[rows].astype(np.int32))
        own = task.own if (task.own >= 0).all() else None
        with TemporaryDirectory() as folder:
            compared = _refined(Path(folder), vectors[self.pictures], method)
            questions = vectors[self.queries[rows]]

            def ask(numbers: Rows) -> Vectors:
                return compared.refine(questions[numbers], None if own is None else own[numbers])

            outcomes = rank_all(compared, ask, task, amend=without_the_query(compared, task.own))
        hits = np.where(outcomes.rows >= 0, pictures[outcomes.rows], -1).astype(np.int32)
        return outcomes, hits


def measure(outcomes: Outcomes) -> dict[str, float]:
    """The metrics of a card."""
    return {name: round(float(per_query(outcomes, name).mean()), 4) for name in METRICS}


def calibration(outcomes: Outcomes, hits: Codes) -> Mapping[str, Any] | None:
    """How sure results are, for the card; None where too few pictures were held out."""
    if len(outcomes) < MIN_QUERIES:
        return None
    return fit(outcomes.scores, outcomes.right, hits).to_json()


def judged_by(exam: Exam, embeddings: Vectors) -> Any:
    """Says how good a head is: recall@1 of the exam."""

    def judge(head: Head) -> float:
        return exam.recall(head.project(embeddings))

    return judge


def _refined(folder: Path, vectors: Vectors, method: Method) -> StoredVectors:
    write_vectors(folder / COMPARED, (len(vectors), vectors.shape[1]), [vectors])
    return refine(folder, StoredVectors(folder / COMPARED), method)
