"""The `Embedder`, which computes embeddings of pictures, and for some models of words, for galleries and queries."""

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
from PIL import Image

from similarity.embedding.backbones import Backbone, build_network, get_backbone
from similarity.embedding.backbones.tuned import find_choice
from similarity.embedding.backbones.weights import AUTO, ModelChoice, check_same, choose_model, weights_sha256
from similarity.embedding.devices import Device, find_gpu
from similarity.embedding.engines import Engine, OpenVinoEngine, Pixels, load_on_gpu
from similarity.embedding.feature_maps import FeatureMap, FeatureMaps
from similarity.embedding.map_placing import place
from similarity.embedding.openvino_models import converted_network, digest, find_network, quantised_network
from similarity.embedding.precision import Precision
from similarity.embedding.text import TextEmbedder
from similarity.embedding.view_names import View
from similarity.embedding.views import merge, prepare_views, preprocessing_facts, seen_box, windows
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
        view: the view of a picture that it embeds: crop, fit or both, see `views.py`.
        note: if the preferred model was not available, two lines: why, and the remedy.
        reason: why it has its precision, where that was measured.
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
        self.note, self.reason = note, ""
        self.view: View = "crop"
        # Embedders of this network by their view, so that galleries of one view share one.
        self._views: WeakValueDictionary[View, Embedder] = WeakValueDictionary()
        self._views[self.view] = self
        self._engine = engine
        self._weights = weights
        self._texts = TextEmbedder(backbone, weights_sha256, weights)
        self._load_maps = cache(partial(_load_maps, engine, backbone, weights_sha256, weights))

    @classmethod
    def load(
        cls,
        model: str | ModelChoice = AUTO,
        *,
        precision: Precision = "auto",
        device: Device = "auto",
        threads: int | None = None,
        view: View = "crop",
    ) -> "Embedder":
        """Load a backbone by name, or one that `choose_model` found.

        Args:
            precision: `auto` is as `choose_precision` says; int8: see `quantise`.
            device: `auto` is a GPU if there is one; a network that `mps` cannot run, or runs wrongly, is on the CPU.
            threads: maximum number of cores to use on a CPU; by default all.
            view: the view of a picture to embed, see `views.py`.

        Raises:
            ModelError: it cannot be loaded.
        """
        if precision == "int8":
            raise ModelError("An int8 network is calibrated with pictures: use Embedder.quantise.")
        choice = choose_model(model) if isinstance(model, str) else model
        backbone, sha256 = choice.backbone, weights_sha256(choice.weights)
        unit = (find_gpu() or "cpu") if device == "auto" else device
        engine: Engine | None = None
        if unit != "cpu":
            engine = load_on_gpu(build_network(backbone, choice.weights), backbone, unit, precision)
        if engine is None:
            network = converted_network(backbone, choice.weights, sha256)
            engine = OpenVinoEngine(network, backbone, precision=precision, threads=threads)
        return cls(backbone, engine, sha256, weights=choice.weights, note=choice.note).with_view(view)

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
        if find_gpu() is None and (network := find_network(backbone, sha256)):
            return cls(backbone, OpenVinoEngine(network, backbone, precision=precision), sha256)
        embedder = cls.load(find_choice(backbone, sha256), precision=precision)
        check_same(backbone, embedder.weights_sha256, sha256)
        return embedder

    def serves(self, identity: EmbedderId) -> bool:
        """Whether its embeddings can be compared with those of the identified embedder, in the same view."""
        own = (self.backbone.name, self.weights_sha256, self.network_sha256)
        return own == (identity.model, identity.weights_sha256, identity.network_sha256)

    def with_view(self, view: View) -> "Embedder":
        """Return an embedder of another view, with the same network."""
        if (known := self._views.get(view)) is not None:
            return known
        other = copy.copy(self)
        other.view = view
        return self._views.setdefault(view, other)

    @property
    def preprocessing(self) -> dict[str, Any]:
        """The preprocessing and the view as a gallery's manifest keeps them, in JSON's own types."""
        return preprocessing_facts(self.backbone.preprocessing, self.view)

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
        """Preprocess an RGB image to the network's input, uint8 (crop, crop, 3); of two windows, the first."""
        first: Pixels = self.prepare_views(image)[0]
        return first

    def prepare_views(self, image: Image.Image) -> Pixels:
        """Preprocess the windows of an RGB image that this view has: uint8 (1 or 2, crop, crop, 3)."""
        return prepare_views(image, self.backbone.preprocessing, self.view)

    def embed(self, images: Sequence[Image.Image]) -> Vectors:
        """Embed a few RGB images, such as a query: float32 (n, dim), rows of unit length."""
        if not images:
            return np.empty((0, self.dim), np.float32)
        pixels = [self.prepare_views(image) for image in images]
        vectors = normalise(self._engine.run(np.concatenate(pixels)))
        ends = np.cumsum([len(views) for views in pixels])
        return np.stack([merge(part) for part in np.split(vectors, ends[:-1])])

    def seen_box(self, size: tuple[int, int]) -> Box:
        """Return the part of a picture of this size, width and height, that `feature_map` covers."""
        return seen_box(size, self.backbone.preprocessing, self.view)

    def feature_map(self, image: Image.Image) -> FeatureMap:
        """Return the network's last feature map for an RGB image; it covers the part that `seen_box` returns.

        Raises:
            ModelError: this network has no feature map, or its network for the CPU cannot be loaded.
        """
        maps = [self._load_maps().run(pixels) for pixels in self.prepare_views(image)]
        return place(maps, windows(image.size, self.backbone.preprocessing, self.view), image.size)

    def embed_with_map(self, image: Image.Image) -> tuple[Vectors, FeatureMap]:
        """Return the embedding of an RGB image, float32 (dim,), and its feature map; raises as `feature_map`."""
        seen = self.feature_map(image)
        return normalise(seen.features[np.newaxis])[0] if self.maps_come_along else self.embed([image])[0], seen

    @property
    def maps_come_along(self) -> bool:
        """Whether the network runs once for embedding and map; on a GPU only the embedding is computed there."""
        return isinstance(self._engine, OpenVinoEngine)

    def load_feature_maps(self) -> FeatureMaps:
        """Load the network for `feature_map` now, instead of at its first call; raises as `feature_map`."""
        return self._load_maps()

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
            batches: each uint8 (0..batch, crop, crop, 3), of windows from `prepare_views`; some are read ahead.

        Yields:
            For each batch float32 (0..batch, dim), rows of unit length; see `views.merge` for pictures of two windows.
        """
        return map(normalise, self._engine.stream(batches))


def _load_maps(engine: Engine, backbone: Backbone, weights_sha256: str, weights: Path | None) -> FeatureMaps:
    """Load the network that outputs its feature map, too; raises as `Embedder.feature_map`."""
    if not isinstance(engine, OpenVinoEngine):  # one picture is fast on the CPU, too
        network = find_network(backbone, weights_sha256)
        if network is None:
            if weights is None:
                raise ModelError(
                    f"The network of {backbone.title} is not on this computer, so results cannot be explained."
                )
            network = converted_network(backbone, weights, weights_sha256)
        engine = OpenVinoEngine(network, backbone)
    return FeatureMaps(engine, backbone.title)


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
