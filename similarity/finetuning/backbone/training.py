"""Training of a backbone: views of pictures, a metric-learning loss, and updates of the weights.

AdamW (I. Loshchilov and F. Hutter, ICLR 2019) with one cycle of learning rates (L. N. Smith and N. Topin,
"Super-convergence", 2018), slower in earlier blocks (J. Howard and S. Ruder, "Universal language model fine-tuning",
ACL 2018), in mixed precision on a GPU (P. Micikevicius et al., "Mixed precision training", ICLR 2018).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from similarity.embedding.engines import Pixels
from similarity.errors import HeadError
from similarity.finetuning.backbone.dataset import Pictures
from similarity.finetuning.backbone.layers import batch_norms, choose_weights
from similarity.finetuning.backbone.precision import Arithmetic
from similarity.finetuning.backbone.settings import TuneSettings
from similarity.finetuning.batches import draw_batches
from similarity.finetuning.losses import make_criterion
from similarity.finetuning.training import one_cycle
from similarity.search import Rows
from similarity.vectors.arrays import Vectors, normalise

if TYPE_CHECKING:
    from torch import Tensor, nn

    State = dict[str, Tensor]

# Shares of the learning rate: of blocks before the last third, and of proxies, which start at random.
EARLIER, PROXIES = 1 / 3, 100.0
# Pictures that are embedded at a time.
BLOCK = 32

OnPictures = Callable[[int], None]


class Tuner:
    """A network that is trained on a subset of the pictures."""

    def __init__(
        self,
        network: nn.Module,
        pictures: Pictures,
        learned: Rows,
        dim: int,
        settings: TuneSettings,
        arithmetic: Arithmetic,
    ) -> None:
        """Prepare the training.

        Args:
            network: the result of `build_network`, with `dim` features.
            learned: rows of the training pictures, int64.
        """
        import torch

        torch.manual_seed(settings.seed)
        layout = torch.contiguous_format if arithmetic.device == "mps" else torch.channels_last
        self._network = network.to(arithmetic.device).to(memory_format=layout)
        self._pictures, self._learned = pictures, learned
        self._settings, self._arithmetic = settings, arithmetic
        self._random = np.random.default_rng(settings.seed)
        self._steps = max(1, -(-len(learned) // settings.batch))
        self._criterion = make_criterion(settings.loss, int(pictures.codes.max()) + 1, dim)
        for proxies in self._criterion.parameters:
            proxies.data = proxies.data.to(arithmetic.device)
        self._optimiser, self._schedule = self._prepare()
        self._scaler = torch.amp.GradScaler(arithmetic.device, enabled=arithmetic.scales)

    def learn(self, epoch: int, on_pictures: OnPictures) -> float:
        """Train for an epoch; returns the mean loss of its batches.

        Args:
            on_pictures: called after each batch with its size.

        Raises:
            HeadError: no label has two pictures to learn from, or the loss is not finite.
        """
        self._network.train()
        for norm in batch_norms(self._network):
            norm.eval()
        losses = []
        for rows, pixels in self._pictures.views(self._batches(), [self._settings.seed, epoch]):
            losses.append(self._step(pixels, self._pictures.codes[rows].astype(np.int64)))
            on_pictures(len(rows))
        if not losses:
            raise HeadError(
                "With some pictures held out, no label has two left to learn from: more pictures are needed."
            )
        loss = float(np.mean(losses))
        if not np.isfinite(loss):
            raise HeadError("The training diverged: try again with a lower learning rate.")
        return loss

    def embed(self, on_pictures: OnPictures) -> Vectors:
        """Embed all pictures as a gallery does, in float32: (n, dim), rows of unit length."""
        import torch

        self._network.eval()
        blocks = []
        with torch.inference_mode():
            for start in range(0, len(self._pictures), BLOCK):
                rows = np.arange(start, min(start + BLOCK, len(self._pictures)))
                blocks.append(self._network(self._on_device(self._pictures.middle(rows))).float().cpu().numpy())
                on_pictures(len(rows))
        return normalise(np.concatenate(blocks))

    def state(self) -> State:
        """Return a copy of the trained weights."""
        weights = self._network.named_parameters()
        return {name: weight.detach().cpu().clone() for name, weight in weights if weight.requires_grad}

    def restore(self, state: State) -> None:
        """Restore a value of `state`."""
        self._network.load_state_dict(state, strict=False)

    @property
    def features(self) -> nn.Module:
        """The network without normalisation, as the backbone builds it."""
        return self._network.get_submodule("features")

    def _batches(self) -> Iterator[Rows]:
        codes = self._pictures.codes[self._learned]
        for places in draw_batches(codes, self._settings.batch, self._steps, self._random):
            yield self._learned[places]

    def _step(self, pixels: Pixels, codes: Rows) -> float:
        import torch
        from torch.nn import functional

        with self._arithmetic.autocast():
            features = self._network(self._on_device(pixels))
        labels = torch.from_numpy(codes).to(self._arithmetic.device)
        loss = self._criterion.of_labels(functional.normalize(features.float()), labels)
        self._optimiser.zero_grad()
        self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        self._scaler.step(self._optimiser)
        self._scaler.update()
        self._schedule.step()
        return float(loss.item())

    def _on_device(self, pixels: Pixels) -> Tensor:
        import torch

        return torch.from_numpy(pixels).to(self._arithmetic.device, non_blocking=True)

    def _prepare(self) -> tuple[Any, Any]:
        import torch

        settings, rate = self._settings, self._settings.learning_rate
        learned = choose_weights(self.features, settings.part)
        groups: list[dict[str, Any]] = []
        for weights, speed in ((learned.last, 1.0), (learned.before, EARLIER)):
            matrices = [weight for weight in weights if weight.ndim > 1]
            others = [weight for weight in weights if weight.ndim <= 1]  # biases and scales have no weight decay
            groups.append({"params": matrices, "lr": speed * rate, "weight_decay": settings.weight_decay})
            groups.append({"params": others, "lr": speed * rate, "weight_decay": 0.0})
        groups.append({"params": self._criterion.parameters, "lr": PROXIES * rate, "weight_decay": 0.0})
        groups = [group for group in groups if group["params"]]
        optimiser = torch.optim.AdamW(groups)
        return optimiser, one_cycle(optimiser, settings.epochs * self._steps)
