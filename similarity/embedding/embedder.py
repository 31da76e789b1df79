"""The `Embedder`, which computes embeddings of pictures, and for some models of words, for galleries and queries."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image

from similarity.embedding.backbones import Backbone, Preprocessing, build_network, get_backbone
from similarity.embedding.backbones.tuned import find_choice
from similarity.embedding.backbones.weights import AUTO, ModelChoice, check_same, choose_model, weights_sha256
from similarity.embedding.engines import Device, Engine, OpenVinoEngine, Pixels, TorchEngine, has_cuda
from similarity.embedding.feature_maps import FeatureMap, FeatureMaps
from similarity.embedding.openvino_models import converted_network, digest, find_network, quantised_network
from similarity.embedding.precision import Precision
from similarity.embedding.text import TextEmbedder
from similarity.errors import ModelError
from similarity.images.decoding import Decoded, decode_scaled
from similarity.images.picture import Box
from similarity.vectors.arrays import Vectors, normalise


@dataclass(frozen=True, slots=True)
class EmbedderId:
    """The identity of an embedder, independent of its device; a gallery stores that of the embedder that made it.

    Attributes:
        model: the backbone's name.
        weights_sha256: SHA-256 of its weights file, in hex.
        precision: number format that its network computes in.
        quantised: the folder of its int8 network, if it has one.
        network_sha256: the digest of that network, since a rebuilt gallery may have another one in the same folder.
    """

    model: str
    weights_sha256: str
    precision: str = "auto"
    quantised: Path | None = None
    network_sha256: str | None = None


class Embedder:
    """A backbone with its weights: RGB images or texts in, vectors of unit length out. Safe to share between threads.

    Attributes:
        backbone: its entry in the registry.
        weights_sha256: SHA-256 of the weights file, in hex.
        quantised: the folder of its int8 network, if it has one.
        network_sha256: the digest of that network.
        note: if the preferred model was not available, two lines: why, and the remedy.
    """

    def __init__(
        self,
        backbone: Backbone,
        engine: Engine,
        weights_sha256: str,
        *,
        weights: Path | None = None,
        quantised: Path | None = None,
        note: str = "",
    ) -> None:
        """`weights` is the weights file, if it is known; the text tower is loaded from it as well."""
        self.backbone = backbone
        self.weights_sha256 = weights_sha256
        self.quantised = quantised
        self.network_sha256 = digest(quantised) if quantised else None
        self.note = note
        self._engine = engine
        self._weights = weights
        self._texts = TextEmbedder(backbone, weights_sha256, weights)

    @classmethod
    def load(
        cls,
        model: str | ModelChoice = AUTO,
        *,
        precision: Precision = "auto",
        device: Device = "auto",
        threads: int | None = None,
    ) -> "Embedder":
        """Load a backbone by name, or one that `choose_model` found.

        Args:
            precision: `auto` is bf16 on processors that support it, otherwise f32, and f16 on a GPU (int8: see
                `quantise`).
            device: `auto` is a CUDA GPU if there is one.
            threads: maximum number of cores to use on a CPU; by default all.

        Raises:
            ModelError: it cannot be loaded.
        """
        if precision == "int8":
            raise ModelError("An int8 network is calibrated with pictures: use Embedder.quantise.")
        choice = choose_model(model) if isinstance(model, str) else model
        backbone, sha256 = choice.backbone, weights_sha256(choice.weights)
        engine: Engine
        if device == "cuda" or (device == "auto" and has_cuda()):
            engine = TorchEngine(build_network(backbone, choice.weights), device="cuda", precision=precision)
        else:
            network = converted_network(backbone, choice.weights, sha256)
            engine = OpenVinoEngine(network, backbone, precision=precision, threads=threads)
        return cls(backbone, engine, sha256, weights=choice.weights, note=choice.note)

    @classmethod
    def quantise(cls, model: str | ModelChoice, pixels: Pixels) -> "Embedder":
        """Load a backbone in int8, on the CPU.

        Args:
            pixels: pictures similar to those it will embed, from `preprocess`, uint8 (n, crop, crop, 3); 300 are
                enough.

        Raises:
            ModelError: it cannot be loaded, or NNCF is not installed.
        """
        choice = choose_model(model) if isinstance(model, str) else model
        backbone, sha256 = choice.backbone, weights_sha256(choice.weights)
        network = quantised_network(backbone, converted_network(backbone, choice.weights, sha256), pixels)
        engine = OpenVinoEngine(network, backbone, precision="int8")
        return cls(backbone, engine, sha256, weights=choice.weights, quantised=network, note=choice.note)

    @classmethod
    def restore(cls, identity: EmbedderId) -> "Embedder":
        """Load an embedder again by its identity; needs its weights only if its converted network is not cached.

        Raises:
            ModelError: it cannot be loaded, or its weights have changed.
        """
        backbone, sha256 = get_backbone(identity.model), identity.weights_sha256
        if identity.quantised:
            engine = OpenVinoEngine(identity.quantised, backbone, precision="int8")
            return cls(backbone, engine, sha256, quantised=identity.quantised)
        # A gallery in bf16 or f16 may be searched on a computer without such arithmetic; f32 was chosen to be exact.
        precision: Precision = "f32" if identity.precision == "f32" else "auto"
        if not has_cuda() and (network := find_network(backbone, sha256)):
            return cls(backbone, OpenVinoEngine(network, backbone, precision=precision), sha256)
        embedder = cls.load(find_choice(backbone, sha256), precision=precision)
        check_same(backbone, embedder.weights_sha256, sha256)
        return embedder

    def serves(self, identity: EmbedderId) -> bool:
        """Whether its embeddings can be compared with those of the identified embedder."""
        own = (self.backbone.name, self.weights_sha256, self.network_sha256)
        return own == (identity.model, identity.weights_sha256, identity.network_sha256)

    @property
    def dim(self) -> int:
        """Length of an embedding."""
        return self.backbone.dim

    @property
    def precision(self) -> str:
        """Precision of the network: f32, bf16, f16 or int8; embeddings are always float32."""
        return self._engine.precision

    @property
    def batch(self) -> int:
        """Number of pictures in a batch of `embed_stream`."""
        return self._engine.batch

    def decode(self, data: bytes, name: str) -> Decoded:
        """Decode a picture file for this model, in galleries and queries alike; see `decode_scaled`."""
        return decode_scaled(data, name, side=self.backbone.preprocessing.resize)

    def prepare(self, image: Image.Image) -> Pixels:
        """Preprocess an RGB image to the network's input, uint8 (crop, crop, 3)."""
        return preprocess(image, self.backbone.preprocessing)

    def embed(self, images: Sequence[Image.Image]) -> Vectors:
        """Embed a few RGB images, such as a query: float32 (n, dim), rows of unit length."""
        if not images:
            return np.empty((0, self.dim), np.float32)
        return normalise(self._engine.run(np.stack([self.prepare(image) for image in images])))

    def feature_map(self, image: Image.Image) -> FeatureMap:
        """Return the network's last feature map for an RGB image; it covers the part that `seen_box` returns.

        Raises:
            ModelError: this network has no feature map, or its network for the CPU cannot be loaded.
        """
        return self._feature_maps.run(self.prepare(image))

    def embed_with_map(self, image: Image.Image) -> tuple[Vectors, FeatureMap]:
        """Return the embedding of an RGB image, float32 (dim,), and its feature map; raises as `feature_map`.

        On a CPU the network runs once for both. On a GPU only the embedding is computed there.
        """
        seen = self.feature_map(image)
        runs_once = isinstance(self._engine, OpenVinoEngine)
        return normalise(seen.features[np.newaxis])[0] if runs_once else self.embed([image])[0], seen

    def load_feature_maps(self) -> None:
        """Load the network for `feature_map` now, instead of at its first call; raises as `feature_map`."""
        _ = self._feature_maps

    @cached_property
    def _feature_maps(self) -> FeatureMaps:
        engine = self._engine
        if not isinstance(engine, OpenVinoEngine):  # one picture is fast on the CPU, too
            network = find_network(self.backbone, self.weights_sha256)
            if network is None:
                if self._weights is None:
                    raise ModelError(
                        f"The network of {self.backbone.title} is not on this computer, so results cannot be explained."
                    )
                network = converted_network(self.backbone, self._weights, self.weights_sha256)
            engine = OpenVinoEngine(network, self.backbone)
        return FeatureMaps(engine, self.backbone.title)

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Embed texts in the space of pictures: float32 (n, dim), rows of unit length.

        The first call loads the text tower, and converts it if necessary.

        Raises:
            SearchError: a text is empty. ModelError: the model does not understand words, or its text tower cannot be
                loaded.
        """
        return self._texts.embed(texts)

    @property
    def understands_text(self) -> bool:
        """Whether `embed_texts` works with this model."""
        return self.backbone.text is not None

    def embed_stream(self, batches: Iterable[Pixels]) -> Iterator[Vectors]:
        """Embed many pictures in order, with the highest throughput.

        Args:
            batches: each uint8 (0..batch, crop, crop, 3), of pictures from `prepare`; some are read ahead.

        Yields:
            For each batch float32 (0..batch, dim), rows of unit length.
        """
        return map(normalise, self._engine.stream(batches))


def preprocess(image: Image.Image, how: Preprocessing) -> Pixels:
    """Resize and crop an RGB image to the size a network was trained on, without normalisation.

    Equal to torchvision's `Resize(how.resize)` and `CenterCrop(how.crop)` on the same image (`Resize` of both sides if
    it is squashed), except that only the crop is computed, so that a picture 1 pixel wide and 60,000 high is not slower
    than others.

    Returns:
        uint8 (crop, crop, 3).
    """
    left, top, right, bottom = _crop_edges(image.size, how)
    filters = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
    box = (left, top, min(right, image.width), min(bottom, image.height))
    return np.asarray(image.resize((how.crop, how.crop), filters[how.interpolation], box=box))


def seen_box(size: tuple[int, int], how: Preprocessing) -> Box:
    """Return the part of a picture of this size, width and height, that a network sees."""
    width, height = size
    left, top, right, bottom = _crop_edges(size, how)
    return Box(left / width, top / height, min(1.0, right / width), min(1.0, bottom / height))


def _crop_edges(size: tuple[int, int], how: Preprocessing) -> tuple[float, float, float, float]:
    """Return the crop in pixels; right and bottom may be a fraction of a pixel outside of the picture."""
    short = min(size)
    # The sizes and offsets below are rounded the way torchvision rounds them.
    resized = [how.resize if side == short or how.fit == "squash" else int(how.resize * side / short) for side in size]
    offsets = [round((side - how.crop) / 2.0) for side in resized]
    scales = [side / new for side, new in zip(size, resized, strict=True)]
    left, top = (offset * scale for offset, scale in zip(offsets, scales, strict=True))
    return left, top, left + how.crop * scales[0], top + how.crop * scales[1]


# Loads the embedder that made a gallery.
Load = Callable[[EmbedderId], Embedder]


class Reusing:
    """A loader that keeps the last embedder and returns it again while the identity stays the same.

    A gallery and its later states share one loader, which keeps nothing else of them.
    """

    def __init__(self, load: Load, embedder: Embedder | None = None) -> None:
        self._load = load
        self._embedder = embedder

    def __call__(self, identity: EmbedderId) -> Embedder:
        if self._embedder is None or not self._embedder.serves(identity):
            self._embedder = self._load(identity)
        return self._embedder
