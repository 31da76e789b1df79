"""A network of four small convolutions with random weights, for every test whose subject is not the network.

It stands where the bundled EfficientNet-Lite2 does: pictures are prepared, batched, run by OpenVINO and explained by
the same code, in a fraction of the time. What it sees is texture, which tells the drawn pictures apart mostly;
where the quality of results is asserted, tests ask for the fixture `bundled`.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from similarity.embedding import embedder as embedding
from similarity.embedding import openvino_models
from similarity.embedding.backbones import BACKBONES
from similarity.embedding.backbones.weights import AUTO, ModelChoice, choose_model, find_weights
from similarity.embedding.embedder import Embedder

Load = Callable[..., Embedder]

BACKBONE = BACKBONES["efficientnet-lite2"]
LOAD: Load = Embedder.load
# What a gallery remembers of the weights, so that any process that shares the converted networks finds it again.
WEIGHTS_SHA256 = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
# Channels and stride of each convolution: 260 pixels become 9 cells, as in the network that it stands for.
LAYERS = ((16, 5), (32, 3), (64, 2), (BACKBONE.dim, 1))


def convert() -> Path:
    """The network's folder among those of SIMILARITY_HOME, written now if it is not there."""
    return openvino_models._keep(openvino_models._picture_folder(BACKBONE, WEIGHTS_SHA256), _write)


def load() -> Embedder:
    """The embedder, in float32 on every machine."""
    return Embedder(BACKBONE, embedding.OpenVinoEngine(convert(), BACKBONE, precision="f32"), WEIGHTS_SHA256)


def instead_of(embedder: Embedder) -> Load:
    """`Embedder.load`, but where that would load the bundled model, this embedder."""

    def loads(model: str | ModelChoice = AUTO, **options: Any) -> Embedder:
        choice = choose_model(model) if isinstance(model, str) else model
        bundled = find_weights(BACKBONE)
        is_bundled = choice.backbone == BACKBONE and bundled and choice.weights.samefile(bundled)
        if not is_bundled or options.get("precision", "auto") != "auto":
            return LOAD(choice, **options)
        light = Embedder(BACKBONE, embedder._engine, WEIGHTS_SHA256, note=choice.note)
        return light.with_view(options.get("view", "crop"))

    return loads


def _write(folder: Path) -> None:
    """uint8 (n, 260, 260, 3) -> float32 (n, 1280): the mean over the cells of the last map."""
    openvino = openvino_models.openvino()
    from openvino import opset13 as ops

    side = BACKBONE.preprocessing.crop
    pixels = ops.parameter([-1, side, side, 3], np.uint8)
    value = ops.divide(ops.subtract(ops.convert(pixels, "f32"), np.float32(127)), np.float32(128))
    value = ops.transpose(value, np.array([0, 3, 1, 2]))
    random, channels = np.random.default_rng(2), 3
    for number, (wider, stride) in enumerate(LAYERS):
        side = 3 if number else 9
        kernel = random.standard_normal((wider, channels, side, side), np.float32) / np.float32(np.sqrt(2 * channels))
        # Kernels without a mean see edges, not the colour of the ground; what they see counts whatever its sign.
        kernel -= kernel.mean(axis=(1, 2, 3) if number else (2, 3), keepdims=True)
        value = ops.abs(value) if number else value
        value = ops.convolution(value, kernel, [stride] * 2, [side // 2] * 2, [side // 2] * 2, [1, 1])
        channels = wider
    pooled = ops.reduce_mean(value, np.array([2, 3]), keep_dims=False)
    openvino.save_model(openvino.Model([pooled], [pixels]), folder / openvino_models.XML, compress_to_fp16=False)
