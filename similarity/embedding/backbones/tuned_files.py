"""Files of weights that were fine-tuned here: a network's own state dict in safetensors, and in the header what it is.

Such a file is recognised by its header, not by its name, and goes back into the network that it came from as it is:
nothing is renamed, as published files need.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

FORMAT = "tuned-1"
# In the header: which of these files it is, of which backbone, and what is to be known of it, in JSON.
KIND, MODEL, CARD = "format", "model", "card"


def read_header(weights: Path) -> dict[str, str]:
    """The words in the header of a file of safetensors, which is not read further; none if it is another kind of file.

    Raises:
        OSError: there is no such file.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(weights, framework="numpy") as file:
            return dict(file.metadata() or {})
    except SafetensorError:
        return {}


def tuned_model(weights: Path) -> str | None:
    """The name of the backbone that was fine-tuned; None if the file is not one of ours."""
    header = read_header(weights)
    return header.get(MODEL) if header.get(KIND) == FORMAT else None


def write_tuned(features: nn.Module, weights: Path, model: str, card: str) -> None:
    """Write what `Backbone.build` made, with the weights that it has now."""
    from safetensors.torch import save_file

    state = {key: tensor.detach().cpu().contiguous() for key, tensor in features.state_dict().items()}
    save_file(state, weights, {KIND: FORMAT, MODEL: model, CARD: card})
