"""The devices that networks run on: the CPU, a CUDA GPU, or the GPU of Apple silicon, which torch calls MPS."""

import platform
import shutil
from pathlib import Path
from typing import Literal

Unit = Literal["cpu", "cuda", "mps"]
Gpu = Literal["cuda", "mps"]
Device = Literal["auto", "cpu", "cuda", "mps"]


def find_gpu() -> Gpu | None:
    """Return the kind of GPU that networks run on here; None if there is none."""
    return "cuda" if has_cuda() else "mps" if has_mps() else None


def has_cuda() -> bool:
    """Whether there is a CUDA GPU; imports torch, which takes seconds, only if there is an NVIDIA driver."""
    if not (Path("/dev/nvidiactl").exists() or shutil.which("nvidia-smi")):
        return False
    import torch

    return torch.cuda.is_available()


def has_mps() -> bool:
    """Whether there is the GPU of Apple silicon; imports torch, which takes seconds, only on such a computer."""
    if (platform.system(), platform.machine()) != ("Darwin", "arm64"):
        return False
    import torch

    return torch.backends.mps.is_available()
