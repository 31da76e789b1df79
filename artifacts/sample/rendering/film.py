"""From radiance to pixels: the tone curve, and where a picture needs more samples.

Tone curve: Narkowicz, "ACES Filmic Tone Mapping Curve", 2016.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rendering.materials import Colours

EDGE_CONTRAST = 0.045  # a step between neighbours, in encoded brightness, that deserves more samples


def develop(radiance: Colours, exposure: float) -> NDArray[np.float32]:
    """Encoded sRGB (3, n) in [0, 1] of linear radiance, through a filmic curve."""
    x = np.maximum(radiance * exposure, 0.0)
    toned = np.clip(x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14), 0.0, 1.0)
    encoded = np.where(toned <= 0.0031308, 12.92 * toned, 1.055 * toned ** (1 / 2.4) - 0.055)
    result: NDArray[np.float32] = encoded.astype(np.float32)
    return result


def edges(encoded: NDArray[np.float32], owners: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Pixels (rows, columns) that differ from a neighbour in part or in brightness."""
    marked = np.zeros(owners.shape, dtype=bool)
    for axis in (0, 1):
        step = np.abs(np.diff(encoded, axis=axis + 1)).max(axis=0) > EDGE_CONTRAST
        step |= np.diff(owners, axis=axis) != 0
        first, second = [slice(None), slice(None)], [slice(None), slice(None)]
        first[axis], second[axis] = slice(None, -1), slice(1, None)
        marked[tuple(first)] |= step
        marked[tuple(second)] |= step
    return marked
