"""Mugs: a turned body, a handle drawn as a curve, and coffee in some of them."""

from __future__ import annotations

from dataclasses import dataclass

from rendering.materials import Material, ceramic, glossy, matte, stoneware
from rendering.patterns import bands, checks, dipped, dots, stripes
from rendering.product import Part
from rendering.profiles import Outline, content, spline, vessel, wire
from rendering.textures import brush_rings, speckled


@dataclass(frozen=True)
class Mug:
    """A mug: outline (radius, height) knots from foot to lip, handle (start, end, reach) and glazes."""

    outline: Outline
    glaze: Material
    handle: tuple[float, float, float]
    handle_glaze: Material
    rod: float = 0.055
    flat: float = 1.6
    corner: bool = False
    drink: str | None = None

    def parts(self) -> list[Part]:
        """The body, the handle and the contents."""
        body = [(0.0, self.outline[0][1]), *spline(self.outline)]
        parts = [
            Part(vessel(body, wall=0.055), self.glaze),
            Part(wire(self._grip(), self.rod, flat=self.flat), self.handle_glaze),
        ]
        if self.drink:
            level = 0.86 * self.outline[-1][1]
            parts.append(Part(content(body, wall=0.055, level=level), glossy(self.drink)))
        return parts

    def _grip(self) -> Outline:
        """The handle's curve in (x, y)."""
        low, high, reach = self.handle
        foot, top = self._radius(low) - 0.04, self._radius(high) - 0.04
        if self.corner:
            return [(top, high), (reach - 0.06, high), (reach, high - 0.08), (reach, low + 0.1), (foot, low)]
        middle = 0.5 * (low + high)
        knots = [
            (top, high),
            (reach * 0.93, high + 0.03),
            (reach, middle + 0.08),
            (reach * 0.86, low + 0.1),
            (foot, low),
        ]
        return spline(knots)

    def _radius(self, height: float) -> float:
        """The body's outer radius at a height."""
        knots = spline(self.outline)
        return min(knots, key=lambda knot: abs(knot[1] - height))[0]


STRAIGHT = [(0.36, 0.0), (0.40, 0.03), (0.41, 0.3), (0.41, 0.65), (0.41, 0.95)]
TALL = [(0.30, 0.0), (0.34, 0.04), (0.36, 0.5), (0.39, 0.9), (0.42, 1.2)]
BARREL = [(0.34, 0.0), (0.40, 0.04), (0.49, 0.38), (0.46, 0.7), (0.41, 0.9)]
BOWLED = [(0.24, 0.0), (0.38, 0.06), (0.53, 0.3), (0.57, 0.52), (0.58, 0.66)]
CONE = [(0.48, 0.0), (0.52, 0.04), (0.48, 0.4), (0.43, 0.8), (0.40, 1.0)]
TULIP = [(0.28, 0.0), (0.30, 0.05), (0.38, 0.24), (0.37, 0.55), (0.42, 0.82), (0.48, 0.98)]
SQUAT = [(0.42, 0.0), (0.47, 0.04), (0.485, 0.25), (0.485, 0.5), (0.485, 0.68)]
FOOTED = [(0.27, 0.0), (0.27, 0.09), (0.40, 0.16), (0.44, 0.36), (0.43, 0.7), (0.43, 0.9)]
ENAMEL = [(0.42, 0.0), (0.44, 0.03), (0.44, 0.3), (0.44, 0.6), (0.45, 0.82), (0.48, 0.84)]

MODELS = (
    Mug(
        STRAIGHT,
        ceramic(stripes("#f4efe6", "#2f5d8a", period=0.19, share=0.45)),
        (0.22, 0.74, 0.78),
        ceramic("#f4efe6"),
        drink="#3a2012",
    ),
    Mug(TALL, matte("#23262b"), (0.34, 0.95, 0.78), matte("#23262b"), corner=True, flat=1.9),
    Mug(
        BARREL,
        stoneware(speckled(dipped("#e9dfcd", "#b5653a", height=0.36), "#5b4030", amount=0.24)),
        (0.2, 0.7, 0.86),
        stoneware("#e9dfcd"),
        rod=0.065,
    ),
    Mug(BOWLED, ceramic("#e9b44c"), (0.2, 0.5, 0.95), ceramic("#e9b44c"), rod=0.05, drink="#c99a6b"),
    Mug(CONE, stoneware(brush_rings("#dfe5e0", "#4f7d75")), (0.2, 0.74, 0.85), stoneware("#4f7d75"), flat=2.0),
    Mug(
        TULIP,
        ceramic(dots("#f6d9d5", "#c8384a", count=12, rows=6.5, size=0.27)),
        (0.24, 0.72, 0.8),
        ceramic("#c8384a"),
        rod=0.045,
        flat=1.3,
    ),
    Mug(
        SQUAT,
        ceramic(bands("#2f6f5e", [(0.46, 0.5, "#e8d9a8"), (0.54, 0.56, "#e8d9a8")])),
        (0.14, 0.54, 0.88),
        ceramic("#2f6f5e"),
        corner=True,
        drink="#6b3d1e",
    ),
    Mug(
        FOOTED, stoneware(checks("#f3efe8", "#b53b35", period=0.22)), (0.28, 0.74, 0.82), stoneware("#f3efe8"), rod=0.05
    ),
    Mug(
        ENAMEL,
        glossy(bands("#dfe8ea", [(0.79, 0.9, "#1d3f6e"), (-0.02, 0.05, "#1d3f6e")])),
        (0.24, 0.66, 0.84),
        glossy("#1d3f6e"),
        rod=0.035,
        flat=2.2,
    ),
)
