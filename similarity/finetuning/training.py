"""Training of a head: small networks in parallel, on noisy examples, until held-out metrics stop rising.

A network has one or two matrices. It is trained with AdamW (I. Loshchilov and F. Hutter, ICLR 2019) and one cycle of
learning rates (L. N. Smith and N. Topin, "Super-convergence", 2018), and regularised, since there are few examples, by
noise on the inputs (C. M. Bishop, 1995) and dropout (N. Srivastava et al., JMLR 2014).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from similarity.errors import HeadError
from similarity.finetuning.batches import TrainingExamples, make_lessons
from similarity.finetuning.losses import PROXIES_FASTER, make_criterion
from similarity.finetuning.settings import Settings
from similarity.search import Rows
from similarity.vectors.arrays import Vectors, normalise
from similarity.vectors.head_card import Card
from similarity.vectors.heads import Head

if TYPE_CHECKING:
    from torch import Tensor

# Weights are initialised with this standard deviation, divided by the root of the number of inputs. Measured: with the
# root of 2, which is usual before rectifiers, recall@1 is 0.02 to 0.03 lower.
INITIAL = 3**-0.5
WARM_UP = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """The principal components of embeddings.

    Attributes:
        centre: float32 (dim,).
        rows: float32 (components, dim), of unit length, the strongest first.
    """

    centre: Vectors
    rows: Vectors

    @classmethod
    def of(cls, embeddings: Vectors, components: int) -> Basis:
        """Fit the strongest components; at most as many as there are embeddings or dimensions."""
        centre = embeddings.mean(axis=0)
        centred = normalise(embeddings - centre).astype(np.float64)
        if len(centred) < centred.shape[1]:  # a hundred times faster for few pictures
            _, spread, rows = np.linalg.svd(centred, full_matrices=False)
            strengths = spread**2
        else:
            strengths, columns = (np.flip(values, -1) for values in np.linalg.eigh(centred.T @ centred))
            rows = columns.T
        count = min(components, len(embeddings), int((strengths > 1e-9 * strengths[0]).sum()))
        return cls(centre, np.ascontiguousarray(rows[:count], np.float32))

    def project(self, embeddings: Vectors) -> Vectors:
        """Project float32 (n, dim) -> float32 (n, components), scaled to unit variance of the embedding's numbers."""
        scale = np.float32(embeddings.shape[1] ** 0.5)
        projected: Vectors = scale * (normalise(embeddings - self.centre) @ self.rows.T)
        return projected


class Member:
    """A network that is trained on a subset of the examples."""

    def __init__(self, examples: TrainingExamples, rows: Rows, settings: Settings, number: int = 0) -> None:
        """Initialise; networks with the same settings have different numbers, and so different random draws."""
        import torch

        seed = settings.seed + 1000 * number
        self._settings = settings
        self._random, self._noise = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
        torch.manual_seed(seed)
        self._basis = Basis.of(examples.background(rows), settings.components)
        self._inputs = torch.from_numpy(self._basis.project(examples.embeddings))
        width, has_hidden = self._inputs.shape[1], settings.layers == 2
        self._first = self._initialise(settings.hidden, width) if has_hidden else None
        self._last = self._initialise(settings.dim, settings.hidden if has_hidden else width)
        self._criterion = make_criterion(settings.loss, examples.labels, settings.dim)
        self._lessons = make_lessons(examples, rows, settings.batch)
        self._optimiser, self._schedule = self._prepare()

    def learn(self) -> float:
        """Train for an epoch; returns the mean loss of its batches."""
        losses = []
        for lesson in self._lessons.draw(self._random):
            loss = lesson.loss(self._criterion, self._forward(self._inputs[lesson.rows]))
            self._optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self._optimiser.step()
            self._schedule.step()
            losses.append(loss.item())
        if not losses:
            raise HeadError("Too few labels have two pictures each to learn from.")
        return float(np.mean(losses))

    def _initialise(self, rows: int, columns: int) -> Tensor:
        import torch
        from torch import nn

        return nn.Parameter(torch.empty(rows, columns).normal_(0, INITIAL / columns**0.5, generator=self._noise))

    def _prepare(self) -> tuple[Any, Any]:
        import torch

        settings, own = self._settings, self._criterion.parameters
        weights = [matrix for matrix in (self._first, self._last) if matrix is not None]
        groups: list[dict[str, Any]] = [{"params": weights, "weight_decay": settings.weight_decay}]
        if own:
            groups.append({"params": own, "weight_decay": 0.0, "lr": PROXIES_FASTER * settings.learning_rate})
        optimiser = torch.optim.AdamW(groups, lr=settings.learning_rate)
        return optimiser, one_cycle(optimiser, settings.epochs * self._lessons.count)

    def _forward(self, inputs: Tensor) -> Tensor:
        """Compute (batch, components) -> (batch, dim), of unit length, with noise and dropout."""
        import torch
        from torch.nn import functional

        hidden = inputs + self._settings.noise * torch.randn(inputs.shape, generator=self._noise)
        if self._first is not None:
            hidden = functional.relu(hidden @ self._first.T)
        outputs = functional.dropout(hidden, self._settings.dropout) @ self._last.T
        return functional.normalize(outputs)

    def head(self, card: Card) -> Head:
        """Return the head as trained so far."""
        settings, basis = self._settings, self._basis
        components = min(settings.dim, len(basis.rows)) if settings.keep else 0
        first = None if self._first is None else self._first.detach().numpy().copy()
        share = settings.keep if components else 0.0
        return Head(basis.centre, basis.rows, self._last.detach().numpy().copy(), card, first, components, share)


def one_cycle(optimiser: Any, steps: int) -> Any:
    """Return a schedule of one cycle of learning rates, up to those of an optimiser and down again."""
    import torch

    rates = [group["lr"] for group in optimiser.param_groups]
    warm_up = WARM_UP if WARM_UP * steps != 1 else 2 * WARM_UP  # with exactly one step, the library divides by zero
    return torch.optim.lr_scheduler.OneCycleLR(optimiser, rates, total_steps=steps, pct_start=warm_up)


def join(heads: Sequence[Head], embeddings: Vectors) -> Head:
    """Join heads of the same basis into one, with vectors of the same size.

    Their outputs are scaled to the same mean length and concatenated; the strongest principal components of these are
    taken, which contain nearly all of the similarity.

    Args:
        embeddings: float32 (n, dim), rows of unit length.
    """
    first_head = heads[0]
    components = normalise(embeddings - first_head.centre) @ first_head.basis.T
    inputs = [components if each.first is None else np.maximum(components @ each.first.T, 0) for each in heads]
    projections = [hidden @ each.last.T for hidden, each in zip(inputs, heads, strict=True)]
    scales = [1 / max(float(np.linalg.norm(each, axis=1).mean()), 1e-9) for each in projections]
    outputs = np.concatenate([scale * each for scale, each in zip(scales, projections, strict=True)], axis=1)
    _, directions = np.linalg.eigh(outputs.T.astype(np.float64) @ outputs)
    dim = len(first_head.last)
    chosen = np.split(directions[:, ::-1][:, :dim].T, len(heads), axis=1)
    parts = [scale * each @ head.last for scale, each, head in zip(scales, chosen, heads, strict=True)]
    firsts = [head.first for head in heads if head.first is not None]
    joined = np.concatenate(parts, axis=1) if firsts else np.sum(parts, axis=0)
    last = np.ascontiguousarray(joined, np.float32)
    return replace(first_head, first=np.concatenate(firsts) if firsts else None, last=last)
