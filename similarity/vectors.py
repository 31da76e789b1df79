"""Embeddings as arrays: what a row is, and how it gets unit length."""

import numpy as np
import numpy.typing as npt

# float32 (n, d), or (d,) for a single one; rows of unit length unless said otherwise.
Vectors = npt.NDArray[np.float32]

# Measured on 241 photographs of clothing with a wrong one among their first ten, which was the counter-example then: of
# ten others 0.624 were of the right kind without it, and with a share of 0.15, 0.3, 0.5 and 0.75 it was 0.639, 0.641,
# 0.613 and 0.515.
COUNTER_SHARE = 0.3


def normalise(vectors: npt.NDArray[np.floating]) -> Vectors:
    """Scale the rows of (n, d) to unit length, so that an inner product is a cosine; rows of zeros stay zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), np.float32)


def combine(examples: Vectors, counter_examples: Vectors) -> Vectors:
    """One query out of several: what is like the examples and not like the counter-examples.

    Rocchio's formula, the mean of the examples less a share of the mean of the counter-examples, scaled to unit length
    (J. J. Rocchio, "Relevance feedback in information retrieval", 1971; Manning, Raghavan and Schütze, "Introduction to
    Information Retrieval", 2008, section 9.1.1).

    Args:
        examples: float32 (1.., dim), rows of unit length.
        counter_examples: float32 (0.., dim), likewise.

    Returns:
        float32 (dim,), of unit length; a single example alone comes back as it is.
    """
    if len(examples) == 1 and not len(counter_examples):
        alone: Vectors = examples[0]
        return alone
    query = examples.mean(axis=0)
    if len(counter_examples):
        query = query - COUNTER_SHARE * counter_examples.mean(axis=0)
    combined: Vectors = normalise(query[np.newaxis])[0]
    return combined
