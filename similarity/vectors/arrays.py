"""Embeddings as arrays: what a row is, and how it gets unit length."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from similarity.errors import SearchError

# float32 (n, d), or (d,) for a single one; rows of unit length unless said otherwise.
Vectors = npt.NDArray[np.float32]

# Measured on 241 photographs of clothing with a wrong one among their first ten, which was the counter-example then: of
# ten others 0.624 were of the right kind without it, and with a share of 0.15, 0.3, 0.5 and 0.75 it was 0.639, 0.641,
# 0.613 and 0.515.
COUNTER_SHARE = 0.3
# Of what is shorter, only the errors of rounding have a direction.
SHORTEST = 1e-5


def normalise(vectors: npt.NDArray[np.floating]) -> Vectors:
    """Scale the rows of (n, d) to unit length, so that an inner product is a cosine; rows of zeros stay zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), np.float32)


def balance(asked: Vectors, are_words: Sequence[bool], vectors: Vectors) -> Vectors:
    """Queries scaled so that words and pictures count alike when they are combined.

    A picture and a text that belong together are less similar than two pictures that do, and so are all others: added
    up as they are, what words say would drown. So each is divided by the standard deviation of its scores, as rankings
    are put together in M. Montague and J. A. Aslam, "Relevance score normalization for metasearch", CIKM 2001.

    Args:
        asked: float32 (m, dim), rows of unit length.
        are_words: for each of them whether it is of a text.
        vectors: some of what is searched, float32 (n, dim), likewise.

    Returns:
        float32 (m, dim); the same if all are of one kind.
    """
    if len(set(are_words)) < 2:
        return asked
    spread = (vectors @ asked.T).std(axis=0)
    balanced = asked / np.maximum(spread, SHORTEST)[:, np.newaxis]
    return np.asarray(balanced / np.linalg.norm(balanced, axis=1).mean(), np.float32)


def combine(examples: Vectors, counter_examples: Vectors, weights: Sequence[float] = ()) -> Vectors:
    """One query out of several: what is like the examples and not like the counter-examples.

    Rocchio's formula, scaled to unit length, with a weight for each example (J. J. Rocchio, "Relevance feedback in
    information retrieval", 1971; Manning, Raghavan and Schütze, "Introduction to Information Retrieval", 2008, section
    9.1.1):

        q  =  sum w_i e_i / sum w_i  -  COUNTER_SHARE * mean of the counter-examples

    Args:
        examples: e, float32 (1.., dim), rows of unit length, or as `balance` leaves them.
        counter_examples: float32 (0.., dim), likewise.
        weights: w, above 0, one for each example; all alike unless given.

    Returns:
        float32 (dim,), of unit length; a single example alone comes back as it is.

    Raises:
        SearchError: there are not as many weights as examples, or one is not above 0; or nothing is left of the query.
    """
    if len(weights) not in (0, len(examples)):
        raise SearchError(f"There are {len(weights)} weights for {len(examples)} examples: give one for each, or none.")
    if not all(0 < weight < np.inf for weight in weights):
        raise SearchError("A weight must be a number above 0; what is not wanted is a counter-example.")
    if len(examples) == 1 and not len(counter_examples):
        alone: Vectors = examples[0]
        return alone
    query = np.average(examples, axis=0, weights=weights or None)
    if len(counter_examples):
        query = query - COUNTER_SHARE * counter_examples.mean(axis=0)
    if np.linalg.norm(query) < SHORTEST:
        raise SearchError("Examples and counter-examples cancel each other out: leave some of them away.")
    combined: Vectors = normalise(query[np.newaxis])[0]
    return combined
