"""Lessons: the training batches of a network, each with its loss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from similarity.finetuning.examples import Codes, Labelled
from similarity.finetuning.feedback_examples import FeedbackExamples
from similarity.finetuning.losses import Criterion
from similarity.search import Rows

if TYPE_CHECKING:
    from torch import Tensor

TrainingExamples = Labelled | FeedbackExamples

# Maximum number of pictures of a label in a batch, if not all labels fit into it.
AT_ONCE = 4


class Lesson(Protocol):
    """A training batch."""

    @property
    def rows(self) -> Rows:
        """Rows of the embeddings in it, int64 (b,)."""

    def loss(self, criterion: Criterion, vectors: Tensor) -> Tensor:
        """The loss of the network's output for these rows, (b, dim), of unit length."""


class Lessons(Protocol):
    """The lessons of an epoch.

    Attributes:
        count: their largest number.
    """

    count: int

    def draw(self, random: np.random.Generator) -> Iterator[Lesson]:
        """Draw the lessons of an epoch."""


def make_lessons(examples: TrainingExamples, rows: Rows, batch: int) -> Lessons:
    """Return the lessons of some of the examples, in batches of this size."""
    return LabelLessons(examples, rows, batch) if isinstance(examples, Labelled) else PairLessons(examples, rows, batch)


@dataclass(frozen=True, slots=True, eq=False)
class LabelLesson:
    """Pictures with labels, int64 (b,)."""

    rows: Rows
    codes: Rows

    def loss(self, criterion: Criterion, vectors: Tensor) -> Tensor:
        """See `Lesson`."""
        import torch

        return criterion.of_labels(vectors, torch.from_numpy(self.codes))


class LabelLessons:
    """Lessons of labelled pictures."""

    def __init__(self, pictures: Labelled, rows: Rows, batch: int) -> None:
        self.count = max(1, len(rows) // batch)
        self._codes, self._rows, self._batch = pictures.codes, rows, batch

    def draw(self, random: np.random.Generator) -> Iterator[Lesson]:
        """See `Lessons`."""
        for places in draw_batches(self._codes[self._rows], self._batch, self.count, random):
            rows = self._rows[places]
            yield LabelLesson(rows, self._codes[rows].astype(np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class PairLesson:
    """Pairs of pictures, as positions among the rows: those that belong together, and the others, int64 (., 2)."""

    rows: Rows
    together: Rows
    apart: Rows

    def loss(self, criterion: Criterion, vectors: Tensor) -> Tensor:
        """See `Lesson`."""
        import torch

        first, second = map(torch.from_numpy, self.together.T.copy())
        other, unlike = map(torch.from_numpy, self.apart.T.copy())
        return criterion.of_pairs(vectors, (first, second, other, unlike))


class PairLessons:
    """Lessons of feedback; all feedback on the results of a query is in one lesson."""

    def __init__(self, examples: FeedbackExamples, rows: Rows, batch: int) -> None:
        pairs = examples.pairs
        self._places = np.stack([pairs.queries[rows], pairs.items[rows]], axis=1)
        self._wanted = pairs.wanted[rows]
        self.count = max(1, -(-len(rows) // batch))

    def draw(self, random: np.random.Generator) -> Iterator[Lesson]:
        """See `Lessons`."""
        all_queries = np.unique(self._places[:, 0])
        for queries in np.array_split(random.permutation(all_queries), self.count):
            selected = np.isin(self._places[:, 0], queries)
            rows, places = np.unique(self._places[selected], return_inverse=True)
            places, wanted = places.reshape(-1, 2), self._wanted[selected]
            yield PairLesson(rows, places[wanted], places[~wanted])


def draw_batches(codes: Codes, size: int, count: int, random: np.random.Generator) -> Iterator[Rows]:
    """Draw a number of batches of rows.

    With few labels, batches are drawn evenly. With many, an even draw would hardly have two pictures of any label, so a
    batch has two to AT_ONCE pictures of each of some labels.
    """
    if len(np.unique(codes)) * AT_ONCE <= size:
        order = random.permutation(len(codes))
        yield from (order[number * size : (number + 1) * size] for number in range(count))
        return
    order = random.permutation(len(codes))
    order = order[np.argsort(codes[order], kind="stable")]  # by label, shuffled within each
    starts = np.flatnonzero(np.r_[True, np.diff(codes[order]) != 0])
    groups = [group for label in np.split(order, starts[1:]) for group in _chunks(label)]
    random.shuffle(groups)
    batch: list[Rows] = []
    for _ in range(count):
        while sum(map(len, batch)) < size and groups:
            batch.append(groups.pop())
        if batch:
            yield np.concatenate(batch)
            batch = []


def _chunks(rows: Rows) -> list[Rows]:
    """Split the rows of a label into groups of AT_ONCE, without groups of a single row, which are of no use."""
    groups = [rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE)]
    return [group for group in groups if len(group) > 1]
