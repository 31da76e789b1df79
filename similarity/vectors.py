"""Embeddings as arrays: what a row is, and how it gets unit length."""

import numpy as np
import numpy.typing as npt

# float32 (n, d), or (d,) for a single one; rows of unit length unless said otherwise.
Vectors = npt.NDArray[np.float32]


def normalise(vectors: npt.NDArray[np.floating]) -> Vectors:
    """Scale the rows of (n, d) to unit length, so that an inner product is a cosine; rows of zeros stay zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), np.float32)
