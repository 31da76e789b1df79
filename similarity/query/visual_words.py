"""One vector for all local features of a picture, the same whichever way it is turned: what a copy is found by.

Embeddings of a picture and of the same turned by 90 degrees are often far from each other, SIFT descriptors are not.
This is VLAD: Jégou et al., "Aggregating local descriptors into a compact image representation", CVPR 2010.
"""

from collections.abc import Iterable

import cv2
import numpy as np

from similarity.images.keypoints import DIMENSIONS, Keypoints
from similarity.vectors.arrays import Vectors

# Words, of which 16 find all of 480 planted copies that are not cut among the first five, as 64 do.
WORDS = 16
# Descriptors that words are learned from, iterations, and the seed.
LEARNED_FROM, ITERATIONS, SEED = 20_000, 10, 1


def learn_words(pictures: Iterable[Keypoints]) -> Vectors:
    """Learn words from the descriptors of some pictures by k-means.

    Returns:
        float32 (WORDS, 128), or a single word, the origin, if there are too few.
    """
    parts: list[Vectors] = []
    count = 0
    for keypoints in pictures:
        parts.append(keypoints.descriptors)
        count += len(keypoints)
        if count >= LEARNED_FROM:
            break
    if count < WORDS:
        return np.zeros((1, DIMENSIONS), np.float32)
    cv2.setRNGSeed(SEED)
    criteria = (cv2.TERM_CRITERIA_MAX_ITER, ITERATIONS, 0.0)
    first = np.zeros((count, 1), np.int32)
    words = cv2.kmeans(np.concatenate(parts), WORDS, first, criteria, 1, cv2.KMEANS_PP_CENTERS)[2]
    return np.asarray(words, np.float32)


def describe(keypoints: Keypoints, words: Vectors) -> Vectors:
    """Return the sum of what descriptors differ from their nearest words, for each word, of unit length.

    Returns:
        float32 (WORDS * 128,); zeros where there are no points.
    """
    descriptors = keypoints.descriptors
    nearest = (descriptors @ words.T - (words**2).sum(axis=1) / 2).argmax(axis=1)
    # A product with ones and zeros is faster than adding at indices.
    sums = (nearest == np.arange(len(words))[:, np.newaxis]).astype(np.float32) @ descriptors
    sums -= np.bincount(nearest, minlength=len(words))[:, np.newaxis] * words
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    parts = sums / np.maximum(lengths, 1e-9)  # so that no word that is frequent in one picture decides alone
    whole = parts.reshape(len(words) * DIMENSIONS)
    unit: Vectors = whole / max(float(np.linalg.norm(whole)), 1e-9)
    return unit.astype(np.float32)
