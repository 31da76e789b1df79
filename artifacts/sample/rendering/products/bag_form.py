"""The common form of bags: their measures and materials, a handle, and a body that is open at the top."""

from __future__ import annotations

from dataclasses import dataclass

from rendering.materials import Material, metal
from rendering.operators import difference, moved
from rendering.profiles import Outline, extrusion, spline, wire
from rendering.shapes import Field, box

BRASS = metal("#c9a04f")


@dataclass(frozen=True)
class Form:
    """A bag's body and trim materials, half width, height and half depth."""

    body: Material
    trim: Material
    half: float
    height: float
    depth: float = 0.22


def handle(bag: Form, rise: float, reach: float, radius: float, flat: float = 1.0) -> Field:
    """A handle that rises from the bag's upper edge, in the plane z = 0."""
    low = bag.height - 0.12
    top = bag.height + rise
    curve = spline(
        [
            (-reach, low),
            (-reach * 0.96, bag.height + 0.5 * rise),
            (-0.55 * reach, top - 0.08 * rise),
            (0.0, top),
            (0.55 * reach, top - 0.08 * rise),
            (reach * 0.96, bag.height + 0.5 * rise),
            (reach, low),
        ]
    )
    return wire(curve, radius, flat=flat)


def open_box(bag: Form, outline: Outline, *, rounding: float) -> Field:
    """A body open at the top, from its front outline."""
    solid = extrusion(outline, bag.depth, rounding=rounding, taper=0.1)
    hollow = moved(box((bag.half - 0.09, 0.5 * bag.height, bag.depth - 0.11)), (0.0, 0.72 * bag.height, 0.0))
    return difference(solid, hollow, fillet=0.03)
