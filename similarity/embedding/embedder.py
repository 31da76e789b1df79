"""Pictures, and for some models words, to embeddings: one `Embedder` for the gallery and for the queries."""

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
    """What makes two embedders the same one, whatever they run on; a gallery remembers it of the one that made it.

    Attributes:
        model: the backbone's name.
        weights_sha256: of its weights file, in hex.
        precision: of its network's arithmetic.
        quantised: the folder of its int8 network, if it is one,
        network_sha256: and that network's digest, since a gallery that is made anew may lie in the same place.
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
        weights_sha256: of the weights file, in hex.
        quantised: the folder of its network if that is in int8, else None,
        network_sha256: and that network's digest.
        note: if it is not the model that was hoped for, two lines: why, and what to do about it.
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
        """`weights` is the file itself, where it is known: the text tower comes from it as well."""
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
            precision: `auto` is bf16 on processors that compute it, else f32, and f16 on a GPU (int8: see `quantise`).
            device: `auto` is a CUDA GPU if there is one.
            threads: how many cores to use at most, where it runs on a CPU; all of them unless given.

        Raises:
            ModelError: it cannot be had.
        """
        if precision == "int8":
            raise ModelError("An int8 network is made from pictures: use Embedder.quantise.")
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
            pixels: of pictures like those it is to embed, as `preprocess` makes them, uint8 (n, crop, crop, 3); 300 of
                them are enough.

        Raises:
            ModelError: it cannot be had, or NNCF is not installed.
        """
        choice = choose_model(model) if isinstance(model, str) else model
        backbone, sha256 = choice.backbone, weights_sha256(choice.weights)
        network = quantised_network(backbone, converted_network(backbone, choice.weights, sha256), pixels)
        engine = OpenVinoEngine(network, backbone, precision="int8")
        return cls(backbone, engine, sha256, weights=choice.weights, quantised=network, note=choice.note)

    @classmethod
    def restore(cls, identity: EmbedderId) -> "Embedder":
        """Load an embedder again that was loaded before; its weights are only needed if its network is not kept.

        Raises:
            ModelError: it cannot be had, or its weights are not the same any more.
        """
        backbone, sha256 = get_backbone(identity.model), identity.weights_sha256
        if identity.quantised:
            engine = OpenVinoEngine(identity.quantised, backbone, precision="int8")
            return cls(backbone, engine, sha256, quantised=identity.quantised)
        # A gallery in bf16 or f16 may be searched where there is no such arithmetic; one in f32 was meant to be exact.
        precision: Precision = "f32" if identity.precision == "f32" else "auto"
        if not has_cuda() and (network := find_network(backbone, sha256)):
            return cls(backbone, OpenVinoEngine(network, backbone, precision=precision), sha256)
        embedder = cls.load(find_choice(backbone, sha256), precision=precision)
        check_same(backbone, embedder.weights_sha256, sha256)
        return embedder

    def serves(self, identity: EmbedderId) -> bool:
        """Whether its embeddings can be compared with those of the embedder that is meant."""
        own = (self.backbone.name, self.weights_sha256, self.network_sha256)
        return own == (identity.model, identity.weights_sha256, identity.network_sha256)

    @property
    def dim(self) -> int:
        """Length of an embedding."""
        return self.backbone.dim

    @property
    def precision(self) -> str:
        """Of the network's arithmetic: f32, bf16, f16 or int8; the embeddings are float32 in any case."""
        return self._engine.precision

    @property
    def batch(self) -> int:
        """How many pictures `embed_stream` takes at a time."""
        return self._engine.batch

    def decode(self, data: bytes, name: str) -> Decoded:
        """A picture file as this model looks at it, in galleries and in queries alike; see `images.decode_scaled`."""
        return decode_scaled(data, name, side=self.backbone.preprocessing.resize)

    def prepare(self, image: Image.Image) -> Pixels:
        """RGB image -> uint8 (crop, crop, 3), what the network takes."""
        return preprocess(image, self.backbone.preprocessing)

    def embed(self, images: Sequence[Image.Image]) -> Vectors:
        """RGB images -> float32 (n, dim), rows of unit length: a query, or a few."""
        if not images:
            return np.empty((0, self.dim), np.float32)
        return normalise(self._engine.run(np.stack([self.prepare(image) for image in images])))

    def feature_map(self, image: Image.Image) -> FeatureMap:
        """What the network sees of an RGB image, cell by cell; the map covers the part that `seen_box` gives.

        Raises:
            ModelError: nothing in this network is a map of the picture, or its network for the CPU cannot be had.
        """
        return self._feature_maps.run(self.prepare(image))

    @cached_property
    def _feature_maps(self) -> FeatureMaps:
        engine = self._engine
        if not isinstance(engine, OpenVinoEngine):  # one picture is soon looked at on the CPU, too
            network = find_network(self.backbone, self.weights_sha256)
            if network is None:
                if self._weights is None:
                    raise ModelError(f"The network of {self.backbone.title} is not here to be looked into.")
                network = converted_network(self.backbone, self._weights, self.weights_sha256)
            engine = OpenVinoEngine(network, self.backbone)
        return FeatureMaps(engine, self.backbone.title)

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Texts -> float32 (n, dim), rows of unit length, to be compared with embeddings of pictures.

        The text tower is loaded when this is called first, and converted if it never was.

        Raises:
            SearchError: one of them says nothing. ModelError: the model does not understand words, or its text tower
                cannot be had.
        """
        return self._texts.embed(texts)

    @property
    def understands_text(self) -> bool:
        """Whether `embed_texts` works with this model."""
        return self.backbone.text is not None

    def embed_stream(self, batches: Iterable[Pixels]) -> Iterator[Vectors]:
        """Many pictures, the fastest way, in order.

        Args:
            batches: each uint8 (0..batch, crop, crop, 3), as `prepare` makes them; some are taken ahead.

        Yields:
            For each batch float32 (0..batch, dim), rows of unit length.
        """
        return map(normalise, self._engine.stream(batches))


def preprocess(image: Image.Image, how: Preprocessing) -> Pixels:
    """Bring an RGB image to the size a network was trained on, normalisation excepted.

    Equal to torchvision's `Resize(how.resize)` and `CenterCrop(how.crop)` on the same image (`Resize` of both sides if
    it is to be squashed), except that only the crop is computed: a picture 1 pixel wide and 60,000 high costs no more
    than any other.

    Returns:
        uint8 (crop, crop, 3).
    """
    left, top, right, bottom = _seen(image.size, how)
    filters = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
    box = (left, top, min(right, image.width), min(bottom, image.height))
    return np.asarray(image.resize((how.crop, how.crop), filters[how.interpolation], box=box))


def seen_box(size: tuple[int, int], how: Preprocessing) -> Box:
    """Which part of a picture of so many pixels, width and height, a network gets to see."""
    width, height = size
    left, top, right, bottom = _seen(size, how)
    return Box(left / width, top / height, min(1.0, right / width), min(1.0, bottom / height))


def _seen(size: tuple[int, int], how: Preprocessing) -> tuple[float, float, float, float]:
    """The crop in pixels of the picture; right and bottom may lie a fraction of a pixel outside."""
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
    """Loads an embedder as another function does, and gives the same one again as long as it is the right one.

    A gallery and what becomes of it share one, which holds nothing else of them.
    """

    def __init__(self, load: Load, embedder: Embedder | None = None) -> None:
        self._load = load
        self._embedder = embedder

    def __call__(self, identity: EmbedderId) -> Embedder:
        if self._embedder is None or not self._embedder.serves(identity):
            self._embedder = self._load(identity)
        return self._embedder
