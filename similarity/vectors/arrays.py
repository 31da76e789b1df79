"""Arrays of embeddings: normalising, balancing words with pictures, and combining several into one query."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from similarity.errors import SearchError

# float32 (n, d), or (d,) for a single vector; rows of unit length unless documented otherwise.
Vectors = npt.NDArray[np.float32]
# Rows near to each of n vectors, nearest first, int32 (n, k).
Nearest = npt.NDArray[np.int32]
# Compared vectors float32 (m, dim), and k -> for each of them rows that are likely to be near, int64 (m, up to k).
FindCandidates = Callable[[Vectors, int], npt.NDArray[np.integer]]

# Measured on 241 photographs of clothing with a wrong hit among the first ten, which became the counter-example. The
# share of right ones among ten other hits was 0.624 without it, and 0.639, 0.641, 0.613 and 0.515 with a share of 0.15,
# 0.3, 0.5 and 0.75.
COUNTER_SHARE = 0.3
# The direction of a shorter vector is only rounding error.
SHORTEST = 1e-5


def normalise(vectors: npt.NDArray[np.floating]) -> Vectors:
    """Scale the rows of (n, d) to unit length, so that an inner product is a cosine; rows of zeros stay zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), np.float32)


def balance(queries: Vectors, are_words: Sequence[bool], vectors: Vectors) -> Vectors:
    """Scale queries so that words and pictures count equally when they are combined.

    Similarities between a text and pictures are smaller than those between pictures, so without scaling, words would
    hardly count. Each query is divided by the standard deviation of its scores, as rankings are combined in M. Montague
    and J. A. Aslam, "Relevance score normalization for metasearch", CIKM 2001.

    Args:
        queries: float32 (m, dim), rows of unit length.
        are_words: whether each of them is of a text.
        vectors: a sample of the searched vectors, float32 (n, dim), rows of unit length.

    Returns:
        float32 (m, dim); the same if all are of one kind.
    """
    if len(set(are_words)) < 2:
        return queries
    spread = (vectors @ queries.T).std(axis=0)
    balanced = queries / np.maximum(spread, SHORTEST)[:, np.newaxis]
    return np.asarray(balanced / np.linalg.norm(balanced, axis=1).mean(), np.float32)


def combine(examples: Vectors, counter_examples: Vectors, weights: Sequence[float] = ()) -> Vectors:
    """Combine examples and counter-examples into one query vector.

    Rocchio's formula, scaled to unit length, with a weight for each example (J. J. Rocchio, "Relevance feedback in
    information retrieval", 1971; Manning, Raghavan and Schütze, "Introduction to Information Retrieval", 2008, section
    9.1.1):

        q  =  sum w_i e_i / sum w_i  -  COUNTER_SHARE * mean of the counter-examples

    Args:
        examples: e, float32 (1.., dim), rows of unit length, or scaled by `balance`.
        counter_examples: float32 (0.., dim), likewise.
        weights: w, above 0, one for each example; by default all are equal.

    Returns:
        float32 (dim,), of unit length; a single example alone is returned unchanged.

    Raises:
        SearchError: the number of weights is not that of examples, a weight is not above 0, or examples and
            counter-examples cancel each other out.
    """
    if len(weights) not in (0, len(examples)):
        raise SearchError(f"There are {len(weights)} weights for {len(examples)} examples: give one for each, or none.")
    if not all(0 < weight < np.inf for weight in weights):
        raise SearchError("A weight must be a number above 0; use a counter-example for pictures that are not wanted.")
    if len(examples) == 1 and not len(counter_examples):
        single: Vectors = examples[0]
        return single
    query = np.average(examples, axis=0, weights=weights or None)
    if len(counter_examples):
        query = query - COUNTER_SHARE * counter_examples.mean(axis=0)
    if np.linalg.norm(query) < SHORTEST:
        raise SearchError("Examples and counter-examples cancel each other out: leave out some of them.")
    combined: Vectors = normalise(query[np.newaxis])[0]
    return combined
