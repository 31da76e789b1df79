"""Bottles: a turned body, a stopper, and a paper label on some."""

from __future__ import annotations

from dataclasses import dataclass

from rendering.materials import Material, ceramic, glass, glossy, matte, metal, plastic, rubber, wood
from rendering.operators import inflated, intersection, moved, turned, union
from rendering.patterns import bands, dipped
from rendering.product import Part
from rendering.profiles import Outline, drawn, lathe, spline, wire
from rendering.shapes import box, cylinder, torus
from rendering.textures import grain, speckled


@dataclass(frozen=True)
class Bottle:
    """A bottle: outline (radius, height) knots, stopper (radius, low, high), label (low, high)."""

    outline: Outline
    body: Material
    stopper: tuple[float, float, float]
    cap: Material
    label: tuple[float, float] | None = None
    paper: Material | None = None
    fitting: str = ""

    def parts(self) -> list[Part]:
        """Body, stopper, label and fitting."""
        solid = lathe([(0.0, self.outline[0][1]), *spline(self.outline), (0.0, self.outline[-1][1])])
        radius, low, high = self.stopper
        stopper = cylinder(radius, 0.5 * (high - low), (0.0, 0.5 * (low + high), 0.0), rounding=0.02)
        parts = [Part(solid, self.body), Part(stopper, self.cap)]
        if self.label and self.paper:
            bottom, top = self.label
            sleeve = box((1.0, 0.5 * (top - bottom), 1.0), (0.0, 0.5 * (top + bottom), 0.0))
            parts.append(Part(intersection(inflated(solid, 0.008), sleeve), self.paper))
        return parts + self._fitting(high)

    def _fitting(self, top: float) -> list[Part]:
        """A loop, a pump or a swing-top wire above the stopper."""
        if self.fitting == "loop":
            return [Part(moved(turned(torus(0.12, 0.03), "x", 90), (0.0, top + 0.09, 0.0)), self.cap)]
        if self.fitting == "pump":
            stem = cylinder(0.035, 0.1, (0.0, top + 0.08, 0.0))
            head = union(stem, wire([(-0.06, top + 0.18), (0.2, top + 0.18), (0.26, top + 0.13)], 0.035), fillet=0.03)
            return [Part(head, self.cap)]
        if self.fitting == "swing":
            half = [(0.1, top - 0.26), (0.15, top - 0.2), (0.13, top - 0.08), (0.06, top - 0.01)]
            other = [(-x, y) for x, y in half]
            return [Part(union(wire(half, 0.014), wire(other, 0.014)), metal("#c9c9c4"))]
        return []


WINE = drawn("0.3,0 0.32,0.03 0.32,0.4 0.32,0.85 0.28,1.02 0.13,1.2 0.11,1.4 0.11,1.66 0.13,1.67")
BURGUNDY = [(0.36, 0.0), (0.38, 0.04), (0.38, 0.5), (0.34, 0.75), (0.22, 1.02), (0.13, 1.25), (0.115, 1.5), (0.12, 1.6)]
FLASK = [(0.29, 0.0), (0.31, 0.03), (0.31, 0.5), (0.31, 1.02), (0.29, 1.1), (0.17, 1.2), (0.16, 1.27)]
SPORT = drawn("0.27,0 0.3,0.04 0.3,0.36 0.26,0.5 0.26,0.66 0.3,0.8 0.3,1.02 0.22,1.14 0.2,1.2")
MILK = [(0.33, 0.0), (0.36, 0.04), (0.36, 0.35), (0.36, 0.62), (0.3, 0.8), (0.18, 0.98), (0.17, 1.12), (0.21, 1.2)]
SOAP = [(0.36, 0.0), (0.39, 0.04), (0.39, 0.35), (0.39, 0.66), (0.34, 0.75), (0.15, 0.8), (0.14, 0.88)]
SWING = [(0.3, 0.0), (0.33, 0.04), (0.33, 0.4), (0.33, 0.84), (0.22, 1.05), (0.12, 1.22), (0.11, 1.42), (0.12, 1.46)]
SPHERE = [(0.2, 0.0), (0.34, 0.05), (0.5, 0.3), (0.45, 0.6), (0.25, 0.8), (0.12, 0.95), (0.1, 1.2), (0.12, 1.28)]
SAUCE = [(0.2, 0.0), (0.23, 0.03), (0.24, 0.4), (0.23, 0.75), (0.17, 0.95), (0.1, 1.15), (0.085, 1.35)]

MODELS = (
    Bottle(
        WINE,
        glass("#27452a", clarity=0.35),
        (0.125, 1.42, 1.7),
        glossy("#7d1f2b"),
        (0.26, 0.74),
        matte(bands("#efe6d2", [(0.3, 0.33, "#8a2431"), (0.55, 0.66, "#8a2431"), (0.44, 0.46, "#9b8c6a")])),
    ),
    Bottle(
        FLASK,
        metal("#c4c8cb", roughness=0.3),
        (0.175, 1.2, 1.42),
        wood(grain("#d8ac73", "#b07c45", axis=1)),
        fitting="loop",
    ),
    Bottle(SPORT, plastic("#e4572e"), (0.215, 1.16, 1.3), plastic("#2b2d33"), fitting="pump"),
    Bottle(MILK, glossy("#f1f0ea"), (0.215, 1.17, 1.26), metal("#b9a05c"), (0.36, 0.58), matte("#3a78b5")),
    Bottle(
        SOAP,
        glass("#8a4a17", clarity=0.3),
        (0.16, 0.84, 0.96),
        plastic("#1c1c1e"),
        (0.18, 0.56),
        matte(bands("#f3f1ec", [(0.4, 0.43, "#2b2b2b"), (0.33, 0.345, "#2b2b2b"), (0.27, 0.285, "#8c8c8c")])),
        "pump",
    ),
    Bottle(SWING, glass("#a9d3d6", clarity=0.72), (0.095, 1.4, 1.55), ceramic("#f5f2ec"), fitting="swing"),
    Bottle(
        SPHERE,
        ceramic(speckled(dipped("#274b61", "#d9d2c0", height=0.45), "#15222b", amount=0.1)),
        (0.09, 1.2, 1.38),
        wood(grain("#c99e6a", "#9c7040", axis=1)),
    ),
    Bottle(
        SAUCE,
        glossy("#a61d1d"),
        (0.11, 1.28, 1.5),
        plastic("#2f7d3b"),
        (0.3, 0.72),
        matte(bands("#f7d34a", [(0.46, 0.6, "#8b1a1a"), (0.36, 0.38, "#2f7d3b")])),
    ),
    Bottle(BURGUNDY, rubber("#31363b"), (0.14, 1.5, 1.66), metal("#c98a5e"), (0.42, 0.46), metal("#c98a5e")),
)
