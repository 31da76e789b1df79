"""Heads that are made of random numbers, for galleries of any model."""

from dataclasses import replace

import numpy as np

from similarity import Gallery
from similarity.vectors.arrays import Vectors
from similarity.vectors.heads import Card, Head

DATA = {"gallery": "ñ 服", "labels": 3}


CARD = Card("any", "0" * 64, "triplet", data=DATA, settings={"seed": 0}, before={"recall@1": 0.5})


DIM = 24


def make_head(kind: str = "hidden and kept", dim: int = DIM, card: Card = CARD) -> Head:
    """A head made of chance; the same for the same arguments."""
    random = np.random.default_rng(dim)

    def matrix(rows: int, columns: int) -> Vectors:
        return np.asarray(random.standard_normal((rows, columns)) / columns**0.5, np.float32)

    basis = np.ascontiguousarray(np.linalg.qr(matrix(dim, 12))[0].T, np.float32)
    first = matrix(20, 12) if kind.startswith("hidden") else None
    kept, share = (6, 0.3) if kind.endswith("kept") else (0, 0.0)
    return Head(matrix(1, dim)[0] / 4, basis, matrix(8, 12 if first is None else 20), card, first, kept, share)


def serving(gallery: Gallery, kind: str = "hidden and kept") -> Head:
    """A head for a gallery."""
    made = gallery.manifest
    backbone = {"model": made.model, "weights_sha256": made.weights_sha256, "network_sha256": made.network_sha256}
    card = replace(CARD, **backbone, view=made.view)
    return make_head(kind, made.dim, card)
