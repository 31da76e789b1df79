"""Files of fine-tuned weights: a network's own state dict in safetensors, described by the header.

Such a file is recognised by its header, not by its name. Its keys are those of the network, so unlike those of a
published file they are not renamed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

FORMAT = "tuned-1"
# Fields of the header: the format, the backbone, and the card in JSON.
KIND, MODEL, CARD = "format", "model", "card"


def read_header(weights: Path) -> dict[str, str]:
    """Read the header of a file of safetensors; empty for another kind of file.

    Raises:
        OSError: the file cannot be read.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(weights, framework="numpy") as file:
            return dict(file.metadata() or {})
    except SafetensorError:
        return {}


def tuned_model(weights: Path) -> str | None:
    """The name of the fine-tuned backbone; None for another kind of file."""
    header = read_header(weights)
    return header.get(MODEL) if header.get(KIND) == FORMAT else None


def write_tuned(features: nn.Module, weights: Path, model: str, card: str) -> None:
    """Write the current weights of a network that `Backbone.build` made."""
    from safetensors.torch import save_file

    state = {key: tensor.detach().cpu().contiguous() for key, tensor in features.state_dict().items()}
    save_file(state, weights, {KIND: FORMAT, MODEL: model, CARD: card})
