"""Regions of a picture: overlapping parts of its feature map, each with an embedding of its own.

    2 x 2    of 60 % of each side
    3 x 3    of 45 %

An embedding that is the mean over the cells of a map has a mean over some of them that can be compared with it, without
another pass through the network.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from similarity.errors import ModelError
from similarity.images.picture import Box
from similarity.vectors.arrays import Vectors, normalise

if TYPE_CHECKING:
    from similarity.embedding.embedder import Embedder
    from similarity.embedding.engines import Pixels
    from similarity.embedding.feature_maps import FeatureMap

# Regions a side, and the share of a side that each covers. Measured on scenes of two and three products.
GRIDS = ((2, 0.6), (3, 0.45))


def _boxes() -> Iterator[Box]:
    for count, share in GRIDS:
        starts = [number * (1 - share) / (count - 1) for number in range(count)]
        for top, left in itertools.product(starts, starts):
            yield Box(left, top, left + share, top + share)


# All regions, as fractions of the part of a picture that the network sees.
REGIONS = tuple(_boxes())


def embed_regions(cells: npt.NDArray[np.float32]) -> Vectors:
    """Embed the regions of a feature map, float32 (rows, columns, dim): float32 (len(REGIONS), dim), of unit length."""
    rows, columns, dim = cells.shape
    return normalise(_shares(rows, columns) @ cells.reshape(-1, dim))


def check_has_regions(embedder: Embedder) -> None:
    """Raise ModelError unless embeddings are the mean over the cells of a feature map, and the map can be computed."""
    try:
        has_regions = embedder.load_feature_maps().is_exact
    except ModelError:
        has_regions = False
    if not has_regions:
        raise ModelError(
            f"{embedder.backbone.title} does not look at regions, so parts of pictures cannot be searched with it: "
            "leave out --parts, or choose a model such as efficientnet-lite2."
        )


def stream_with_maps(embedder: Embedder, batches: Iterable[Pixels]) -> Iterator[tuple[Vectors, Sequence[FeatureMap]]]:
    """Embed many windows in order, as `Embedder.embed_stream`, with the feature map of each.

    On a CPU the network runs once for both; on a GPU maps are computed on the CPU.
    """
    maps = embedder.load_feature_maps()
    if embedder.maps_come_along:
        for seen in maps.stream(batches):
            features = np.array([one.features for one in seen], np.float32).reshape(-1, embedder.dim)
            yield normalise(features), seen
        return
    embedded, mapped = itertools.tee(batches)
    for vectors, pixels in zip(embedder.embed_stream(embedded), mapped, strict=True):
        yield vectors, [maps.run(window) for window in pixels]


@lru_cache(maxsize=64)
def _shares(rows: int, columns: int) -> npt.NDArray[np.float32]:
    """The share of each cell that lies in each region, float32 (regions, rows * columns)."""
    return np.stack(
        [
            np.outer(_overlaps(rows, box.top, box.bottom), _overlaps(columns, box.left, box.right)).ravel()
            for box in REGIONS
        ]
    ).astype(np.float32)


def _overlaps(count: int, start: float, end: float) -> npt.NDArray[np.float64]:
    edges = np.linspace(0, 1, count + 1)
    overlaps: npt.NDArray[np.float64] = (
        np.clip(np.minimum(edges[1:], end) - np.maximum(edges[:-1], start), 0, None) * count
    )
    return overlaps
