"""The GPU of Apple silicon, played by the CPU: torch of this computer has none, so that what it computes is not tried.

What is tried is what our modules do with it: which device they choose, and what they do when it fails or is wrong.
"""

from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn


def have_mps(
    monkeypatch: pytest.MonkeyPatch, system: str = "Darwin", machine: str = "arm64", *, is_available: bool = True
) -> None:
    """Let this computer say to the choice of devices, and to nobody else, that it has one, and no CUDA."""
    told = SimpleNamespace(system=lambda: system, machine=lambda: machine)
    monkeypatch.setattr("similarity.embedding.devices.platform", told)
    monkeypatch.setattr("similarity.embedding.devices.has_cuda", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", cache(lambda: is_available))  # a cache, as it is


def play_mps(monkeypatch: pytest.MonkeyPatch, *, is_wrong: bool = False) -> list[str]:
    """Let the CPU compute what is sent to it; returns a list that gets a word for each thing that is sent.

    Args:
        is_wrong: the pictures that arrive are others.
    """
    sent: list[str] = []
    module_to, tensor_to = nn.Module.to, torch.Tensor.to

    def on_cpu(
        arguments: tuple[Any, ...], options: dict[str, Any], what: str
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        if "mps" in (*arguments, options.get("device")):
            sent.append(what)
        swapped = ("cpu" if one == "mps" else one for one in arguments)
        return tuple(swapped), {name: "cpu" if one == "mps" else one for name, one in options.items()}

    def move_module(module: nn.Module, *arguments: Any, **options: Any) -> nn.Module:
        swapped, named = on_cpu(arguments, options, "network")
        moved: nn.Module = module_to(module, *swapped, **named)
        return moved

    def move_tensor(tensor: torch.Tensor, *arguments: Any, **options: Any) -> torch.Tensor:
        swapped, named = on_cpu(arguments, options, "numbers")
        moved: torch.Tensor = tensor_to(tensor, *swapped, **named)
        is_other = is_wrong and "mps" in arguments and tensor.dtype == torch.uint8
        return torch.from_numpy(np.zeros_like(moved.numpy())) if is_other else moved

    monkeypatch.setattr(nn.Module, "to", move_module)
    monkeypatch.setattr(torch.Tensor, "to", move_tensor)
    return sent
