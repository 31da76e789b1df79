"""The weights of a network that are trained.

A network is seen as a sequence of blocks, the children of its containers. A container is a plain sequence of modules,
or a module with more than half of all weights, such as the encoder of a transformer. So blocks are the bottlenecks of a
ResNet, the inverted residuals of an EfficientNet, or the layers of a ViT.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from similarity.finetuning.backbone.settings import Part

if TYPE_CHECKING:
    from torch import nn

# The last 1/THIRDS of all blocks is the part `last`.
THIRDS = 3


@dataclass(frozen=True, slots=True)
class Learned:
    """The trained weights: those of the last blocks, and those of earlier blocks, if any."""

    last: list[nn.Parameter]
    before: list[nn.Parameter]


def choose_weights(features: nn.Module, part: Part) -> Learned:
    """Freeze all weights that are not trained, and return the others.

    Batch normalisation is always frozen, statistics as well as weights: batches are small, and the embedding of a
    picture must not depend on other pictures.
    """
    late = {id(parameter) for block in _find_last_blocks(features) for parameter in block.parameters()}
    frozen = {id(parameter) for norm in batch_norms(features) for parameter in norm.parameters()}
    learned = Learned([], [])
    for weight in features.parameters():
        is_late = id(weight) in late
        weight.requires_grad_(id(weight) not in frozen and (is_late or part == "all"))
        if weight.requires_grad:
            (learned.last if is_late else learned.before).append(weight)
    return learned


def _find_last_blocks(features: nn.Module) -> Iterator[nn.Module]:
    """The last third of the blocks; of a network with branches, which run beside each other, that of each."""
    for branch in getattr(features, "branches", [features]):
        blocks = list(find_blocks(branch))
        yield from blocks[-max(1, len(blocks) // THIRDS) :]


def find_blocks(features: nn.Module) -> Iterator[nn.Module]:
    """The blocks of a network, in order; those without weights are left out."""
    from torch import nn

    total = _count(features)

    def walk(module: nn.Module) -> Iterator[nn.Module]:
        for child in module.children():
            is_container = isinstance(child, nn.Sequential | nn.ModuleList) or _count(child) * 2 > total
            if is_container and any(True for _ in child.children()):
                yield from walk(child)
            elif _count(child):
                yield child

    return walk(features)


def batch_norms(features: nn.Module) -> Iterator[nn.Module]:
    """The batch normalisation layers of a network."""
    from torch.nn.modules.batchnorm import _BatchNorm

    return (module for module in features.modules() if isinstance(module, _BatchNorm))


def _count(module: nn.Module) -> int:
    return sum(weight.numel() for weight in module.parameters())
