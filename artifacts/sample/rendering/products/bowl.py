"""Bowls: turned bodies from rice bowl to platter, some with fruit in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rendering.materials import Material, ceramic, glass, glossy, metal, stoneware, wood
from rendering.patterns import bands, dipped, dots, flutes, zigzag
from rendering.product import Part
from rendering.profiles import Outline, spline, vessel
from rendering.shapes import capsule, ellipsoid
from rendering.textures import grain, mottled, speckled


@dataclass(frozen=True)
class Bowl:
    """A bowl: outline (radius, height) knots, wall thickness, fruit colour, chopsticks."""

    outline: Outline
    glaze: Material
    wall: float = 0.05
    fruit: str = ""
    sticks: bool = False

    def parts(self) -> list[Part]:
        """The bowl and its contents."""
        body = [(0.0, self.outline[0][1]), *spline(self.outline)]
        parts = [Part(vessel(body, wall=self.wall), self.glaze)]
        if self.sticks:
            rim = self.outline[-1][1] + 0.02
            for z in (-0.05, 0.06):
                parts.append(Part(capsule((-0.85, rim, z - 0.2), (0.75, rim, z), 0.026, 0.016), glossy("#6e1f1a")))
        return parts + self._fruit()

    def _fruit(self) -> list[Part]:
        """Five fruits heaped in the bowl."""
        if not self.fruit:
            return []
        size, top = 0.36 * self.outline[-1][0], self.outline[-1][1]
        places = [(0.0, 0.42, 0.0)] + [
            (1.05 * float(np.cos(a)), -0.18, 1.05 * float(np.sin(a))) for a in np.linspace(0.4, 5.4, 4)
        ]
        skin = glossy(mottled(self.fruit, "#e8b04a", scale=4.0, contrast=0.35))
        return [
            Part(ellipsoid((size, 0.94 * size, size), (x * size, top + y * size, z * size)), skin) for x, y, z in places
        ]


RICE = [(0.2, 0.0), (0.21, 0.08), (0.34, 0.14), (0.5, 0.32), (0.55, 0.56)]
SALAD = [(0.28, 0.0), (0.42, 0.05), (0.66, 0.26), (0.76, 0.5)]
FLARED = [(0.2, 0.0), (0.2, 0.06), (0.3, 0.12), (0.5, 0.26), (0.78, 0.44)]
ROUND = [(0.25, 0.0), (0.42, 0.05), (0.6, 0.26), (0.6, 0.46), (0.52, 0.6)]
SHALLOW = [(0.4, 0.0), (0.6, 0.04), (0.8, 0.14), (0.88, 0.24)]
STRAIGHT = [(0.5, 0.0), (0.55, 0.03), (0.58, 0.18), (0.59, 0.36)]
PEDESTAL = [(0.34, 0.0), (0.3, 0.04), (0.13, 0.12), (0.14, 0.26), (0.4, 0.38), (0.66, 0.56), (0.72, 0.7)]
CONE = [(0.16, 0.0), (0.18, 0.03), (0.4, 0.3), (0.66, 0.6)]
MIXING = [(0.3, 0.0), (0.36, 0.03), (0.52, 0.24), (0.62, 0.5), (0.67, 0.52), (0.67, 0.6)]

MODELS = (
    Bowl(
        RICE,
        ceramic(
            zigzag(bands("#f2f1ee", [(0.48, 0.51, "#27509a")]), "#27509a", count=12, low=0.26, high=0.44, width=0.02)
        ),
        sticks=True,
    ),
    Bowl(SALAD, wood(grain("#c98f55", "#8a552b", axis=0, scale=6.0)), wall=0.06),
    Bowl(FLARED, stoneware(speckled("#cfd8cf", "#4a5a55", amount=0.2))),
    Bowl(ROUND, ceramic("#1e6f74"), fruit="#e07a1f"),
    Bowl(SHALLOW, stoneware(dipped("#e8dcc6", "#33302e", height=0.13, waviness=0.03))),
    Bowl(STRAIGHT, ceramic(dots("#f3c7b5", "#ffffff", count=14, rows=6.0, size=0.28))),
    Bowl(PEDESTAL, metal("#cfa35f", roughness=0.25), wall=0.04, fruit="#7fa23a"),
    Bowl(CONE, glass("#b85a7d", clarity=0.45), wall=0.05),
    Bowl(MIXING, ceramic(flutes(bands("#f0e6d0", [(0.5, 0.7, "#b5452c")]), "#e2d2b0", count=20)), wall=0.05),
)
