"""Solids from drawn outlines: lathe work, extrusions, wires and hollow vessels.

An outline is tabulated once as a 2-D distance table, so a curve of two hundred points costs
the same per ray step as a circle does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rendering.operators import smooth_max
from rendering.shapes import Distances, Field, Points, box_distance, length

Outline = Sequence[tuple[float, float]]

TABLE_SIDE = 168  # cells along the longer side: under 1/300 of a product per cell at 320 px
MARGIN = 0.08  # empty border around the outline, as a share of its longer side


def drawn(points: str) -> list[tuple[float, float]]:
    """An outline written as SVG writes its points: "x,y x,y ..."."""
    pairs = (pair.split(",") for pair in points.split())
    return [(float(x), float(y)) for x, y in pairs]


def spline(outline: Outline, *, closed: bool = False, per_segment: int = 10) -> list[tuple[float, float]]:
    """Points of the uniform Catmull-Rom curve through the outline's points, `per_segment` between two."""
    knots = np.asarray(outline, dtype=np.float64)
    before = knots[-1:] if closed else 2 * knots[:1] - knots[1:2]
    after = knots[:2] if closed else 2 * knots[-1:] - knots[-2:-1]
    padded = np.concatenate([before, knots, after])
    t = np.linspace(0.0, 1.0, per_segment, endpoint=False)[:, None]
    pieces = []
    for a, b, c, d in zip(padded[:-3], padded[1:-2], padded[2:-1], padded[3:], strict=True):
        pieces.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    curve = np.concatenate(pieces if closed else [*pieces, knots[-1:]])
    return [(float(x), float(y)) for x, y in curve]


@dataclass(frozen=True)
class DistanceTable:
    """Distances of a 2-D outline on a regular grid: values float32 (rows along v, columns along u)."""

    values: NDArray[np.float32]
    origin: tuple[float, float]
    cell: float

    def __call__(self, u: NDArray[np.float32], v: NDArray[np.float32]) -> Distances:
        """Distances (n,) at (u, v), bilinear; beyond the table a lower bound of the distance.

        The table holds the outline in its convex box, so the true distance is at least
        hypot(distance to the box, distance at the nearest table point).
        """
        rows, columns = self.values.shape
        across, along = (u - self.origin[0]) / self.cell, (v - self.origin[1]) / self.cell
        inner_across = np.clip(across, 0.0, columns - 1.001)
        inner_along = np.clip(along, 0.0, rows - 1.001)
        i, j = inner_across.astype(np.int32), inner_along.astype(np.int32)
        fu, fv = inner_across - i, inner_along - j
        flat, start = self.values.ravel(), j * columns + i
        low, high = flat[start], flat[start + columns]
        low = low + fu * (flat[start + 1] - low)
        high = high + fu * (flat[start + columns + 1] - high)
        inside = low + fv * (high - low)
        beyond = length(across - inner_across, along - inner_along) * self.cell
        result: Distances = np.where(beyond > 0.0, np.sqrt(beyond * beyond + inside * inside), inside)
        return result


def tabulate(outline: Outline, *, solid: bool = True, margin: float = 0.0) -> DistanceTable:
    """The distance table of a closed outline (solid: negative inside) or of an open curve, with a margin around."""
    knots = np.asarray(outline, dtype=np.float32)
    low, high = knots.min(axis=0), knots.max(axis=0)
    border = max(MARGIN * float((high - low).max()), margin)
    low, high = low - border, high + border
    cell = float((high - low).max()) / TABLE_SIDE
    u = np.arange(low[0], high[0] + cell, cell, dtype=np.float32)
    v = np.arange(low[1], high[1] + cell, cell, dtype=np.float32)
    grid_u, grid_v = (axis.ravel() for axis in np.meshgrid(u, v))
    ends = np.roll(knots, -1, axis=0) if solid else knots[1:]
    starts = knots if solid else knots[:-1]
    squared = np.full(grid_u.shape, np.inf, dtype=np.float32)
    inside = np.zeros(grid_u.shape, dtype=bool)
    for (au, av), (bu, bv) in zip(starts, ends, strict=True):
        du, dv = bu - au, bv - av
        ou, ov = grid_u - au, grid_v - av
        share = np.clip((ou * du + ov * dv) / max(float(du * du + dv * dv), 1e-12), 0.0, 1.0)
        squared = np.minimum(squared, (ou - du * share) ** 2 + (ov - dv * share) ** 2)
        if solid and av != bv:
            inside ^= ((av > grid_v) != (bv > grid_v)) & (ou < du * ov / dv)
    distance = np.sqrt(squared) * np.where(inside, -1.0, 1.0)
    return DistanceTable(distance.reshape(len(v), len(u)).astype(np.float32), (float(low[0]), float(low[1])), cell)


def lathe(outline: Outline) -> Field:
    """A solid of revolution about y; outline: (radius, height) pairs, closed along the axis."""
    mirrored = list(outline) + [(-radius, height) for radius, height in reversed(outline)]
    table = tabulate(mirrored)

    def field(points: Points) -> Distances:
        x, y, z = points
        return table(length(x, z), y)

    return field


def hoop(outline: Outline) -> Field:
    """A ring turned about y from a closed (radius, height) outline that does not touch the axis."""
    table = tabulate(outline)

    def field(points: Points) -> Distances:
        x, y, z = points
        return table(length(x, z), y)

    return field


def vessel(outline: Outline, *, wall: float) -> Field:
    """A hollow solid of revolution, open at the top; outline runs from the foot's axis to the lip.

    The wall lies inside the outline, `wall` thick, its lip rounded.
    """
    (r0, y0), (r1, y1) = outline[-2], outline[-1]
    stretch = 4.0 * wall / max(y1 - y0, 1e-3)
    above = (max(r1 + (r1 - r0) * stretch, wall), y1 + 4.0 * wall)
    extended = [*outline, above, (0.0, above[1])]
    solid = lathe(extended)

    def field(points: Points) -> Distances:
        skin = np.abs(solid(points) + 0.5 * wall) - 0.5 * wall
        return smooth_max(skin, points[1] - y1, 0.6 * wall)

    return field


def content(outline: Outline, *, wall: float, level: float) -> Field:
    """The content of a vessel up to height `level`: coffee, soup, soil."""
    solid = lathe(outline)
    return lambda points: np.maximum(solid(points) + 0.9 * wall, points[1] - level)


def extrusion(outline: Outline, half: float, *, rounding: float = 0.0, taper: float = 0.0) -> Field:
    """An outline in (x, y) given thickness along z; taper narrows it per unit of height."""
    table = tabulate(outline)

    def field(points: Points) -> Distances:
        x, y, z = points
        width = np.abs(z) + taper * y if taper else np.abs(z)
        distance = box_distance([table(x, y) + rounding, width - (half - rounding)], rounding)
        return distance * (1.0 / (1.0 + abs(taper))) if taper else distance

    return field


def wire(curve: Outline, radius: float, *, flat: float = 1.0) -> Field:
    """A rod along an open curve in the (x, y) plane; flat > 1 makes it a strap, wider along z."""
    table = tabulate(curve, solid=False, margin=1.3 * radius)

    def field(points: Points) -> Distances:
        x, y, z = points
        if flat == 1.0:
            return length(table(x, y), z) - radius
        reach = np.maximum(np.abs(z) - radius * (flat - 1.0), 0.0)
        return length(table(x, y), reach) - radius

    return field
