"""What runs a backbone: OpenVINO on a CPU, torch on a CUDA GPU. Pixels in, features out, the same from any thread.

A network is converted for OpenVINO once and kept under SIMILARITY_HOME/cache, so that later processes import neither
torch nor timm. The network takes one picture at a time, and two run side by side: on two cores this is as fast as
batches of 16 (within 5 %), and a picture's features cannot depend on its neighbours.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import sys
import tempfile
import warnings
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from similarity.errors import ModelError
from similarity.home import cache_folder
from similarity.models import Backbone, build_network
from similarity.vectors import Vectors

if TYPE_CHECKING:
    from torch import nn

logger = logging.getLogger(__name__)

Pixels = npt.NDArray[np.uint8]
Precision = Literal["auto", "f32", "bf16", "f16"]
Device = Literal["auto", "cpu", "cuda"]


class Engine(Protocol):
    """A network that is ready to run. Safe to call from several threads at once."""

    @property
    def precision(self) -> str:
        """Of its arithmetic: f32, bf16 or f16."""

    def run(self, pixels: Pixels) -> Vectors:
        """uint8 (n, crop, crop, 3) -> float32 (n, dim)."""


def load_engine(
    backbone: Backbone, weights: Path, weights_sha256: str, *, precision: Precision = "auto", device: Device = "auto"
) -> Engine:
    """Make the fastest engine that this computer has for a backbone.

    Args:
        precision: `auto` is bf16 on processors that compute it, else f32, and f16 on a GPU.
        device: `auto` is a CUDA GPU if there is one.
    """
    if device == "cuda" or (device == "auto" and _has_cuda()):
        return TorchEngine(build_network(backbone, weights), device="cuda", precision=precision)
    kept = _cached_network(backbone, weights_sha256)
    if not (kept / "model.bin").is_file():
        _convert(backbone, weights, kept)
    try:
        return OpenVinoEngine(kept / "model.xml", backbone, precision=precision)
    except RuntimeError:
        logger.warning("The converted network in %s is damaged; it is converted again", kept)
        shutil.rmtree(kept, ignore_errors=True)
        _convert(backbone, weights, kept)
        return OpenVinoEngine(kept / "model.xml", backbone, precision=precision)


class OpenVinoEngine:
    """A converted network, compiled for this processor."""

    def __init__(self, model_file: Path, backbone: Backbone, *, precision: Precision = "auto") -> None:
        core = _openvino().Core()
        if precision == "auto":
            precision = "bf16" if "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32"
        side = backbone.preprocessing.crop
        model = core.read_model(model_file)
        model.reshape([1, side, side, 3])
        hints = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "THROUGHPUT"}
        self._compiled = core.compile_model(model, "CPU", hints)
        self._dim = backbone.dim
        self._at_once = 2 * self._compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
        self.precision: str = precision

    def run(self, pixels: Pixels) -> Vectors:
        """Every call has requests of its own, so that callers in different threads do not wait for each other.

        No callbacks: a network that is freed while one is still running waits for ever for Python's own lock.
        """
        features = np.empty((len(pixels), self._dim), np.float32)
        requests = [self._compiled.create_infer_request() for _ in range(min(len(pixels), self._at_once))]
        started: deque[tuple[int, Any]] = deque()
        for row in range(len(pixels)):
            if len(started) == len(requests):
                _finish(started, features)
            request = requests[row % len(requests)]
            request.start_async({0: pixels[row : row + 1]})
            started.append((row, request))
        while started:
            _finish(started, features)
        return features


class TorchEngine:
    """The network in torch, channels last, in half precision unless told otherwise."""

    def __init__(self, network: nn.Module, *, device: str, precision: Precision = "auto") -> None:
        import torch

        self.precision: str = "f16" if precision == "auto" else precision
        dtype = {"f16": torch.float16, "bf16": torch.bfloat16, "f32": torch.float32}[self.precision]
        self._device = device
        self._network = network.to(device=device, dtype=dtype).to(memory_format=torch.channels_last)

    def run(self, pixels: Pixels) -> Vectors:
        """One batch, however many."""
        import torch

        with torch.inference_mode():
            features = self._network(torch.from_numpy(pixels).to(self._device))
            result: Vectors = features.float().cpu().numpy()
        return result


def _finish(started: deque[tuple[int, Any]], features: Vectors) -> None:
    """Wait for the request that was started first and keep what it found."""
    row, request = started.popleft()
    request.wait()
    features[row] = request.get_output_tensor(0).data[0]


def _has_cuda() -> bool:
    """Whether there is a CUDA GPU; torch, which takes seconds to import, is asked only if there is an NVIDIA driver."""
    if not (Path("/dev/nvidiactl").exists() or shutil.which("nvidia-smi")):
        return False
    import torch

    return torch.cuda.is_available()


def _openvino() -> Any:
    """OpenVINO without its usage statistics: it sends them from a package that it does without if it is not there."""
    if "openvino" not in sys.modules:
        sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    import openvino

    return openvino


def _cached_network(backbone: Backbone, weights_sha256: str) -> Path:
    """Where the network in OpenVINO's own format is kept, one folder for each version of everything."""
    parts = (backbone.name, backbone.preprocessing, weights_sha256, _openvino().__version__)
    key = hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
    return cache_folder() / "networks" / f"{backbone.name}-{key}"


def _convert(backbone: Backbone, weights: Path, kept: Path) -> None:
    """Convert into a folder that appears whole or not at all; if another process was first, its result is used."""
    import torch

    network, side = build_network(backbone, weights), backbone.preprocessing.crop
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer's remarks on timm's code
        example = torch.zeros(1, side, side, 3, dtype=torch.uint8)
        traced = torch.jit.trace(network, example, check_trace=False)  # type: ignore[no-untyped-call]
        model = _openvino().convert_model(traced, example_input=example)
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent, prefix=".new-") as folder:
            made = Path(folder, "made")
            made.mkdir()
            _openvino().save_model(model, made / "model.xml", compress_to_fp16=False)
            made.replace(kept)
    except (OSError, RuntimeError) as error:
        if not (kept / "model.bin").is_file():
            raise ModelError(f"The converted network could not be kept in {kept} ({error}).") from error
