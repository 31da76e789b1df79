"""Whether two pictures show the same, once one is laid on the other: garments on one rug have its points in common."""

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


def agreement(query: Pixels, result: Pixels, matrix: Matrix) -> float:
    """Return the share of the cells of their common part in which two pictures show the same, 0..1.

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
    variances = _means(one * one) - own**2, _means(other * other) - others**2
    covariance = _means(one * other) - own * others
    told = (_means(common) > 0.99) & (np.maximum(*variances) > TEXTURED)
    if told.sum() < FEWEST:
        return 1.0
    correlation = covariance / np.sqrt(np.maximum(variances[0], 1) * np.maximum(variances[1], 1))
    return float((correlation[told] > SAME).mean())


def _means(values: npt.ArrayLike) -> Floats:
    """Return the mean of each cell."""
    half = CELL // 2
    means: Floats = np.asarray(cv2.boxFilter(np.asarray(values), -1, (CELL, CELL)), np.float32)[half::half, half::half]
    return means
