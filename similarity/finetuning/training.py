"""The training of a head: small networks side by side, on noisy examples, until what is held out gets no better.

The loop is short because there is little to it: a matrix or two, AdamW (I. Loshchilov and F. Hutter, ICLR 2019) with
one cycle of learning rates (L. N. Smith and N. Topin, "Super-convergence", 2018), and what is known to keep a network
of few examples honest, noise on what goes in (C. M. Bishop, 1995) and dropout (N. Srivastava et al., JMLR 2014).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from similarity.finetuning.examples import Labelled
from similarity.finetuning.losses import PROXIES_FASTER, make_criterion
from similarity.finetuning.settings import Settings
from similarity.finetuning.telling import Epoch, OnEpoch, Stage
from similarity.heads import Card, Head
from similarity.search import Rows
from similarity.vectors import Vectors, normalise

if TYPE_CHECKING:
    from torch import Tensor

# Weights begin with this standard deviation by the root of how many numbers go in. Measured: with the root of 2, as is
# usual before rectifiers, recall@1 is 0.02 to 0.03 lower.
BEGIN = 3**-0.5
WARM_UP = 0.1
# Of a label with many pictures, at most so many are in a batch when not all labels fit in.
AT_ONCE = 4

# Says how good a head is, in 0..1.
Judge = Callable[[Head], float]


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """The principal components of some embeddings.

    Attributes:
        centre: float32 (dim,).
        rows: float32 (components, dim), of unit length, the strongest first.
    """

    centre: Vectors
    rows: Vectors

    @classmethod
    def of(cls, embeddings: Vectors, components: int) -> Basis:
        """The strongest of them; there are no more than embeddings, or numbers in one."""
        centre = embeddings.mean(axis=0)
        centred = normalise(embeddings - centre).astype(np.float64)
        strengths, rows = np.linalg.eigh(centred.T @ centred)
        count = min(components, len(embeddings), int((strengths > 1e-9 * strengths[-1]).sum()))
        return cls(centre, np.ascontiguousarray(rows[:, ::-1][:, :count].T, np.float32))

    def project(self, embeddings: Vectors) -> Vectors:
        """Float32 (n, dim) -> float32 (n, components), scaled so that one of the embedding's numbers varies by 1."""
        scale = np.float32(embeddings.shape[1] ** 0.5)
        made: Vectors = scale * (normalise(embeddings - self.centre) @ self.rows.T)
        return made


def train(
    pictures: Labelled,
    settings: Settings,
    card: Card,
    *,
    stage: Stage,
    epochs: int,
    judge: Judge | None = None,
    on_epoch: OnEpoch,
) -> tuple[Head, int]:
    """Train a head on pictures with labels.

    Args:
        epochs: how many of the cycle that `settings.epochs` make up.
        judge: if given, the head of the best epoch is taken, the first of equally good ones; else that of the last.

    Returns:
        The head, and the epoch that it is of.
    """
    basis = Basis.of(pictures.embeddings, settings.components)
    members = _Members(basis.project(pictures.embeddings), pictures, settings)
    best, best_recall, best_epoch = None, -1.0, 0
    for number in range(1, epochs + 1):
        loss = members.learn()
        recall = None
        if judge:
            head = members.head(basis, card)
            recall = judge(head)
            if recall > best_recall:
                best, best_recall, best_epoch = head, recall, number
        on_epoch(Epoch(stage, number, epochs, loss, recall))
        if judge and number - best_epoch >= settings.patience:
            break
    return (best, best_epoch) if best else (members.head(basis, card), epochs)


class _Members:
    """Networks of one shape, trained side by side."""

    def __init__(self, inputs: Vectors, pictures: Labelled, settings: Settings) -> None:
        import torch
        from torch import nn

        self._settings, self._codes = settings, pictures.codes
        self._torch_random = torch.Generator().manual_seed(settings.seed)
        self._random = np.random.default_rng(settings.seed)
        torch.manual_seed(settings.seed)
        self._inputs, self._labels = torch.from_numpy(inputs), torch.from_numpy(pictures.codes.astype(np.int64))
        width, count = inputs.shape[1], settings.members
        self._has_hidden = settings.layers == 2

        def begin(rows: int, columns: int) -> Tensor:
            weights = torch.empty(count, rows, columns)
            return nn.Parameter(weights.normal_(0, BEGIN / columns**0.5, generator=self._torch_random))

        self._first = begin(settings.hidden, width) if self._has_hidden else None
        self._last = begin(settings.dim, settings.hidden if self._has_hidden else width)
        self._criteria = [make_criterion(settings.loss, pictures.labels, settings.dim) for _ in range(count)]
        self._steps = max(1, len(pictures) // settings.batch)
        self._optimiser, self._schedule = self._prepare()

    def _prepare(self) -> tuple[Any, Any]:
        import torch

        settings, own = self._settings, [one for each in self._criteria for one in each.parameters]
        weights = [one for one in (self._first, self._last) if one is not None]
        groups: list[dict[str, Any]] = [{"params": weights, "weight_decay": settings.weight_decay}]
        if own:
            rate = PROXIES_FASTER * settings.learning_rate
            groups.append({"params": own, "weight_decay": 0.0, "lr": rate})
        optimiser = torch.optim.AdamW(groups, lr=settings.learning_rate)
        rates = [group["lr"] for group in optimiser.param_groups]
        total = settings.epochs * self._steps
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rates, total_steps=total, pct_start=WARM_UP)
        return optimiser, schedule

    def learn(self) -> float:
        """One epoch; returns the mean loss of its batches."""
        losses = []
        for rows in draw_batches(self._codes, self._settings.batch, self._steps, self._random):
            chosen = self._labels[rows]
            vectors = self._forward(self._inputs[rows])
            parts = [one.of_labels(made, chosen) for one, made in zip(self._criteria, vectors, strict=True)]
            loss = sum(parts[1:], parts[0])
            self._optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self._optimiser.step()
            self._schedule.step()
            losses.append(loss.item() / len(parts))
        return float(np.mean(losses))

    def _forward(self, inputs: Tensor) -> Tensor:
        """(batch, components) -> (members, batch, dim), of unit length, with noise and dropout."""
        import torch
        from torch.nn import functional

        shape = (self._settings.members, *inputs.shape)
        noisy = inputs + self._settings.noise * torch.randn(shape, generator=self._torch_random)
        if self._first is not None:
            noisy = functional.relu(noisy @ self._first.transpose(1, 2))
        kept = functional.dropout(noisy, self._settings.dropout)
        return functional.normalize(kept @ self._last.transpose(1, 2), dim=2)

    def head(self, basis: Basis, card: Card) -> Head:
        """What they have learned so far, as one head; see `_together`."""
        import torch
        from torch.nn import functional

        with torch.no_grad():
            hidden = self._inputs.expand(self._settings.members, *self._inputs.shape)
            if self._first is not None:
                hidden = functional.relu(hidden @ self._first.transpose(1, 2))
            made = (hidden @ self._last.transpose(1, 2)).numpy()
            last = _together(self._last.detach().numpy(), made, self._settings.dim, is_side_by_side=self._has_hidden)
            first = None if self._first is None else self._first.detach().flatten(0, 1).numpy().copy()
        settings = self._settings
        kept = min(settings.dim, len(basis.rows)) if settings.keep else 0
        return Head(basis.centre, basis.rows, last, card, first, kept, settings.keep if kept else 0.0)


def _together(last: Vectors, made: Vectors, dim: int, *, is_side_by_side: bool) -> Vectors:
    """The last layers of several members as one.

    Each counts alike, by the mean length of what it makes; of all their numbers, the strongest principal components are
    taken, since a similarity is in them.

    Args:
        last: float32 (members, dim, width).
        made: what they make of the examples, float32 (members, n, dim).
        is_side_by_side: whether each has hidden units of its own, or all the same inputs.

    Returns:
        float32 (dim, members * width), or (dim, width).
    """
    scales = np.maximum(np.linalg.norm(made, axis=2).mean(axis=1), 1e-9)
    outputs = np.concatenate([one / scale for one, scale in zip(made, scales, strict=True)], axis=1).astype(np.float64)
    _, directions = np.linalg.eigh(outputs.T @ outputs)
    chosen = directions[:, ::-1][:, :dim].T.reshape(-1, len(last), last.shape[1])
    parts = [chosen[:, number] @ (one / scale) for number, (one, scale) in enumerate(zip(last, scales, strict=True))]
    joined = np.concatenate(parts, axis=1) if is_side_by_side else np.sum(parts, axis=0)
    return np.ascontiguousarray(joined, np.float32)


def draw_batches(codes: npt.NDArray[np.int32], size: int, count: int, random: np.random.Generator) -> Iterator[Rows]:
    """So many batches of rows.

    With few labels, batches are drawn evenly. With many, a batch drawn evenly would hold no two of a label: it is put
    together of up to AT_ONCE pictures each of some labels that have two at least.
    """
    if len(np.unique(codes)) * AT_ONCE <= size:
        order = random.permutation(len(codes))
        yield from (order[number * size : (number + 1) * size] for number in range(count))
        return
    order = random.permutation(len(codes))
    order = order[np.argsort(codes[order], kind="stable")]  # by label, shuffled within each
    starts = np.flatnonzero(np.r_[True, np.diff(codes[order]) != 0])
    groups = [one for label in np.split(order, starts[1:]) for one in _chunks(label)]
    random.shuffle(groups)
    batch: list[Rows] = []
    for _ in range(count):
        while sum(map(len, batch)) < size and groups:
            batch.append(groups.pop())
        if batch:
            yield np.concatenate(batch)
            batch = []


def _chunks(rows: Rows) -> list[Rows]:
    """Rows of one label in groups of AT_ONCE; a single one is of no use."""
    groups = [rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE)]
    return [one for one in groups if len(one) > 1]
