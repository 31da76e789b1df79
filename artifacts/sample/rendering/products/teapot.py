"""Teapots: a turned body with lid and knob, a tapering spout, and a side or an overhead handle."""

from __future__ import annotations

from dataclasses import dataclass

from rendering.materials import Material, ceramic, glass, glossy, metal, stoneware, wood
from rendering.operators import union
from rendering.patterns import bands, dipped, dots, flutes
from rendering.product import Part
from rendering.profiles import Outline, lathe, spline, wire
from rendering.shapes import Field, Vector, capsule, sphere
from rendering.textures import grain, mottled, speckled


@dataclass(frozen=True)
class Teapot:
    """A teapot: outline (radius, height) of the body; spout from (x, low) to (x, high)."""

    outline: Outline
    glaze: Material
    trim: Material
    spout: tuple[float, float, float, float] = (0.42, 0.3, 0.92, 0.78)
    spout_radius: float = 0.13
    overhead: bool = False
    dome: float = 0.16
    handle_reach: float = 0.95
    rod: float = 0.055

    def parts(self) -> list[Part]:
        """Body with spout, lid with knob, handle."""
        profile = [(0.0, self.outline[0][1]), *spline(self.outline), (0.0, self.outline[-1][1])]
        body = union(lathe(profile), self._spout(), fillet=0.08)
        return [
            Part(body, self.glaze),
            Part(self._lid(), self.glaze),
            Part(self._knob(), self.trim),
            Part(self._handle(), self.trim),
        ]

    def _spout(self) -> Field:
        """A curve of three tapering rods towards +x."""
        x0, y0, x1, y1 = self.spout
        rise = 0.35 * (y1 - y0)
        stops: list[Vector] = [
            (x0, y0, 0.0),
            (0.62 * x0 + 0.38 * x1, y0 + 0.5 * rise, 0.0),
            (0.25 * x0 + 0.75 * x1, y1 - 0.7 * rise, 0.0),
            (x1, y1, 0.0),
        ]
        r = self.spout_radius
        radii = (r, 0.8 * r, 0.55 * r, 0.42 * r)
        rods = [capsule(a, b, ra, rb) for a, b, ra, rb in zip(stops, stops[1:], radii, radii[1:], strict=False)]
        return union(*rods, fillet=0.04)

    def _lid(self) -> Field:
        """A shallow dome with an overhanging rim."""
        radius, top = self.outline[-1]
        radius += 0.03
        return lathe(
            [
                (0.0, top - 0.02),
                *spline(
                    [
                        (radius, top - 0.01),
                        (radius, top + 0.025),
                        (0.6 * radius, top + 0.75 * self.dome),
                        (0.0, top + self.dome),
                    ]
                ),
            ]
        )

    def _knob(self) -> Field:
        """A ball on a short neck."""
        top = self.outline[-1][1] + self.dome
        return union(
            sphere(0.075, (0.0, top + 0.07, 0.0)),
            capsule((0.0, top - 0.05, 0.0), (0.0, top + 0.05, 0.0), 0.035),
            fillet=0.03,
        )

    def _handle(self) -> Field:
        """A loop at -x, or a bail over the lid."""
        widest = max(radius for radius, _ in self.outline)
        top = self.outline[-1][1]
        if self.overhead:
            arch = [
                (-0.8 * widest, 0.82 * top),
                (-0.86 * widest, top + 0.32),
                (-0.5 * widest, top + 0.62),
                (0.0, top + 0.7),
                (0.5 * widest, top + 0.62),
                (0.86 * widest, top + 0.32),
                (0.8 * widest, 0.82 * top),
            ]
            return wire(spline(arch), self.rod, flat=1.5)
        reach = self.handle_reach
        loop = [
            (-0.8 * widest, 0.86 * top),
            (-0.95 * reach, 0.95 * top),
            (-reach, 0.66 * top),
            (-0.86 * reach, 0.4 * top),
            (-0.9 * widest, 0.28 * top),
        ]
        return wire(spline(loop), self.rod, flat=1.4)


ROUND = [(0.34, 0.0), (0.46, 0.06), (0.62, 0.36), (0.52, 0.68), (0.32, 0.8)]
BALL = [(0.24, 0.0), (0.4, 0.04), (0.62, 0.3), (0.63, 0.5), (0.46, 0.78), (0.36, 0.86)]
FLUTED = [(0.34, 0.0), (0.4, 0.05), (0.42, 0.3), (0.34, 0.6), (0.3, 0.86), (0.36, 1.04)]
SQUAT = [(0.46, 0.0), (0.6, 0.06), (0.74, 0.26), (0.6, 0.46), (0.3, 0.54)]
TALL = [(0.42, 0.0), (0.47, 0.04), (0.44, 0.4), (0.36, 0.85), (0.27, 1.1)]
PEAR = [(0.36, 0.0), (0.5, 0.06), (0.58, 0.3), (0.44, 0.62), (0.26, 0.86), (0.25, 0.96)]
DRUM = [(0.5, 0.0), (0.55, 0.05), (0.56, 0.3), (0.55, 0.55), (0.44, 0.62)]
CONE = [(0.58, 0.0), (0.64, 0.05), (0.54, 0.3), (0.38, 0.6), (0.25, 0.8)]
URN = [(0.3, 0.0), (0.28, 0.06), (0.36, 0.14), (0.58, 0.46), (0.5, 0.74), (0.28, 0.84)]

MODELS = (
    Teapot(
        ROUND,
        ceramic(dots("#3f6fa8", "#f4f1ea", count=16, rows=7.5, size=0.24)),
        ceramic("#f4f1ea"),
        (0.45, 0.28, 0.98, 0.82),
    ),
    Teapot(
        SQUAT,
        stoneware(speckled("#2c2b2c", "#6f6a66", amount=0.12)),
        wood(grain("#b98553", "#7d5230", axis=0)),
        (0.6, 0.2, 1.0, 0.56),
        overhead=True,
        dome=0.1,
    ),
    Teapot(
        TALL,
        ceramic("#f3efe6"),
        metal("#c79a4b"),
        (0.35, 0.45, 0.78, 1.12),
        spout_radius=0.12,
        handle_reach=0.78,
        rod=0.04,
    ),
    Teapot(PEAR, metal("#d0cdc8", roughness=0.14), glossy("#1d1b1b"), (0.45, 0.3, 0.92, 0.94), handle_reach=0.86),
    Teapot(
        DRUM,
        ceramic(bands("#f2c14e", [(0.1, 0.16, "#3a3a3a"), (0.2, 0.23, "#3a3a3a")])),
        ceramic("#3a3a3a"),
        (0.46, 0.3, 0.95, 0.66),
        dome=0.06,
    ),
    Teapot(
        CONE,
        stoneware(dipped("#b9553a", "#e7d8bd", height=0.33)),
        wood(grain("#d6b184", "#a97c4d", axis=0)),
        (0.45, 0.22, 0.95, 0.78),
        overhead=True,
        dome=0.08,
    ),
    Teapot(
        URN,
        ceramic(mottled("#7fb39a", "#d7e8d6", scale=4.0, contrast=0.7)),
        ceramic("#2f5d4c"),
        (0.45, 0.42, 0.98, 0.9),
    ),
    Teapot(BALL, glass("#c07a35", clarity=0.5), glossy("#f1f1ee"), (0.45, 0.34, 0.9, 0.82), dome=0.1, rod=0.045),
    Teapot(
        FLUTED,
        ceramic(flutes("#e9a5ab", "#d77f8a", count=18)),
        ceramic("#fbeff0"),
        (0.36, 0.4, 0.84, 1.05),
        handle_reach=0.84,
        dome=0.24,
    ),
)
