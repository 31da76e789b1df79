"""The precision in which a network is trained, by device."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal

from similarity.embedding.devices import Unit, has_mps


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Mixed precision where it helps; weights are always in float32.

    Attributes:
        device: the device of training.
        half: the type of most computations, or None if all are in float32.
    """

    device: Unit
    half: Literal["bfloat16", "float16"] | None

    @property
    def scales(self) -> bool:
        """Whether gradients are scaled up, since float16 has too small a range for them."""
        return self.half == "float16"

    def autocast(self) -> AbstractContextManager[Any]:
        """The context of the network's forward pass."""
        import torch

        if self.half is None:
            return nullcontext()
        return torch.autocast(self.device, dtype=getattr(torch, self.half))


def choose_arithmetic(*, has_cuda: bool, has_bfloat16: bool, has_mps: bool = False) -> Arithmetic:
    """Choose half precision on a CUDA GPU, bfloat16 if its hardware supports it; float32 elsewhere."""
    if not has_cuda:
        return Arithmetic("mps" if has_mps else "cpu", None)
    return Arithmetic("cuda", "bfloat16" if has_bfloat16 else "float16")


def arithmetic_here() -> Arithmetic:
    """Choose the precision for this computer."""
    import torch

    has_cuda = torch.cuda.is_available()
    return choose_arithmetic(
        has_cuda=has_cuda,
        has_bfloat16=has_cuda and torch.cuda.is_bf16_supported(including_emulation=False),
        has_mps=has_mps(),
    )
