"""Legs of chairs: each style is a function of the legs' reach from the middle of the seat."""

from __future__ import annotations

from collections.abc import Callable

from rendering.operators import mirrored, union
from rendering.shapes import Field, box, capsule, cylinder, ellipsoid

SEAT = 0.86  # height of every seat


def splayed(reach: float) -> Field:
    """Four turned legs that spread, with rungs front and back."""
    leg = capsule((reach - 0.08, SEAT - 0.06, reach - 0.08), (reach + 0.06, 0.03, reach + 0.08), 0.045, 0.028)
    rung = capsule((0.0, 0.36, reach + 0.02), (reach, 0.36, reach + 0.02), 0.02)
    return mirrored(mirrored(union(leg, rung)), 2)


def eiffel(reach: float) -> Field:
    """Four wooden legs braced by steel rods."""
    leg = capsule((0.2, SEAT - 0.08, 0.2), (reach + 0.02, 0.02, reach + 0.02), 0.032, 0.024)
    brace = capsule((0.24, 0.62, 0.24), (0.0, 0.32, reach - 0.1), 0.012)
    return mirrored(mirrored(union(leg, brace)), 2)


def pedestal(reach: float) -> Field:
    """One column on a round foot of fixed size; the reach does not matter."""
    foot = cylinder(0.36, 0.015, (0.0, 0.02, 0.0), rounding=0.012)
    column = capsule((0.0, 0.02, 0.0), (0.0, SEAT - 0.1, 0.0), 0.05)
    return union(union(foot, column), ellipsoid((0.3, 0.05, 0.3), (0.0, 0.02, 0.0)), fillet=0.1)


def sled(reach: float) -> Field:
    """Two bent steel frames that run along the floor."""
    bars = [
        capsule((reach, 0.025, -reach), (reach, 0.025, reach), 0.025),
        capsule((reach, 0.025, reach), (reach, SEAT - 0.06, reach), 0.025),
        capsule((reach, 0.025, -reach), (reach, SEAT - 0.06, -reach), 0.025),
    ]
    return mirrored(union(*bars))


def square(reach: float) -> Field:
    """Four posts and the apron between them."""
    post = box((0.042, 0.5 * SEAT - 0.02, 0.042), (reach, 0.5 * SEAT - 0.02, reach), rounding=0.012)
    apron = box((reach, 0.05, 0.018), (0.0, SEAT - 0.12, reach))
    side = box((0.018, 0.05, reach), (reach, SEAT - 0.12, 0.0))
    return mirrored(mirrored(union(post, apron, side)), 2)


LEGS: dict[str, Callable[[float], Field]] = {
    "splayed": splayed,
    "eiffel": eiffel,
    "pedestal": pedestal,
    "sled": sled,
    "square": square,
}
