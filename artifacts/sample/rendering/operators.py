"""Operators on signed distance fields: combine, move, turn, mirror, hollow out.

Smooth minimum: Inigo Quilez, https://iquilezles.org/articles/smin/ (quadratic form).
"""

from __future__ import annotations

import math

import numpy as np

from rendering.shapes import Distances, Field, Points, Vector, column


def smooth_min(a: Distances, b: Distances, radius: float) -> Distances:
    """Minimum of two distance arrays (n,) with a fillet of about `radius`."""
    blend = np.maximum(radius - np.abs(a - b), 0.0)
    result: Distances = np.minimum(a, b) - blend * blend * (0.25 / radius)
    return result


def smooth_max(a: Distances, b: Distances, radius: float) -> Distances:
    """Maximum of two distance arrays (n,) with a rounded edge of about `radius`."""
    blend = np.maximum(radius - np.abs(a - b), 0.0)
    result: Distances = np.maximum(a, b) + blend * blend * (0.25 / radius)
    return result


def union(*fields: Field, fillet: float = 0.0) -> Field:
    """All the fields together, joined by a fillet where one is given."""

    def field(points: Points) -> Distances:
        nearest = fields[0](points)
        for other in fields[1:]:
            distance = other(points)
            nearest = smooth_min(nearest, distance, fillet) if fillet else np.minimum(nearest, distance)
        return nearest

    return field


def intersection(*fields: Field, fillet: float = 0.0) -> Field:
    """The intersection of fields."""

    def field(points: Points) -> Distances:
        farthest = fields[0](points)
        for other in fields[1:]:
            distance = other(points)
            farthest = smooth_max(farthest, distance, fillet) if fillet else np.maximum(farthest, distance)
        return farthest

    return field


def difference(solid: Field, *cutters: Field, fillet: float = 0.0) -> Field:
    """The solid without the cutters."""

    def negated(cutter: Field) -> Field:
        return lambda points: -cutter(points)

    return intersection(solid, *[negated(cutter) for cutter in cutters], fillet=fillet)


def moved(field: Field, offset: Vector) -> Field:
    """The field translated by `offset`."""
    shift = column(offset)
    return lambda points: field(points - shift)


def turned(field: Field, axis: str, degrees: float) -> Field:
    """The field rotated about "x", "y" or "z" (right-handed) through the origin."""
    first, second = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    inverse = np.eye(3, dtype=np.float32)
    inverse[first, first] = inverse[second, second] = cosine
    inverse[first, second], inverse[second, first] = sine, -sine
    return lambda points: field(inverse @ points)


def mirrored(field: Field, axis: int = 0) -> Field:
    """The half with positive coordinates on `axis`, and its mirror image."""

    def reflected(points: Points) -> Distances:
        folded = points.copy()
        folded[axis] = np.abs(folded[axis])
        return field(folded)

    return reflected


def ring(field: Field, count: int, *, start: float = 0.0) -> Field:
    """`count` copies of a field that lies along +x, spread evenly about the y axis (start in degrees)."""
    sector, offset = 2.0 * math.pi / count, math.radians(start)

    def repeated(points: Points) -> Distances:
        x, y, z = points
        angle = np.arctan2(z, x) - offset
        angle = angle - sector * np.round(angle / sector)
        radius = np.sqrt(x * x + z * z)
        return field(np.stack([radius * np.cos(angle), y, radius * np.sin(angle)]))

    return repeated


def inflated(field: Field, amount: float) -> Field:
    """The field grown outwards by `amount` (shrunk where negative)."""
    return lambda points: field(points) - amount


def cut(field: Field, axis: int, limit: float, *, above: bool = True, fillet: float = 0.0) -> Field:
    """The field without what lies above (or below) `limit` on an axis."""
    sign = 1.0 if above else -1.0

    def trimmed(points: Points) -> Distances:
        plane = sign * (points[axis] - limit)
        solid = field(points)
        return smooth_max(solid, plane, fillet) if fillet else np.maximum(solid, plane)

    return trimmed
