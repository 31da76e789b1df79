"""An embedder whose network is a fixed random projection, for tests of what is written and what survives.

Hundreds of processes are started and killed there, and none could load a real network in the time there is. Decoding,
preprocessing, the pipeline and everything on disk are real.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from similarity.embedding.backbones import BACKBONES, Backbone
from similarity.embedding.backbones.weights import ModelChoice
from similarity.embedding.embedder import Embedder, EmbedderId
from similarity.embedding.engines import Pixels
from similarity.gallery import Gallery
from similarity.vectors.arrays import Vectors

BACKBONE = BACKBONES["efficientnet-lite2"]
CHOICE = ModelChoice(BACKBONE, Path("no weights"))


class Projection:
    """Pixels, shrunk to 13 x 13, times a matrix.

    Attributes:
        log: a file that gets a line for every picture that is embedded.
    """

    precision = "f32"
    batch = 4

    def __init__(self, backbone: Backbone, log: Path | None = None) -> None:
        self.log = log
        self._matrix = np.random.default_rng(0).standard_normal((507, backbone.dim)).astype(np.float32)

    def run(self, pixels: Pixels) -> Vectors:
        if self.log:
            with self.log.open("a") as file:
                file.writelines(f"{fingerprint(one)}\n" for one in pixels)
        small = pixels[:, ::20, ::20].reshape(len(pixels), 507).astype(np.float32) - 128
        # One after the other, so that a picture's embedding does not depend on who is beside it.
        return np.array([one @ self._matrix for one in small], np.float32).reshape(-1, self._matrix.shape[1])

    def stream(self, batches: Iterable[Pixels]) -> Iterator[Vectors]:
        return map(self.run, batches)


def fingerprint(pixels: Pixels) -> str:
    """What a prepared picture is known as in a log."""
    return hashlib.sha256(pixels.tobytes()).hexdigest()


def standin(log: Path | None = None) -> Embedder:
    """The embedder."""
    return Embedder(BACKBONE, Projection(BACKBONE, log), "0" * 64)


def load(_: EmbedderId) -> Embedder:
    """As `Embedder.restore`; it logs if the environment says so."""
    log = os.environ.get("EMBEDDED_LOG")
    return standin(Path(log) if log else None)


def use_standin() -> None:
    """Have `index` use it in this process, whatever model is asked for."""
    Embedder.load = classmethod(lambda *_, view="crop", **__: load(None).with_view(view))  # type: ignore


def answers(directory: Path) -> list[list[tuple[str, float]]]:
    """What a gallery answers to each of its own embeddings."""
    gallery = Gallery.open(directory, load=load)
    return [[(hit.item.id, hit.score) for hit in gallery.search_vector(vector, 5)] for vector in gallery.vectors]
