"""Whether two pictures show the same, once one is laid on the other: garments on one rug have its points in common."""

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Matrix = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

# Pixels a side of the cells that are compared, and of the blur that comes before, so that a blurred copy agrees.
CELL, BLUR = 16, 2.0
# Grey levels squared from which a cell shows anything, and the correlation from which two cells show the same.
TEXTURED, SAME = 25.0, 0.6
# Cells that tell something; fewer are no objection.
FEWEST = 6


class Agreement(NamedTuple):
    """How far two pictures show the same in the cells of their common part; 1 where there are too few to tell.

    Attributes:
        of_all: the share of cells that show the same, of those in which either picture shows anything, 0..1. A banner
            lowers it.
        of_both: the same of those in which both do, 0..1. A banner does not lower it, other objects on one ground do.
        correlation: the mean of the latter, weighed by how much the pictures show there, -1..1. Another object, whose
            outlines are stronger than the ground's pattern, lowers it even if it is small.
    """

    of_all: float
    of_both: float
    correlation: float


def agreement(query: Pixels, result: Pixels, matrix: Matrix) -> Agreement:
    """Return how far two pictures show the same, once one is laid on the other.

    Correlation within each cell ignores how bright a picture is. Of copies with a banner over 15 % of them, four cells
    in five agree; of different garments photographed on one rug, fewer than half in most cases.

    Args:
        query, result: grey, (height, width).
        matrix: the transform from the query to the result, (2, 3).
    """
    size = (result.shape[1], result.shape[0])
    laid = cv2.warpAffine(query.astype(np.float32), matrix, size)
    common = cv2.warpAffine(np.ones(query.shape, np.float32), matrix, size)
    one, other = (cv2.GaussianBlur(pixels, (0, 0), BLUR) for pixels in (laid, result.astype(np.float32)))
    own, others = _means(one), _means(other)
    variances = np.stack([_means(one * one) - own**2, _means(other * other) - others**2])
    strengths = np.sqrt(np.maximum(variances, 1).prod(axis=0))
    correlations = (_means(one * other) - own * others) / strengths
    told = (_means(common) > 0.99) & (variances > TEXTURED)
    either, both = told.any(axis=0), told.all(axis=0)
    if both.sum() < FEWEST:
        return Agreement(_share(correlations[either]), 1.0, 1.0)
    weighed = float(np.average(correlations[both], weights=strengths[both]))
    return Agreement(_share(correlations[either]), _share(correlations[both]), weighed)


def _share(correlations: Floats) -> float:
    """Return the share of cells in which two pictures show the same."""
    return float((correlations > SAME).mean()) if len(correlations) >= FEWEST else 1.0


def _means(values: npt.ArrayLike) -> Floats:
    """Return the mean of each cell."""
    half = CELL // 2
    means: Floats = np.asarray(cv2.boxFilter(np.asarray(values), -1, (CELL, CELL)), np.float32)[half::half, half::half]
    return means
