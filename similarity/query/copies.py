"""Copies: a second look at candidates, which tells the query's very picture, turned, cut or mirrored, from others.

Local features of the query are matched with those of a candidate, and a similarity transform (turn, scale and shift)
is fitted to the matches by RANSAC. Many matches that agree with one transform are no accident.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from similarity.images.keypoints import MAX_QUERY, Codes, Floats, Keypoints, find_keypoints, grey_pixels, mirror
from similarity.images.picture import Box
from similarity.query.alignment import Matrix, agreement
from similarity.search import Hit
from similarity.sources import Item

# Candidates that are looked at a second time.
CANDIDATES = 200
# The probability from which a picture is said to be a copy.
PROVEN = 0.95
# Candidates whose descriptors are compared at once: 22 MB of similarities.
BLOCK = 25
# Lowe's ratio: a match is kept if it is nearer than this share of the distance of the second nearest.
RATIO = 0.8
# Pixels by which a match may miss the transform, and degrees and octaves by which its own turn and size may differ.
REPROJECTION, TURN, OCTAVES = 4.0, 25.0, 0.6
# Transforms beyond this scale are fitted to points that lie on each other.
MAX_SCALE = 10.0
# Matches that fewer than these are not worth a transform, of which two already make one.
LEAST = 4
# The share of the common part that the matches must span: a logo on two photographs spans less.
COVERED = 0.1
# The share of one of the pictures that both must show: of two on one floor, side by side, it is a strip.
COMMON = 0.35
# The share of cells that must agree, see `alignment.py`: at least 0.8 of altered photographs, at most 0.7 of nearly all
# different garments on one background, which have up to 75 matches.
AGREEMENT = 0.7
# Where both show something, most of it must agree, by cells or by what is seen. Of 101,178 pairs of photographs of
# clothing nearest to each other, other pictures reach 0.85 and 0.83 here, two small hats on one rug among them, and two
# products of the sample, guitars of one shape, 0.90 and 0.89; of 763 alterations of 60 photographs that pass all else,
# one is below both.
AGREEMENT_OF_BOTH, CORRELATION = 0.91, 0.9
# The logistic of the number of inliers, fitted on 650 alterations of 50 photographs of clothing and on 26,000 pairs of
# these with the 40 photographs nearest to each, but one pair that shows the same skirt twice and two pairs that share a
# strip of a floor. A copy is proven from 8 inliers.
INTERCEPT, SLOPE = -8.0, 1.5

Places = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Copy:
    """What a second look at a picture found.

    Attributes:
        probability: that it is the same picture as the query, 0..1.
        rotation: degrees that the query is turned clockwise against the picture, -180..180.
        mirrored: whether the query is mirrored, after it was turned.
        query_box: the part of the query that shows the picture.
        result_box: the part of the picture that the query shows.
        inliers: matches that agree with this.
    """

    probability: float
    rotation: float
    mirrored: bool
    query_box: Box
    result_box: Box
    inliers: int

    @property
    def common(self) -> float:
        """The share of the area of one of them that both show, of that of which it is more."""
        return max((box.right - box.left) * (box.bottom - box.top) for box in (self.query_box, self.result_box))

    @property
    def is_proven(self) -> bool:
        """Whether it is called the same picture."""
        return self.probability >= PROVEN


@dataclass(frozen=True, slots=True, eq=False)
class QueryKeypoints:
    """The local features of a query, as it is and as a mirror shows it, and its grey levels."""

    plain: Keypoints
    mirrored: Keypoints
    pixels: Codes

    @classmethod
    def of(cls, image: Image.Image) -> "QueryKeypoints":
        """Find them in a picture."""
        return cls(find_keypoints(image, MAX_QUERY), find_keypoints(mirror(image), MAX_QUERY), grey_pixels(image))


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A transform from a query, or from its mirror image, to a picture.

    Attributes:
        matrix: float64 (2, 3).
        inliers: the number of matches that agree with it.
        is_mirrored: whether it is of the mirror image.
    """

    matrix: Matrix
    inliers: int
    is_mirrored: bool = False


def find_copies(
    query: QueryKeypoints,
    items: Iterable[Item],
    *,
    keypoints_of: Callable[[Item], Keypoints],
    pixels_of: Callable[[Item], Codes],
) -> list[Copy | None]:
    """Look at pictures a second time.

    Args:
        query: the local features of the query.
        items: the candidates.
        keypoints_of: gives the local features of a candidate.
        pixels_of: gives the grey levels that they were found in; called for the few that a transform fits.

    Returns:
        For each candidate what was found; None if no transform fits, or the pictures differ once one is laid on the
        other by it.
    """
    copies: list[Copy | None] = []
    for item, one, best in find_fits(query.plain, query.mirrored, items, keypoints_of):
        copy = describe(best, query.plain, query.mirrored, one) if best else None
        is_same = best and copy and copy.common >= COMMON and _agree(query, pixels_of(item), best)
        copies.append(copy if is_same else None)
    return copies


def find_fits(
    plain: Keypoints, mirrored: Keypoints, items: Iterable[Item], keypoints_of: Callable[[Item], Keypoints]
) -> Iterator[tuple[Item, Keypoints, Fit | None]]:
    """Yield for each candidate its local features, and the transform that fits best; None if none does.

    Args:
        plain, mirrored: the local features of the query, and as a mirror shows it.
    """
    sides = [plain, mirrored]
    descriptors = np.concatenate([side.descriptors for side in sides])
    for block in _batched(items, BLOCK):
        found = [keypoints_of(item) for item in block]
        # One product for many candidates: BLAS is slow with matrices that are too small for its threads.
        similarities = descriptors @ np.concatenate([one.descriptors for one in found]).T
        parts = np.split(similarities, np.cumsum([len(one) for one in found])[:-1], axis=1)
        for item, part, one in zip(block, parts, found, strict=True):
            yield item, one, _best_fit(sides, part, one)


def put_copies_first(hits: Sequence[Hit], copies: Sequence[Copy | None]) -> list[tuple[Hit, Copy | None]]:
    """Put proven copies before all other hits, the surest first, and number the ranks anew from 1."""
    pairs = sorted(zip(hits, copies, strict=True), key=lambda pair: _order(pair[1]))
    return [(replace(hit, rank=rank), copy) for rank, (hit, copy) in enumerate(pairs, 1)]


def probability_of(inliers: int) -> float:
    """Return the probability that two pictures with this many agreeing matches are the same picture."""
    return 1 / (1 + math.exp(-(INTERCEPT + SLOPE * inliers)))


def fit(query: Keypoints, similarities: Floats, found: Keypoints) -> Fit | None:
    """Fit a similarity transform from a query to a picture; None if too few matches agree with one.

    Args:
        similarities: see `match`.
    """
    own, other = match(query, similarities, found)
    if len(own) < LEAST:
        return None
    starts, ends = query.positions[own], found.positions[other]
    fitted, agree = cv2.estimateAffinePartial2D(
        starts, ends, method=cv2.RANSAC, ransacReprojThreshold=REPROJECTION, maxIters=1000, confidence=0.99
    )
    if fitted is None or not np.isfinite(fitted).all():
        return None
    matrix = np.asarray(fitted, np.float64)
    scale, turn = _scale(matrix), _turn(matrix)
    if not 1 / MAX_SCALE < scale < MAX_SCALE:
        return None
    turned = (found.angles[other] - query.angles[own] - turn + 180) % 360 - 180
    sized = np.log2(found.scales[other] / query.scales[own] / scale)
    good = (agree.ravel() > 0) & (np.abs(turned) < TURN) & (np.abs(sized) < OCTAVES)
    if good.sum() < LEAST or not _spans(ends[good], _seen_part(matrix, query, found), found):
        return None
    return Fit(matrix, int(good.sum()))


def match(query: Keypoints, similarities: Floats, found: Keypoints) -> tuple[Places, Places]:
    """Match points by Lowe's ratio test, each point and each place at most once.

    Args:
        similarities: cosines of the descriptors of the query with those of the picture, (n, m).

    Returns:
        The numbers of the points in the query, and of those in the picture, int (k,), the nearest first.
    """
    if not len(query) or len(found) < 2:
        return np.zeros(0, np.intp), np.zeros(0, np.intp)
    rows, nearest = np.arange(len(query)), similarities.argmax(axis=1)
    best = similarities[rows, nearest]
    others = similarities.copy()
    others[rows, nearest] = -1
    # Squared distances of unit vectors are 2 - 2 cos.
    own = np.flatnonzero(1 - best < RATIO**2 * (1 - others.max(axis=1)))
    own = own[np.argsort(-best[own], kind="stable")]
    # SIFT gives a place two points where it has two directions, and a repeated pattern matches one point many times.
    own = own[_first_of_each(query.positions[own])]
    kept = _first_of_each(found.positions[nearest[own]])
    return own[kept], nearest[own[kept]]


def _batched(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Yield items in lists of this size."""
    waiting = iter(items)
    while block := list(islice(waiting, size)):
        yield block


def _best_fit(sides: Sequence[Keypoints], similarities: Floats, found: Keypoints) -> Fit | None:
    """Return how the better of the query's two sides fits a picture."""
    rows = np.split(similarities, [len(sides[0])])
    fits = [fit(query, cosines, found) for query, cosines in zip(sides, rows, strict=True)]
    sound = [replace(one, is_mirrored=bool(side)) for side, one in enumerate(fits) if one]
    return max(sound, key=lambda one: one.inliers, default=None)


def _agree(query: QueryKeypoints, pixels: Codes, best: Fit) -> bool:
    """Whether a picture shows what the query does, once the query is laid on it."""
    laid = query.pixels[:, ::-1] if best.is_mirrored else query.pixels
    shares = agreement(np.ascontiguousarray(laid), pixels, best.matrix)
    is_contradicted = shares.of_both < AGREEMENT_OF_BOTH and shares.correlation < CORRELATION
    return shares.of_all >= AGREEMENT and not is_contradicted


def describe(best: Fit, plain: Keypoints, mirrored: Keypoints, found: Keypoints) -> Copy:
    """Return what a fit tells of a picture."""
    own = mirrored if best.is_mirrored else plain
    query_box = _seen_part(np.asarray(cv2.invertAffineTransform(best.matrix), np.float64), found, own)
    if best.is_mirrored:
        query_box = replace(query_box, left=1 - query_box.right, right=1 - query_box.left)
    return Copy(
        probability=probability_of(best.inliers),
        rotation=-_turn(best.matrix),
        mirrored=best.is_mirrored,
        query_box=query_box,
        result_box=_seen_part(best.matrix, own, found),
        inliers=best.inliers,
    )


def _seen_part(matrix: Matrix, one: Keypoints, other: Keypoints) -> Box:
    """Return the part of a picture that another shows: where a transform puts the corners of the other."""
    corners = np.array([(x, y, 1) for x in (0, one.width) for y in (0, one.height)], np.float64)
    size = np.array([other.width, other.height])
    placed = np.clip(corners @ matrix.T / size, 0, 1)
    (left, top), (right, bottom) = placed.min(axis=0).tolist(), placed.max(axis=0).tolist()
    return Box(left, top, right, bottom)


def _spans(points: Floats, part: Box, found: Keypoints) -> bool:
    """Whether points of a picture span enough of a part of it."""
    width, height = np.ptp(points, axis=0) / (found.width, found.height)
    area = (part.right - part.left) * (part.bottom - part.top)
    return bool(area > 0 and width * height >= COVERED * area)


def _first_of_each(positions: Floats) -> Places:
    """Return the numbers of the rows that are the first at their pixel, in order."""
    pixels = np.round(positions).astype(np.int64) @ np.array([1 << 16, 1])
    first: Places = np.sort(np.unique(pixels, return_index=True)[1])
    return first


def _scale(matrix: Matrix) -> float:
    return math.hypot(matrix[0, 0], matrix[1, 0])


def _turn(matrix: Matrix) -> float:
    """Return by how many degrees a transform turns clockwise, -180..180."""
    return math.degrees(math.atan2(matrix[1, 0], matrix[0, 0]))


def _order(copy: Copy | None) -> tuple[bool, int]:
    """Return the key that sorts copies; other hits keep their order."""
    return (False, -copy.inliers) if copy and copy.is_proven else (True, 0)
