"""Pictures to embeddings: one `Embedder` for the gallery and for the queries."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from similarity.engines import Device, Engine, Pixels, Precision, load_engine
from similarity.models import Backbone, Preprocessing
from similarity.vectors import Vectors, normalise
from similarity.weights import AUTO, ModelChoice, choose_model


class Embedder:
    """A backbone with its weights: RGB images in, vectors of unit length out. Safe to share between threads.

    Attributes:
        backbone: its entry in the registry.
        weights_sha256: of the weights file, in hex.
        note: if it is not the model that was hoped for, two lines: why, and what to do about it.
    """

    def __init__(self, backbone: Backbone, engine: Engine, weights_sha256: str, *, note: str = "") -> None:
        self.backbone = backbone
        self.weights_sha256 = weights_sha256
        self.note = note
        self._engine = engine

    @classmethod
    def load(
        cls, model: str | ModelChoice = AUTO, *, precision: Precision = "auto", device: Device = "auto"
    ) -> "Embedder":
        """Load a backbone by name, or one that `choose_model` found; raises ModelError if it cannot be had."""
        choice = choose_model(model) if isinstance(model, str) else model
        sha256 = _sha256(choice.weights)
        engine = load_engine(choice.backbone, choice.weights, sha256, precision=precision, device=device)
        return cls(choice.backbone, engine, sha256, note=choice.note)

    @property
    def dim(self) -> int:
        """Length of an embedding."""
        return self.backbone.dim

    @property
    def precision(self) -> str:
        """Of the network's arithmetic: f32, bf16 or f16; the embeddings are float32 in any case."""
        return self._engine.precision

    def prepare(self, image: Image.Image) -> Pixels:
        """RGB image -> uint8 (crop, crop, 3), what the network takes."""
        return preprocess(image, self.backbone.preprocessing)

    def embed(self, images: Sequence[Image.Image]) -> Vectors:
        """RGB images -> float32 (n, dim), rows of unit length."""
        if not images:
            return np.empty((0, self.dim), np.float32)
        return self.embed_pixels(np.stack([self.prepare(image) for image in images]))

    def embed_pixels(self, pixels: Pixels) -> Vectors:
        """uint8 (n, crop, crop, 3) as `prepare` makes them -> float32 (n, dim), rows of unit length."""
        return normalise(self._engine.run(pixels))


def preprocess(image: Image.Image, how: Preprocessing) -> Pixels:
    """Bring an RGB image to the size a network was trained on, normalisation excepted.

    Equal to torchvision's `Resize(how.resize)` and `CenterCrop(how.crop)` on the same image, except that only the crop
    is computed: a picture 1 pixel wide and 60,000 high costs no more than any other.

    Returns:
        uint8 (crop, crop, 3).
    """
    short = min(image.size)
    # The sizes and offsets below are rounded the way torchvision rounds them.
    resized = [how.resize if side == short else int(how.resize * side / short) for side in image.size]
    offsets = [round((side - how.crop) / 2.0) for side in resized]
    scales = [side / new for side, new in zip(image.size, resized, strict=True)]
    left, top = (offset * scale for offset, scale in zip(offsets, scales, strict=True))
    right, bottom = left + how.crop * scales[0], top + how.crop * scales[1]
    filters = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
    box = (left, top, min(right, image.width), min(bottom, image.height))
    return np.asarray(image.resize((how.crop, how.crop), filters[how.interpolation], box=box))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
