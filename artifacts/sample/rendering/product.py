"""A product: parts with materials, and the distance grid that makes them fast to march.

The grid stores, per cell, the distance at its centre and which parts may be nearest there; rays
step through empty space by the grid and call only the parts they are close to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rendering.materials import Material
from rendering.shapes import Distances, Field, Points

REACH = 2.6  # every product fits the cube [-REACH, REACH]^3
COARSE_SIDE = 36
FINE_SIDE = 44
FAR = np.float32(1e3)


@dataclass(frozen=True)
class Part:
    """One piece of a product in one material; the field is in the product's coordinates."""

    field: Field
    material: Material


def lattice(low: NDArray[np.float32], high: NDArray[np.float32], side: int) -> tuple[Points, float, tuple[int, ...]]:
    """Cell centres (3, n) of a grid over a box, the cell size, and the grid's shape."""
    cell = float((high - low).max()) / side
    shape = tuple(int(np.ceil(extent / cell)) for extent in high - low)
    axes = [low[i] + cell * (np.arange(shape[i], dtype=np.float32) + 0.5) for i in range(3)]
    return np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")]).astype(np.float32), cell, shape


def near_box(points: Points, close: NDArray[np.bool_], margin: float) -> tuple[Points, Points]:
    """Lower and upper corners (3,) of the selected points' box, widened by a margin."""
    chosen = points[:, close]
    return chosen.min(axis=1) - margin, chosen.max(axis=1) + margin


class Solid:
    """The union of a product's parts as one fast distance field."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = tuple(parts)
        self.low, self.high = self._bounds()
        centres, self.cell, self.shape = lattice(self.low, self.high, FINE_SIDE)
        distances = np.stack([part.field(centres) for part in self.parts])
        nearest = distances.min(axis=0)
        self.grid = nearest.astype(np.float32)
        # A part further from the centre than the nearest one by a cell's diagonal is nowhere nearest in the cell.
        relevant = distances <= nearest + 1.8 * self.cell
        bits = np.uint64(1) << np.arange(len(self.parts), dtype=np.uint64)
        self.masks = (relevant * bits[:, None]).sum(axis=0, dtype=np.uint64)
        self.surface = centres[:, np.abs(nearest) < 0.87 * self.cell]

    def _bounds(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """A box around the surface, found on two ever finer grids."""
        low, high = np.full(3, -REACH, dtype=np.float32), np.full(3, REACH, dtype=np.float32)
        for _ in range(2):
            centres, cell, _shape = lattice(low, high, COARSE_SIDE)
            nearest = np.min([part.field(centres) for part in self.parts], axis=0)
            low, high = near_box(centres, nearest < 0.9 * cell, cell)
        return low, high

    def _corner(self, points: Points) -> tuple[NDArray[np.int64], Points, Distances]:
        """Lower cell of the eight around each point, the fractions within, and the way to the grid."""
        wanted = (points - self.low[:, None]) / self.cell - 0.5
        limit = np.asarray(self.shape, dtype=np.float32)[:, None] - 1.001
        local = np.clip(wanted, 0.0, limit)
        base = local.astype(np.int64)
        beyond = wanted - local
        outside = np.sqrt((beyond * beyond).sum(axis=0)) * self.cell
        return (base[0] * self.shape[1] + base[1]) * self.shape[2] + base[2], local - base, outside

    def coarse(self, points: Points) -> Distances:
        """Trilinear distances (n,) from the grid: smooth, but blind to details under a cell."""
        start, (fx, fy, fz), outside = self._corner(points)
        step_x, step_y = self.shape[1] * self.shape[2], self.shape[2]

        def face(offset: int) -> Distances:
            low, high = self.grid[start + offset], self.grid[start + offset + step_y]
            low = low + fz * (self.grid[start + offset + 1] - low)
            high = high + fz * (self.grid[start + offset + step_y + 1] - high)
            result: Distances = low + fy * (high - low)
            return result

        near = face(0)
        result: Distances = near + fx * (face(step_x) - near) + 0.8 * outside
        return result

    def nearest_cell(self, points: Points) -> NDArray[np.int64]:
        """Flat index (n,) of the cell that holds each point."""
        local = ((points - self.low[:, None]) / self.cell).astype(np.int64)
        for axis in range(3):
            np.clip(local[axis], 0, self.shape[axis] - 1, out=local[axis])
        result: NDArray[np.int64] = (local[0] * self.shape[1] + local[1]) * self.shape[2] + local[2]
        return result

    def exact(self, points: Points) -> tuple[Distances, NDArray[np.int16]]:
        """Distances (n,) and the index of the nearest part, from the parts that each cell lists."""
        masks = self.masks[self.nearest_cell(points)]
        distances = np.full(points.shape[1], FAR, dtype=np.float32)
        owners = np.zeros(points.shape[1], dtype=np.int16)
        for index, part in enumerate(self.parts):
            chosen = np.flatnonzero(masks & np.uint64(1 << index))
            if chosen.size:
                nearer = part.field(points[:, chosen])
                closer = nearer < distances[chosen]
                distances[chosen[closer]] = nearer[closer]
                owners[chosen[closer]] = index
        return distances, owners

    def distance(self, points: Points) -> Distances:
        """Distances (n,): from the grid in empty space, exact near the surface."""
        distances = self.coarse(points)
        close = np.flatnonzero(distances < 1.3 * self.cell)
        if close.size:
            distances[close] = self.exact(points[:, close])[0]
        return distances
