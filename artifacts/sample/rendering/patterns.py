"""Painted decoration: each maker returns a pattern from points to linear colours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rendering.materials import Colours, Pattern, linear, pattern_of
from rendering.noise import value_noise
from rendering.shapes import Points, Vector, column

Weights = NDArray[np.float32]
EDGE = 0.012  # softness of painted borders, about two pixels at 320 px


def step(value: Weights, threshold: float, softness: float = EDGE) -> Weights:
    """0 below the threshold, 1 above, a straight ramp of width `softness` between (n,)."""
    result: Weights = np.clip((value - threshold) / softness + 0.5, 0.0, 1.0)
    return result


def mix(first: Colours, second: Colours, weight: Weights) -> Colours:
    """Linear blend of colours (3, n) by weights (n,)."""
    return first + (second - first) * weight


def bands(base: str | Pattern, edges: list[tuple[float, float, str]]) -> Pattern:
    """Horizontal bands: (lower height, upper height, colour) each, painted over a base."""
    ground = pattern_of(base)

    def pattern(points: Points) -> Colours:
        colours = ground(points)
        for low, high, colour in edges:
            weight = step(points[1], low) * (1.0 - step(points[1], high))
            colours = mix(colours, linear(colour)[:, None], weight)
        return colours

    return pattern


def stripes(first: str, second: str, *, period: float, axis: int = 1, share: float = 0.5) -> Pattern:
    """Even stripes across an axis; share is the width of the second colour."""
    ground, figure = linear(first)[:, None], linear(second)[:, None]

    def pattern(points: Points) -> Colours:
        phase = np.abs(np.mod(points[axis] / period, 1.0) - 0.5)
        return mix(ground, figure, step(0.5 * share - phase, 0.0, EDGE / period))

    return pattern


def flutes(base: str | Pattern, second: str, *, count: int, share: float = 0.5) -> Pattern:
    """Upright stripes around the y axis."""
    ground, figure = pattern_of(base), linear(second)[:, None]

    def pattern(points: Points) -> Colours:
        phase = np.abs(np.mod(np.arctan2(points[2], points[0]) * count / (2 * np.pi), 1.0) - 0.5)
        return mix(ground(points), figure, step(0.5 * share - phase, 0.0, 0.06))

    return pattern


def dots(base: str | Pattern, colour: str, *, count: int, rows: float, size: float = 0.3) -> Pattern:
    """Staggered dots around the y axis: count per turn, rows per unit of height, size in cells."""
    ground, paint = pattern_of(base), linear(colour)[:, None]

    def pattern(points: Points) -> Colours:
        v = points[1] * rows
        row = np.floor(v)
        u = np.arctan2(points[2], points[0]) * count / (2 * np.pi) + 0.5 * np.mod(row, 2.0)
        reach = np.hypot(np.mod(u, 1.0) - 0.5, v - row - 0.5)
        return mix(ground(points), paint, step(size - reach, 0.0, 0.08))

    return pattern


def zigzag(base: str | Pattern, colour: str, *, count: int, low: float, high: float, width: float = 0.03) -> Pattern:
    """A zigzag line around the y axis between two heights."""
    ground, paint = pattern_of(base), linear(colour)[:, None]

    def pattern(points: Points) -> Colours:
        phase = np.mod(np.arctan2(points[2], points[0]) * count / (2 * np.pi), 1.0)
        line = low + (high - low) * np.abs(2.0 * phase - 1.0)
        return mix(ground(points), paint, step(width - np.abs(points[1] - line), 0.0))

    return pattern


def dipped(top: str | Pattern, bottom: str | Pattern, *, height: float, waviness: float = 0.05) -> Pattern:
    """Two glazes that meet at a height in a wavy line."""
    upper, lower = pattern_of(top), pattern_of(bottom)

    def pattern(points: Points) -> Colours:
        line = height + waviness * (value_noise(points * np.float32(4.0)) - 0.5) * 2.0
        return mix(lower(points), upper(points), step(points[1] - line, 0.0, 2 * EDGE))

    return pattern


def checks(first: str, second: str, *, period: float, axes: tuple[int, int] = (0, 1)) -> Pattern:
    """Gingham: two half-transparent sets of stripes that cross."""
    ground, figure = linear(first)[:, None], linear(second)[:, None]

    def pattern(points: Points) -> Colours:
        weight = sum(0.5 * step(np.abs(np.mod(points[axis] / period, 1.0) - 0.5), 0.25, 0.08) for axis in axes)
        return mix(ground, figure, np.asarray(weight, dtype=np.float32))

    return pattern


def radial(base: str | Pattern, colour: str, *, centre: Vector, radius: float, softness: float = EDGE) -> Pattern:
    """A ball-shaped patch of another colour around a centre: a painted cap, a sunburst."""
    ground, paint, origin = pattern_of(base), linear(colour)[:, None], column(centre)

    def pattern(points: Points) -> Colours:
        reach = np.sqrt(((points - origin) ** 2).sum(axis=0))
        return mix(ground(points), paint, step(radius - reach, 0.0, softness))

    return pattern


def slashes(
    base: str | Pattern, colour: str, *, first: float, count: int, period: float = 0.16, share: float = 0.5
) -> Pattern:
    """Slanted stripes on both sides (z), from x = first onwards: a shoe, a car."""
    ground, paint = pattern_of(base), linear(colour)[:, None]

    def pattern(points: Points) -> Colours:
        along = (points[0] + 0.6 * points[1] - first) / period
        wave = step(0.5 * share - np.abs(np.mod(along, 1.0) - 0.5), 0.0, 0.1)
        inside = step(along, 0.0, 0.05) * step(count - along, 0.0, 0.05) * step(np.abs(points[2]), 0.1, 0.02)
        return mix(ground(points), paint, wave * inside)

    return pattern
