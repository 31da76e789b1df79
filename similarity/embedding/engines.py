"""Engines that run a backbone: OpenVINO on a CPU, torch on a GPU. Pixels in, features out, from any thread.

Words are always embedded on the CPU, in float32: a query has few texts, and each takes milliseconds.

On a CPU a network is compiled twice: for one picture on all cores, which has the lowest latency, and for batches of 4
on one core each, which has the highest throughput. Measured on two cores with AVX-512 bf16: ResNet-50 21 ms against 39
for a query; for a gallery, batches of 4 equal batches of 1 to 32 in bf16 within noise, and are 7 % faster than single
pictures in int8. The features of a picture are the same either way, to the last bit.
"""

from __future__ import annotations

import itertools
import logging
import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from similarity.embedding.backbones import Backbone, TextTower, TokenIds
from similarity.embedding.compiled_networks import read_or_compile
from similarity.embedding.devices import Gpu, Unit
from similarity.embedding.openvino_models import XML, openvino
from similarity.embedding.precision import Precision
from similarity.errors import ModelError
from similarity.threads import need_threads
from similarity.vectors.arrays import Vectors, normalise

if TYPE_CHECKING:
    from torch import nn

Pixels = npt.NDArray[np.uint8]
# How far each of a picture's features, of unit length, may be apart in a batch and alone: more than by rounding.
FARTHEST = 0.02

logger = logging.getLogger(__name__)


class Engine(Protocol):
    """A network that is ready to run. Safe to call from several threads at once.

    In a process that was forked from one that had loaded a network, all of it raises ForkError.
    """

    @property
    def precision(self) -> str:
        """Precision of the network: f32, bf16, f16 or int8."""

    @property
    def batch(self) -> int:
        """Number of pictures in a batch of `stream`."""

    def run(self, pixels: Pixels) -> Vectors:
        """uint8 (n, crop, crop, 3) -> float32 (n, dim), with low latency."""

    def stream(self, batches: Iterable[Pixels]) -> Iterator[Vectors]:
        """Many batches, each uint8 (0..batch, crop, crop, 3) -> float32 (0..batch, dim), in order, several ahead."""


class OpenVinoEngine:
    """A converted network, compiled for this processor.

    No callbacks: a compiled network that is freed while one is still running waits for ever for Python's own lock.
    """

    batch = 4

    def __init__(
        self, network: Path, backbone: Backbone, *, precision: Precision = "auto", threads: int | None = None
    ) -> None:
        """`threads` is the most cores to use; all of them unless given."""
        need_threads()
        self._core = openvino().Core()
        self.precision: str = choose_precision(precision, "cpu")
        self._threads = threads
        # Read now, since the file may be deleted with its generation of a gallery before it is needed.
        self._network = self._core.read_model(network / XML)
        self._backbone = backbone
        options = self._options("LATENCY")
        self._for_one = read_or_compile(
            self._core, network, options, lambda: self.compile(self.network_for(1), "LATENCY")
        )

    def run(self, pixels: Pixels) -> Vectors:
        """Run one picture after the other; each call has a request of its own, so that threads share no state."""
        need_threads()
        request = self._for_one.create_infer_request()
        return np.stack([_result(request.infer({0: picture[np.newaxis]})) for picture in pixels])[:, 0]

    def stream(self, batches: Iterable[Pixels]) -> Iterator[Vectors]:
        """Start twice as many batches as run in parallel, so that no core waits for the next."""
        need_threads()
        for request, count in run_ahead(self._for_many, batches, self.batch):
            yield request.get_output_tensor(0).data[:count].copy()

    @cached_property
    def _for_many(self) -> Any:
        return self.compile_for_many(self.network_for(self.batch))

    def network_for(self, batch: int) -> Any:
        """A copy of the network for batches of this size, to change and compile."""
        side = self._backbone.preprocessing.crop
        model = self._network.clone()
        model.reshape([batch, side, side, 3])
        return model

    def compile(self, model: Any, hint: str) -> Any:
        """Compile a network in this engine's precision; the hint is OpenVINO's, LATENCY or THROUGHPUT."""
        return self._core.compile_model(model, "CPU", self._options(hint))

    def _options(self, hint: str) -> dict[str, Any]:
        # Layers of an int8 network that are not quantised run in float32, measured no slower than bfloat16.
        floats = "f32" if self.precision == "int8" else self.precision
        settings: dict[str, Any] = {"INFERENCE_PRECISION_HINT": floats, "PERFORMANCE_HINT": hint}
        if self._threads and self._threads < (os.cpu_count() or 1):
            # Several processes that share a machine would all pin themselves to its first cores.
            settings |= {"INFERENCE_NUM_THREADS": self._threads, "ENABLE_CPU_PINNING": False}
        return settings

    def compile_for_many(self, model: Any) -> Any:
        """Compile a network for batches, and compare its first output, the features, with those of one picture alone.

        A stream has once answered wrongly in its first batch, and what it embeds stays in a gallery. OpenVINO keeps the
        prepared weights that the streams of a network share with the compiled network, so that it is compiled anew.

        Raises:
            ModelError: they differ, each time it was compiled.
        """
        from tenacity import retry, retry_if_exception_type, stop_after_attempt  # which a query does without

        again = retry(retry=retry_if_exception_type(ModelError), stop=stop_after_attempt(3), reraise=True)
        return again(self._compile_for_many)(model)

    def _compile_for_many(self, model: Any) -> Any:
        compiled = self.compile(model, "THROUGHPUT")
        noise = np.random.default_rng(0).integers(256, size=model.inputs[0].shape[1:], dtype=np.uint8)
        expected = normalise(self.run(noise[np.newaxis]))
        once_each = [np.repeat(noise[np.newaxis], self.batch, axis=0)] * streams_of(compiled)
        for request, _ in run_ahead(compiled, once_each, self.batch):
            found = normalise(request.get_output_tensor(0).data)
            if not np.allclose(found, expected, rtol=0, atol=FARTHEST, equal_nan=True):
                raise ModelError(
                    f"{self._backbone.title} gives a picture other features in a batch than alone on this computer. "
                    "Run it again, or choose another model."
                )
        return compiled


class OpenVinoTextEngine:
    """A converted text tower, compiled for this processor."""

    def __init__(self, network: Path, tower: TextTower) -> None:
        need_threads()
        core = openvino().Core()
        model = core.read_model(network / XML)
        model.reshape([1, tower.context])
        self._compiled = core.compile_model(
            model, "CPU", {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
        )

    def run(self, tokens: TokenIds) -> Vectors:
        """int64 (n, context) -> float32 (n, dim), one text after the other, in a request of its own."""
        need_threads()
        request = self._compiled.create_infer_request()
        return np.stack([_result(request.infer({0: text[np.newaxis]})) for text in tokens])[:, 0]


class TorchEngine:
    """The network in torch: on a CUDA GPU channels last, and in half precision by default."""

    batch = 32

    def __init__(self, network: nn.Module, *, device: Unit, precision: Precision = "auto") -> None:
        need_threads()
        import torch

        is_mps = device == "mps"
        self.precision: str = choose_precision(precision, "mps" if is_mps else "cuda")
        dtype = {"f16": torch.float16, "bf16": torch.bfloat16, "f32": torch.float32}[self.precision]
        self._device = device
        layout = torch.contiguous_format if is_mps else torch.channels_last
        self._network = network.to(device=device, dtype=dtype).to(memory_format=layout)
        # PyTorch does not say that several threads may use MPS at once.
        self._turn: AbstractContextManager[Any] = threading.Lock() if is_mps else nullcontext()

    def run(self, pixels: Pixels) -> Vectors:
        """Run all pictures in one batch."""
        need_threads()
        import torch

        with self._turn, torch.inference_mode():
            features = self._network(torch.from_numpy(pixels).to(self._device))
            result: Vectors = features.float().cpu().numpy()
        return result

    def stream(self, batches: Iterable[Pixels]) -> Iterator[Vectors]:
        """Run one batch after the other; the decoding threads go on meanwhile."""
        return map(self.run, batches)


def load_on_gpu(network: nn.Module, backbone: Backbone, device: Gpu, precision: Precision) -> TorchEngine | None:
    """Load a network on a GPU; on that of Apple silicon, compare its features with those that the CPU gives.

    Returns:
        None, with a warning in the log, if it cannot run there or gives a picture other features.
    """
    if device == "cuda":
        return TorchEngine(network, device=device, precision=precision)
    side = backbone.preprocessing.crop
    noise = np.random.default_rng(0).integers(256, size=(2, side, side, 3), dtype=np.uint8)
    expected = TorchEngine(network, device="cpu", precision="f32").run(noise)
    try:
        engine = TorchEngine(network, device="mps", precision=precision)
        found = engine.run(noise)
    except (RuntimeError, TypeError) as error:  # an operation or a type of numbers that MPS lacks
        logger.warning("%s cannot run on this GPU, and runs on the CPU: %s", backbone.title, error)
        return None
    if not np.allclose(normalise(found), normalise(expected), rtol=0, atol=FARTHEST, equal_nan=True):
        logger.warning("%s gives other features on this GPU, and runs on the CPU", backbone.title)
        return None
    return engine


def choose_precision(precision: Precision, device: Unit) -> Precision:
    """Resolve `auto` for a device: f16 on a CUDA GPU, bf16 on processors that support it, otherwise f32."""
    if precision != "auto":
        return precision
    if device != "cpu":
        return "f16" if device == "cuda" else "f32"
    return "bf16" if "BF16" in openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32"


def run_ahead(compiled: Any, batches: Iterable[Pixels], size: int) -> Iterator[tuple[Any, int]]:
    """Run batches with several requests of a compiled network, in order.

    Args:
        batches: each uint8 (0..size, crop, crop, 3).

    Yields:
        A request that is done, whose outputs are to be copied before the next, and how many pictures it had.
    """
    at_once = 2 * streams_of(compiled)
    requests = itertools.cycle([compiled.create_infer_request() for _ in range(at_once)])
    started: deque[tuple[Any, int]] = deque()
    for pixels in batches:
        if len(started) == at_once:
            yield _finished(*started.popleft())
        request = next(requests)
        request.start_async({0: _filled_up(pixels, size)})
        started.append((request, len(pixels)))
    while started:
        yield _finished(*started.popleft())


def streams_of(compiled: Any) -> int:
    """Number of batches that a compiled network runs in parallel."""
    return int(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))


def _filled_up(pixels: Pixels, batch: int) -> Pixels:
    """A batch padded with black pictures to the size that the network was compiled for."""
    missing = batch - len(pixels)
    return np.pad(pixels, ((0, missing), (0, 0), (0, 0), (0, 0))) if missing else pixels


def _finished(request: Any, count: int) -> tuple[Any, int]:
    """Wait for a batch."""
    request.wait()
    return request, count


def _result(outputs: Any) -> Vectors:
    """A copy of the only output of a network: its memory belongs to the request."""
    features: Vectors = outputs[0].copy()
    return features
