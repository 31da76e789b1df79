"""Whether two pictures that lie on each other are one picture, not two of a burst, and not a product in two colours."""

import cv2
import numpy as np
import numpy.typing as npt

from similarity.query.alignment import FEWEST, Matrix

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

# Pixels a side of the cells that are compared, and of the blur that comes before: finer than that of a search, since a
# photograph taken a second later has its details elsewhere.
CELL, BLUR = 16, 1.0
# Grey levels squared from which a cell shows anything, and the correlation from which two cells show the same.
TEXTURED, SAME = 25.0, 0.8
# The share of cells that must agree. Of 660 alterations of 60 photographs of clothing the least agree in 0.81, and 95 %
# of each kind in 0.92; two photographs of one skirt agree in 0.47, two garments on one floor in 0.38, two hats on one
# carpet in 0.71, and one bottle on two tables in 0.86.
AGREEMENT = 0.88
# Pixels of the blur before colours are compared, and the distance in CIELAB from which two are not the same.
COLOUR_BLUR, COLOUR_DISTANCE = 3.0, 10.0
# Limits of a change of the whole picture, such as by a filter: of contrast, and of saturation, 0 for a grey copy.
CONTRAST, SATURATION = (0.5, 2.0), (0.0, 2.5)
# The share of colours that must be the same after a change of the whole picture. Of 60 photographs with a filter of
# warm, stronger colours 56 are copies so; of 54 whose garment was given another hue, 3 to 5 are, and 10 in black.
SAME_COLOURS = 0.93


def agree_closely(query: Pixels, result: Pixels, matrix: Matrix) -> bool:
    """Whether two pictures show the same in detail and in colour, once one is laid on the other.

    A change of the whole picture, in brightness, contrast, white balance or saturation, is none in what it shows.

    Args:
        query, result: RGB, (height, width, 3).
        matrix: the transform from the query to the result, (2, 3).
    """
    size = (result.shape[1], result.shape[0])
    laid = np.asarray(cv2.warpAffine(query.astype(np.float32), matrix, size), np.float32)
    common = np.asarray(cv2.warpAffine(np.ones(query.shape[:2], np.float32), matrix, size), np.float32)
    is_common = _means(common) > 0.99
    other = result.astype(np.float32)
    return _share_of_details(laid, other, is_common) >= AGREEMENT and same_colours(laid, other, is_common)


def same_colours(one: Floats, other: Floats, is_common: npt.NDArray[np.bool_]) -> bool:
    """Whether the colours of one picture follow from those of another, whichever of them was changed.

    Args:
        one, other: RGB, one laid on the other, (height, width, 3).
        is_common: the cells that both show.
    """
    ours, theirs = (_to_lab(picture)[is_common] for picture in (one, other))
    return len(ours) < FEWEST or max(_share_that_follows(ours, theirs), _share_that_follows(theirs, ours)) >= (
        SAME_COLOURS
    )


def _share_of_details(one: Floats, other: Floats, is_common: npt.NDArray[np.bool_]) -> float:
    """Return the share of textured cells in which grey levels are correlated."""
    greys = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (one, other)]
    own, others = (np.asarray(cv2.GaussianBlur(grey, (0, 0), BLUR), np.float32) for grey in greys)
    means = _means(own), _means(others)
    variances = _means(own * own) - means[0] ** 2, _means(others * others) - means[1] ** 2
    told = is_common & (np.maximum(*variances) > TEXTURED)
    if told.sum() < FEWEST:
        return 1.0
    covariance = _means(own * others) - means[0] * means[1]
    correlation = covariance / np.sqrt(np.maximum(variances[0], 1) * np.maximum(variances[1], 1))
    return float((correlation[told] > SAME).mean())


def _share_that_follows(colours: Floats, others: Floats) -> float:
    """Return the share of colours that are those of another picture after one change of the whole picture.

    Args:
        colours, others: CIELAB, (n, 3).
    """
    middle, other_middle = np.median(colours, axis=0), np.median(others, axis=0)
    own, theirs = colours - middle, others - other_middle
    gains = [
        np.clip((own[:, part] * theirs[:, part]).sum() / max(1.0, (own[:, part] ** 2).sum()), *limits)
        for part, limits in ((slice(0, 1), CONTRAST), (slice(1, 3), SATURATION))
    ]
    missed = own * np.array([gains[0], gains[1], gains[1]]) - theirs
    # Lightness counts half: a filter's curve is no straight line.
    distances = np.linalg.norm(missed * np.array([0.5, 1, 1]), axis=1)
    return float((distances < COLOUR_DISTANCE).mean())


def _to_lab(picture: Floats) -> Floats:
    """Return the colour of the middle of each cell, in CIELAB, (rows, columns, 3)."""
    blurred = cv2.GaussianBlur(picture, (0, 0), COLOUR_BLUR) / 255
    half = CELL // 2
    return np.asarray(cv2.cvtColor(blurred, cv2.COLOR_RGB2LAB), np.float32)[half::half, half::half]


def _means(values: Floats) -> Floats:
    """Return the mean of each cell; a cell overlaps half of the next."""
    half = CELL // 2
    return np.asarray(cv2.boxFilter(values, -1, (CELL, CELL)), np.float32)[half::half, half::half]
