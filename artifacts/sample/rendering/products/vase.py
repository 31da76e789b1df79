"""Vases: turned bodies in many glazes, some with ears, some with dried stems in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rendering.materials import Material, ceramic, glass, matte, metal, stoneware
from rendering.operators import mirrored, union
from rendering.patterns import bands, dipped, flutes, zigzag
from rendering.product import Part
from rendering.profiles import Outline, spline, vessel, wire
from rendering.shapes import Field, capsule, ellipsoid
from rendering.textures import brush_rings, mottled, speckled


@dataclass(frozen=True)
class Vase:
    """A vase: outline (radius, height) knots from foot to lip; ears as a curve; stems by seed."""

    outline: Outline
    glaze: Material
    ears: Outline = ()
    stems: int = 0
    bloom: str = "#d9a7a0"

    def parts(self) -> list[Part]:
        """Body, ears, stems and blossoms."""
        body = [(0.0, self.outline[0][1]), *spline(self.outline)]
        parts = [Part(vessel(body, wall=0.045), self.glaze)]
        if self.ears:
            parts.append(Part(mirrored(wire(spline(self.ears), 0.04)), self.glaze))
        return parts + self._stems() if self.stems else parts

    def _stems(self) -> list[Part]:
        """Thin stems that lean out of the mouth, each with blossoms along its tip."""
        generator = np.random.default_rng(self.stems)
        mouth, top = self.outline[-1]
        stalks: list[Field] = []
        parts: list[Part] = []
        for index in range(5):
            angle = 2.0 * np.pi * (index + 0.6 * float(generator.random())) / 5.0
            lean, height = 0.16 + 0.22 * float(generator.random()), 0.5 + 0.35 * float(generator.random())
            x, z = float(np.cos(angle)), float(np.sin(angle))
            tip = ((0.4 * mouth + lean) * x, top + height, (0.4 * mouth + lean) * z)
            stalks.append(capsule((-0.2 * mouth * x, 0.5 * top, -0.2 * mouth * z), tip, 0.014))
            radius = 0.06 + 0.03 * float(generator.random())
            buds = [ellipsoid((radius, 1.3 * radius, radius), tip)]
            buds.append(ellipsoid((0.045, 0.07, 0.045), (tip[0] * 0.8 + 0.05, tip[1] - 0.17, tip[2] * 0.8 + 0.03)))
            buds.append(ellipsoid((0.045, 0.07, 0.045), (tip[0] * 0.8 - 0.05, tip[1] - 0.1, tip[2] * 0.8 - 0.04)))
            parts.append(Part(union(*buds), matte(self.bloom)))
        return [*parts, Part(union(*stalks), matte("#6f7a4a"))]


AMPHORA = [(0.2, 0.0), (0.24, 0.04), (0.44, 0.4), (0.5, 0.75), (0.36, 1.05), (0.17, 1.2), (0.16, 1.36), (0.24, 1.46)]
GOURD = [(0.3, 0.0), (0.42, 0.1), (0.52, 0.36), (0.4, 0.62), (0.2, 0.76), (0.27, 0.95), (0.24, 1.1), (0.14, 1.2)]
CYLINDER = [(0.28, 0.0), (0.31, 0.03), (0.31, 0.4), (0.31, 0.8), (0.31, 1.3)]
MOON = [(0.2, 0.0), (0.4, 0.05), (0.62, 0.35), (0.62, 0.6), (0.4, 0.9), (0.17, 0.98), (0.17, 1.08)]
TRUMPET = [(0.3, 0.0), (0.28, 0.04), (0.14, 0.14), (0.16, 0.5), (0.24, 0.9), (0.36, 1.2), (0.5, 1.36)]
BUD = [(0.24, 0.0), (0.3, 0.05), (0.33, 0.22), (0.2, 0.44), (0.085, 0.66), (0.075, 1.0), (0.1, 1.12)]
SHOULDER = [(0.22, 0.0), (0.26, 0.04), (0.38, 0.5), (0.47, 0.85), (0.4, 1.02), (0.22, 1.08), (0.22, 1.16)]
FACET = [(0.3, 0.0), (0.34, 0.03), (0.44, 0.45), (0.36, 0.75), (0.26, 0.9), (0.34, 1.1)]
SQUAT = [(0.34, 0.0), (0.44, 0.04), (0.58, 0.24), (0.5, 0.46), (0.3, 0.56), (0.26, 0.64), (0.34, 0.74)]

MODELS = (
    Vase(
        AMPHORA,
        matte(
            zigzag(
                bands("#c4683c", [(0.62, 0.65, "#2b1a14"), (0.9, 0.93, "#2b1a14")]),
                "#2b1a14",
                count=14,
                low=0.68,
                high=0.86,
                width=0.022,
            )
        ),
        [(0.4, 1.0), (0.52, 1.18), (0.4, 1.36), (0.17, 1.36)],
    ),
    Vase(GOURD, ceramic(mottled("#2a6d80", "#9fd0c8", scale=3.5))),
    Vase(CYLINDER, ceramic(flutes("#f2efe9", "#c9c2b6", count=26)), stems=5, bloom="#e3a79c"),
    Vase(MOON, stoneware(speckled("#ece5d8", "#6f5b49", amount=0.14))),
    Vase(TRUMPET, glass("#5a8fbf", clarity=0.5)),
    Vase(BUD, ceramic("#d8576b"), stems=11, bloom="#f1e3c4"),
    Vase(SHOULDER, ceramic(dipped("#1f2a44", "#cfae7b", height=0.5, waviness=0.09))),
    Vase(FACET, metal("#c8963e", roughness=0.3)),
    Vase(SQUAT, stoneware(brush_rings("#e7d9b8", "#7f8f4e", period=0.09)), stems=23, bloom="#c9772e"),
)
