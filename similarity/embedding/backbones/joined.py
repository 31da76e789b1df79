"""Two networks as one: their last feature maps are laid over each other, and its features are the mean over the cells.

    pixels, 260 x 260 -> first network  -> map of 9 x 9 cells --------------------------> concatenated -> mean
            224 x 224 -> second network -> map of 7 x 7 cells -> 9 x 9, times its weight /

Both changes of size are products with fixed matrices, which any runtime computes exactly alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from similarity.embedding.backbones.libraries import by_position

if TYPE_CHECKING:
    from torch import Tensor, nn

    from similarity.embedding.backbones.backbone import StateDict
    from similarity.embedding.backbones.libraries import Build

# Pixels between the centres of a map's cells, in each direction: that of timm's networks for classification.
STRIDE = 32


def joined_features(names: tuple[str, str], sides: tuple[int, int], weight: float) -> Build:
    """Two of timm's networks of convolutions in one module, each of them a branch.

    Args:
        names: those of timm.
        sides: sides of the pictures for each, in pixels; the module takes the first, and resizes for the second by
            bilinear interpolation with antialiasing.
        weight: factor of the second network's features, beside the first's.
    """

    def build() -> nn.Module:
        import timm
        import torch
        from torch import nn

        class Joined(nn.Module):
            """float32 (n, 3, side, side) -> (n, features of the first + features of the second)."""

            def __init__(self) -> None:
                super().__init__()
                self.branches = nn.ModuleList(timm.create_model(name, num_classes=0) for name in names)
                cells, coarser = (-(-side // STRIDE) for side in sides)
                # Not in the state dict, which has weights only.
                self.register_buffer("resize", bilinear_matrix(*sides), persistent=False)
                self.register_buffer("spread", area_matrix(coarser, cells), persistent=False)

            def forward(self, pixels: Tensor) -> Tensor:
                resize, spread = self.get_buffer("resize"), self.get_buffer("spread")
                first, second = cast("list[Any]", self.branches)  # timm's, which are not typed
                fine = first.forward_features(pixels)
                coarse = second.forward_features(resize @ pixels @ resize.T)
                return torch.cat([fine, weight * (spread @ coarse @ spread.T)], dim=1).mean((2, 3))

        return Joined()

    return build


def by_position_in_branches(state: StateDict, network: nn.Module) -> StateDict:
    """As `by_position` in each branch; keys begin with the number of their file, as `Backbone.also` says."""
    adapted: StateDict = {}
    for number, branch in network.get_submodule("branches").named_children():
        prefix = f"{number}."
        own = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
        adapted |= {f"branches.{prefix}{key}": value for key, value in by_position(own, branch).items()}
    return adapted


def bilinear_matrix(side: int, smaller: int) -> Tensor:
    """The matrix that resizes columns by bilinear interpolation with antialiasing: float32 (smaller, side)."""
    import torch
    from torch.nn import functional

    identity = torch.eye(side)[None, None]
    return functional.interpolate(identity, (smaller, side), mode="bilinear", antialias=True)[0, 0]


def area_matrix(cells: int, finer: int) -> Tensor:
    """The matrix that resamples columns of cells to more of them and keeps their mean: float32 (finer, cells).

    Each new cell is the average of what it overlaps: rows sum to 1, and columns to finer / cells.
    """
    import torch

    edges = torch.arange(finer + 1) * cells / finer
    old = torch.arange(cells)
    overlaps = torch.minimum(edges[1:, None], old + 1) - torch.maximum(edges[:-1, None], old)
    return overlaps.clamp(min=0) * finer / cells
