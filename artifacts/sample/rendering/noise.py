"""Lattice noise for grain, veins, glaze and cloth: deterministic, no random state."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rendering.shapes import Points

Values = NDArray[np.float32]


def lattice_hash(i: NDArray[np.int32], j: NDArray[np.int32], k: NDArray[np.int32]) -> Values:
    """A pseudo-random value in [0, 1) for integer lattice points (n,), by integer mixing."""
    mixed = (i * np.int32(374761393)) ^ (j * np.int32(668265263)) ^ (k * np.int32(1274126177))
    mixed = mixed.view(np.uint32)
    mixed = (mixed ^ (mixed >> np.uint32(13))) * np.uint32(1274126177)
    mixed = mixed ^ (mixed >> np.uint32(16))
    return (mixed & np.uint32(0xFFFFFF)).astype(np.float32) * np.float32(1.0 / 0x1000000)


def value_noise(points: Points) -> Values:
    """Smooth noise (n,) in [0, 1] with a feature size of one unit; points (3, n)."""
    base = np.floor(points)
    fraction = points - base
    fraction = fraction * fraction * (3.0 - 2.0 * fraction)
    i, j, k = base.astype(np.int32)
    fx, fy, fz = fraction

    def edge(dj: int, dk: int) -> Values:
        near, far = lattice_hash(i, j + dj, k + dk), lattice_hash(i + 1, j + dj, k + dk)
        result: Values = near + fx * (far - near)
        return result

    front = edge(0, 0) + fy * (edge(1, 0) - edge(0, 0))
    back = edge(0, 1) + fy * (edge(1, 1) - edge(0, 1))
    result: Values = front + fz * (back - front)
    return result


def fractal_noise(points: Points, octaves: int = 3) -> Values:
    """Sum of noise octaves (n,), each twice as fine and half as strong, in [0, 1]."""
    total = np.zeros(points.shape[1], dtype=np.float32)
    weight, scale = 0.5, 1.0
    for octave in range(octaves):
        total += weight * value_noise(points * scale + 17.3 * octave)
        weight, scale = weight * 0.5, scale * 2.03
    return total / (1.0 - 0.5**octaves)
