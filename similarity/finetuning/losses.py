"""The losses of metric learning, as pytorch-metric-learning has them, on vectors of unit length.

    triplet           F. Schroff, D. Kalenichenko, J. Philbin, "FaceNet", CVPR 2015, with semi-hard triplets
    contrastive       R. Hadsell, S. Chopra, Y. LeCun, "Dimensionality reduction by learning an invariant mapping",
                      CVPR 2006
    multi-similarity  X. Wang, X. Han, W. Huang, D. Dong, M. R. Scott, "Multi-similarity loss with general pair
                      weighting for deep metric learning", CVPR 2019, with its miner
    proxy-anchor      S. Kim, D. Kim, M. Cho, S. Kwak, "Proxy anchor loss for deep metric learning", CVPR 2020

All take the margins of their papers, or the library's for cosine similarities.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from similarity.finetuning.settings import Loss

if TYPE_CHECKING:
    from torch import Tensor, nn

MARGIN = 0.2
# Proxies start anywhere, and have a longer way to go.
PROXIES_FASTER = 10


class Criterion:
    """A loss with its miner.

    Attributes:
        parameters: its own, which are trained too.
    """

    def __init__(self, loss: nn.Module, miner: Callable[[Tensor, Tensor], Any] | None = None) -> None:
        self._loss, self._miner = loss, miner
        self.parameters: list[Tensor] = list(loss.parameters())

    def of_labels(self, vectors: Tensor, labels: Tensor) -> Tensor:
        """The loss of some vectors with labels."""
        mined = self._miner(vectors, labels) if self._miner else None
        value: Tensor = self._loss(vectors, labels, mined)
        return value

    def of_pairs(self, vectors: Tensor, pairs: tuple[Tensor, Tensor, Tensor, Tensor]) -> Tensor:
        """The loss of pairs that belong together (the first two, rows of each), and of pairs that do not."""
        value: Tensor = self._loss(vectors, indices_tuple=pairs)
        return value


def make_criterion(loss: Loss, labels: int, dim: int) -> Criterion:
    """A loss by name, for so many labels and numbers."""
    from pytorch_metric_learning import distances, losses, miners

    cosine = distances.CosineSimilarity()
    if loss == "triplet":
        miner = miners.TripletMarginMiner(margin=MARGIN, type_of_triplets="semihard", distance=cosine)
        return Criterion(losses.TripletMarginLoss(margin=MARGIN, distance=cosine), miner)
    if loss == "contrastive":
        return Criterion(losses.ContrastiveLoss(pos_margin=1, neg_margin=MARGIN, distance=cosine))
    if loss == "proxy-anchor":
        return Criterion(losses.ProxyAnchorLoss(labels, dim))
    return Criterion(losses.MultiSimilarityLoss(), miners.MultiSimilarityMiner())
