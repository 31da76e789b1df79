"""A head: a projection of a backbone's embeddings, learned from a gallery's labels or feedback.

    x   an embedding                        float32 (dim_in,), of unit length
    p   = basis unit(x - centre)            its principal components, after centring
    k   = unit(the first `kept` of p)       the backbone's part, kept
    h   = unit(last p)                      the learned part, linear,
          unit(last relu(first p))          or with a hidden layer
    v   = (sqrt(share) k, sqrt(1 - share) h)

So the cosine similarity of two pictures is `share` of the backbone's and the rest of the learned part's. The
learned part alone puts kinds that were not in the training data on top of each other; the kept part tells them apart.
Nothing has a bias: around an embedding a head is linear, so that a score can be split over a picture's parts.

NumPy applies it; torch is only needed to make one, see `finetuning`. `head_files.py` has the format of its file.
"""

import hashlib
import io
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from similarity.errors import HeadError
from similarity.files import open_own, write_atomically
from similarity.paths import heads_folder
from similarity.vectors.arrays import Vectors, normalise
from similarity.vectors.head_card import Card
from similarity.vectors.head_files import BASIS, CENTRE, FIRST, LAST, MALFORMED, pack, unpack

__all__ = ["Affine", "Card", "Head", "keep_head", "parse_head", "read_head"]

SUFFIX = ".safetensors"
# A larger file is no head of ours, and is not read.
MOST_BYTES = 1 << 28
# How many embeddings are projected at a time.
BLOCK = 4096
# No length is taken for less, so that nothing is divided by zero.
TINY = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True, slots=True)
class Affine:
    """The effect of a head on one embedding, written as v = matrix x + constant.

    Attributes:
        matrix: float32 (dim, dim_in).
        constant: float32 (dim,).
    """

    matrix: Vectors
    constant: Vectors


@dataclass(frozen=True, eq=False)
class Head:
    """A learned projection. Safe to share between threads.

    Attributes:
        centre: float32 (dim_in,).
        basis: float32 (components, dim_in), rows of unit length.
        last: float32 (learned, components), or (learned, hidden) if there is a hidden layer.
        card: its training data, settings and metrics.
        first: of the hidden layer, float32 (hidden, components), or None.
        kept: how many components are kept,
        share: and how much of a similarity they are, in 0..1.
    """

    centre: Vectors
    basis: Vectors
    last: Vectors
    card: Card
    first: Vectors | None = None
    kept: int = 0
    share: float = 0.0

    def __post_init__(self) -> None:
        """Raise HeadError if its parts do not fit together."""
        are_matrices = all(part.ndim == (1 if name == CENTRE else 2) for name, part in self._parts().items())
        if not (are_matrices and self._fits()):
            raise HeadError("The parts of the head do not fit together: train it again.")
        if not all(np.isfinite(row).all() for part in self._parts().values() for row in np.atleast_2d(part)):
            raise HeadError("The head holds values that are not finite numbers: train it again.")

    def _fits(self) -> bool:
        components, dim = self.basis.shape
        width = components if self.first is None else self.first.shape[0]
        return (
            min(*self.basis.shape, *self.last.shape) > 0
            and self.centre.size == dim
            and self.last.shape[1] == width
            and (self.first is None or self.first.shape[1] == components)
            and 0 <= self.kept <= components
            and 0.0 <= self.share <= 1.0
            and (self.kept > 0 or self.share == 0.0)
        )

    @property
    def dim_in(self) -> int:
        """Length of an embedding."""
        return int(self.centre.size)

    @property
    def dim(self) -> int:
        """Length of a projected vector."""
        return self.kept + int(self.last.shape[0])

    @cached_property
    def sha256(self) -> str:
        """Of its file, in hex."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def project(self, embeddings: Vectors) -> Vectors:
        """Embeddings float32 (n, dim_in), rows of unit length -> float32 (n, dim), likewise."""
        if embeddings.ndim != 2 or embeddings.shape[1] != self.dim_in:
            raise HeadError(f"The head takes embeddings of {self.dim_in} numbers, not of {embeddings.shape[-1]}.")
        made = np.empty((len(embeddings), self.dim), np.float32)
        for start in range(0, len(embeddings), BLOCK):
            made[start : start + BLOCK] = self._project(embeddings[start : start + BLOCK])
        return made

    def linearise(self, embedding: Vectors) -> Affine:
        """The head at one embedding, float32 (dim_in,), where it is exactly v = matrix x + constant.

        Lengths and which hidden units are on are those of this embedding: everything linear in them is the same, and a
        hidden layer is taken for the linear one that it is around here.
        """
        offset = embedding - self.centre
        length = max(float(np.linalg.norm(offset)), TINY)
        components = self.basis @ (offset / length)
        learned = self.last
        if self.first is not None:
            is_on = self.first @ components > 0
            learned = self.last[:, is_on] @ self.first[is_on]
        parts = [(1 - self.share) ** 0.5 / _length(learned @ components) * learned @ self.basis]
        if self.kept:
            kept = self.basis[: self.kept]
            parts.insert(0, self.share**0.5 / _length(components[: self.kept]) * kept)
        matrix = (np.concatenate(parts) / length).astype(np.float32)
        return Affine(matrix, -(matrix @ self.centre))

    def check_serves(
        self, model: str, weights_sha256: str, network_sha256: str | None, dim: int, view: str = "crop"
    ) -> None:
        """Raise HeadError unless embeddings of this backbone and this view are those that it was trained on."""
        card = self.card
        if card.model != model:
            raise HeadError(
                f"The head was trained on embeddings of {card.model} and cannot be used with those of {model}: train "
                "one on this gallery."
            )
        if dim != self.dim_in:
            raise HeadError(f"The head takes embeddings of {self.dim_in} numbers; those of this gallery have {dim}.")
        if (card.weights_sha256, card.network_sha256) != (weights_sha256, network_sha256):
            raise HeadError(
                f"The head was trained on embeddings of {model} with other weights or in other arithmetic: train one "
                "on this gallery."
            )
        if card.view != view:
            raise HeadError(
                f"The head was trained on the view {card.view} of pictures, and this gallery has the view {view}: "
                f"train one on this gallery, or index the pictures with --view {card.view}."
            )

    def to_bytes(self) -> bytes:
        """As a file has it."""
        about = {"kept": self.kept, "share": float(self.share), "card": self.card.to_json()}
        return pack(self._parts(), about)

    def write(self, path: Path) -> None:
        """Write it to a file, whole or not at all; raises HeadError if that cannot be done."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, self.to_bytes())
        except OSError as error:
            raise HeadError(f"The head could not be written to {path} ({error.strerror or error}).") from error

    def _project(self, embeddings: Vectors) -> Vectors:
        components = normalise(embeddings - self.centre) @ self.basis.T
        hidden = components if self.first is None else np.maximum(components @ self.first.T, 0)
        learned = normalise(hidden @ self.last.T)
        if not self.kept:
            return learned
        kept = normalise(components[:, : self.kept])
        made: Vectors = np.concatenate([self.share**0.5 * kept, (1 - self.share) ** 0.5 * learned], axis=1)
        return made

    def _parts(self) -> dict[str, npt.NDArray[np.float32]]:
        parts = {CENTRE: self.centre, BASIS: self.basis, FIRST: self.first, LAST: self.last}
        return {name: part for name, part in parts.items() if part is not None}


def keep_head(head: Head, gallery: str) -> Path:
    """Write a head into SIMILARITY_HOME/heads, under the name of the gallery that taught it; returns its file."""
    path = heads_folder() / f"{gallery}-{head.card.loss}-{head.sha256[:8]}{SUFFIX}"
    head.write(path)
    return path


def read_head(path: Path, dim_in: int | None = None) -> Head:
    """Read a file of `Head.write`; nothing in a file is run.

    Args:
        dim_in: length of the embeddings that it has to be for, if that is known.

    Raises:
        HeadError: there is none, it is damaged, or it is something else.
    """
    try:
        with open_own(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size > MOST_BYTES:
                raise HeadError(f"{path} is too large to be a head.")
            return _read(file, size, str(path), dim_in)
    except OSError as error:
        raise HeadError(f"The head {path} could not be read ({error.strerror or error}).") from error


def parse_head(data: bytes, name: str) -> Head:
    """The head in a file's bytes; `name` is its name in errors."""
    return _read(io.BytesIO(data), len(data), name, None)


def _read(file: BinaryIO, size: int, name: str, dim_in: int | None) -> Head:
    try:
        parts, about = unpack(file, size, name, dim_in)
        return Head(
            centre=parts[CENTRE],
            basis=parts[BASIS],
            last=parts[LAST],
            card=Card.from_json(about["card"]),
            first=parts.get(FIRST),
            kept=int(about["kept"]),
            share=float(about["share"]),
        )
    except MALFORMED as error:
        fault = f"{name} is damaged, or is not a head that was made with this program: train it again."
        raise HeadError(fault) from error


def _length(vectors: npt.NDArray[np.floating]) -> float:
    return max(float(np.linalg.norm(vectors)), TINY)
