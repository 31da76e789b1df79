"""Embedding texts in the space of a backbone's pictures, by its text tower."""

import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from similarity.embedding.backbones import Backbone, TextTower, Tokenizer, check_installed
from similarity.embedding.backbones.weights import check_same, obtain_weights, weights_sha256
from similarity.embedding.engines import OpenVinoTextEngine
from similarity.embedding.openvino_models import converted_text_network, find_text_network
from similarity.errors import ModelError, SearchError
from similarity.text.plain import LONGEST
from similarity.vectors.arrays import Vectors, normalise


class TextEmbedder:
    """A backbone's text tower, loaded when the first text is embedded. Safe to share between threads.

    OpenCLIP's tokenizer imports torch into this process, which takes seconds once; pictures go without.
    """

    def __init__(self, backbone: Backbone, weights_sha256: str, weights: Path | None = None) -> None:
        """`weights` is looked up, and downloaded, unless given; not needed if the converted network is cached."""
        self._backbone = backbone
        self._weights_sha256 = weights_sha256
        self._weights = weights
        self._lock = threading.Lock()

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed texts: float32 (n, dim), rows of unit length.

        Raises:
            SearchError: a text is empty. ModelError: the backbone does not understand words, or its text tower cannot
                be loaded.
        """
        self._require_tower()
        if not all(text.strip() for text in texts):
            raise SearchError("Give words to search for.")
        if not texts:
            return np.empty((0, self._backbone.dim), np.float32)
        with self._lock:  # loading needs the lock, running does not
            tokenizer, engine = self._tokenizer, self._engine
        return normalise(engine.run(tokenizer([text[:LONGEST] for text in texts])))

    def _require_tower(self) -> TextTower:
        if self._backbone.text is None:
            raise ModelError(
                f"{self._backbone.title} searches with pictures only; a CLIP model such as clip-b32 understands words."
            )
        return self._backbone.text

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        check_installed(self._backbone)
        return self._require_tower().tokenizer()

    @cached_property
    def _engine(self) -> OpenVinoTextEngine:
        return OpenVinoTextEngine(self._network(), self._require_tower())

    def _network(self) -> Path:
        """Return the folder of the converted text tower."""
        if network := find_text_network(self._backbone, self._weights_sha256):
            return network
        weights = self._weights if self._weights and self._weights.is_file() else obtain_weights(self._backbone)
        check_same(self._backbone, weights_sha256(weights), self._weights_sha256)
        return converted_text_network(self._backbone, weights, self._weights_sha256)
