"""The losses of metric learning, from pytorch-metric-learning, on vectors of unit length.

    triplet           F. Schroff, D. Kalenichenko, J. Philbin, "FaceNet", CVPR 2015, with semi-hard triplets
    contrastive       R. Hadsell, S. Chopra, Y. LeCun, "Dimensionality reduction by learning an invariant mapping",
                      CVPR 2006
    multi-similarity  X. Wang, X. Han, W. Huang, D. Dong, M. R. Scott, "Multi-similarity loss with general pair
                      weighting for deep metric learning", CVPR 2019, with its miner
    proxy-anchor      S. Kim, D. Kim, M. Cho, S. Kwak, "Proxy anchor loss for deep metric learning", CVPR 2020

Margins are those of the papers, or the library's for cosine similarities.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from similarity.finetuning.settings import Loss

if TYPE_CHECKING:
    from torch import Tensor, nn

MARGIN = 0.2
# Factor on the learning rate of proxies, which start at random positions.
PROXIES_FASTER = 10


class Criterion:
    """A loss with its miner.

    Attributes:
        parameters: parameters of the loss, which are trained as well.
    """

    def __init__(self, loss: nn.Module, miner: Callable[[Tensor, Tensor], Any] | None = None) -> None:
        self._loss, self._miner = loss, miner
        self.parameters: list[Tensor] = list(loss.parameters())

    def of_labels(self, vectors: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of vectors with labels."""
        mined = self._miner(vectors, labels) if self._miner else None
        value: Tensor = self._loss(vectors, labels, mined)
        return value

    def of_pairs(self, vectors: Tensor, pairs: tuple[Tensor, Tensor, Tensor, Tensor]) -> Tensor:
        """Return the loss of pairs that belong together (rows of the first two), and of pairs that do not."""
        value: Tensor = self._loss(vectors, indices_tuple=pairs)
        return value


def make_criterion(loss: Loss, labels: int, dim: int) -> Criterion:
    """Return a loss by name, for given numbers of labels and dimensions."""
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
