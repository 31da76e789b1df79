"""Signed distance primitives: each call returns a field that maps points to distances.

A point set is float32 (3, n), y up; a distance array is float32 (n,), negative inside, in the
product's own unit (most products are 1 to 2 units tall). Formulas: Inigo Quilez, "Distance
functions", https://iquilezles.org/articles/distfunctions/.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]
Distances = NDArray[np.float32]
Field = Callable[[Points], Distances]
Vector = tuple[float, float, float]

ORIGIN: Vector = (0.0, 0.0, 0.0)


def column(vector: Vector) -> Points:
    """The vector as float32 (3, 1), ready to broadcast against points."""
    return np.asarray(vector, dtype=np.float32).reshape(3, 1)


def length(*coordinates: NDArray[np.float32]) -> Distances:
    """Euclidean length of coordinate arrays (n,), without stacking them."""
    total = coordinates[0] * coordinates[0]
    for coordinate in coordinates[1:]:
        total = total + coordinate * coordinate
    result: Distances = np.sqrt(total)
    return result


def box_distance(offsets: list[NDArray[np.float32]], rounding: float) -> Distances:
    """Distance to a rounded box, given per-axis offsets |p| - (half - rounding), each (n,)."""
    outside = length(*[np.maximum(offset, 0.0) for offset in offsets])
    inside = offsets[0]
    for offset in offsets[1:]:
        inside = np.maximum(inside, offset)
    return outside + np.minimum(inside, 0.0) - rounding


def sphere(radius: float, centre: Vector = ORIGIN) -> Field:
    """A ball."""
    origin = column(centre)

    def field(points: Points) -> Distances:
        local = points - origin
        return length(*local) - radius

    return field


def ellipsoid(radii: Vector, centre: Vector = ORIGIN) -> Field:
    """An ellipsoid; outside, the distance is first-order accurate; inside it is a lower bound, so it may cut."""
    origin, scale, thinnest = column(centre), column(radii), min(radii)

    def field(points: Points) -> Distances:
        local = (points - origin) / scale
        reach = length(*local)
        slope = length(*(local / scale)) + 1e-6
        return np.where(reach < 1.0, (reach - 1.0) * thinnest, reach * (reach - 1.0) / slope)

    return field


def box(half: Vector, centre: Vector = ORIGIN, *, rounding: float = 0.0) -> Field:
    """A box of half extents `half`, its edges rounded by a radius inside those extents."""
    origin, inner = column(centre), column(half) - np.float32(rounding)

    def field(points: Points) -> Distances:
        offsets = np.abs(points - origin) - inner
        return box_distance(list(offsets), rounding)

    return field


def cylinder(radius: float, half_height: float, centre: Vector = ORIGIN, *, rounding: float = 0.0) -> Field:
    """An upright cylinder with rounded rims."""
    origin = column(centre)

    def field(points: Points) -> Distances:
        x, y, z = points - origin
        return box_distance([length(x, z) - (radius - rounding), np.abs(y) - (half_height - rounding)], rounding)

    return field


def capsule(start: Vector, end: Vector, radius: float, end_radius: float | None = None) -> Field:
    """A rod with round ends; its radius may change linearly from start to end."""
    origin, axis = column(start), column(end) - column(start)
    squared = float((axis * axis).sum())
    growth = 0.0 if end_radius is None else end_radius - radius

    def field(points: Points) -> Distances:
        local = points - origin
        along = np.clip((local * axis).sum(axis=0) / squared, 0.0, 1.0)
        result: Distances = length(*(local - axis * along)) - (radius + growth * along)
        return result

    return field


def torus(major: float, minor: float, centre: Vector = ORIGIN) -> Field:
    """A ring around the y axis."""
    origin = column(centre)

    def field(points: Points) -> Distances:
        x, y, z = points - origin
        return length(length(x, z) - major, y) - minor

    return field
