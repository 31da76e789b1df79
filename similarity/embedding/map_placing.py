"""Placing the cells of feature maps over a picture: what a network saw in its windows, as one map of the picture.

Cells of a window that reaches beyond the picture lie on its bars, wholly or partly, and the cells of two windows lie
beside each other. Each cell is spread over the new cells that it covers in the picture; one that lies on bars alone
belongs to no place there, and is spread over all. What cells add up to stays the same, so explanations stay exact.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from similarity.embedding.feature_maps import FeatureMap
from similarity.embedding.views import WEIGHTS, Window

# A share of a cell: a crop may end a fraction of a pixel beyond the picture.
SLIGHT = 0.01
Shares = npt.NDArray[np.float32]


def place(maps: Sequence[FeatureMap], windows: Sequence[Window], size: tuple[int, int]) -> FeatureMap:
    """Join the feature maps of a picture's windows into one of the part that the first window shows.

    Args:
        maps: one for each window.
        size: width and height of the picture.

    Returns:
        A map whose features have the direction of the picture's embedding, see `views.merge`.
    """
    area = windows[0].visible(size)
    side = (windows[0].right - windows[0].left) / maps[0].cells.shape[1]
    if len(maps) == 1 and windows[0].overhang(size) < SLIGHT * side:
        return maps[0]
    weights = WEIGHTS if len(maps) > 1 else np.ones(1, np.float32)
    rows = max(1, round((area.bottom - area.top) / side))
    columns = max(1, round((area.right - area.left) / side))
    features, cells = np.zeros_like(maps[0].features), np.zeros((rows, columns, maps[0].cells.shape[2]), np.float32)
    for seen, window, weight in zip(maps, windows, weights, strict=True):
        factor = weight / np.float32(max(float(np.linalg.norm(seen.features)), 1e-12)) if len(maps) > 1 else weight
        count = seen.cells.shape[0] * seen.cells.shape[1]
        down = _shares((window.top, window.bottom), seen.cells.shape[0], (area.top, area.bottom), rows)
        across = _shares((window.left, window.right), seen.cells.shape[1], (area.left, area.right), columns)
        features += factor * seen.features
        cells += (
            factor * (rows * columns / count) * np.einsum("ri,cj,ijd->rcd", down, across, seen.cells, optimize=True)
        )
    return FeatureMap(features, cells, all(seen.is_exact for seen in maps))


def _shares(window: tuple[float, float], cells: int, area: tuple[float, float], count: int) -> Shares:
    """Return the share of each cell of a window that falls to each of the new cells, float32 (count, cells).

    Args:
        window, area: where the cells and the new ones begin and end along one side of the picture.
    """
    starts, ends = _edges(window, cells)
    new_starts, new_ends = _edges(area, count)
    common = np.minimum(ends, new_ends[:, np.newaxis]) - np.maximum(starts, new_starts[:, np.newaxis])
    covered = common.clip(min=0)
    totals = covered.sum(axis=0)
    is_placed = totals > 1e-6 * (ends - starts)
    return np.asarray(np.where(is_placed, covered / np.where(is_placed, totals, 1), 1 / count), np.float32)


def _edges(part: tuple[float, float], count: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    edges = np.linspace(*part, count + 1)
    return edges[:-1], edges[1:]
