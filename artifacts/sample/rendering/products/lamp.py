"""Lamps: table lamps with a lit shade, desk lamps on arms, a tripod, a globe, a mushroom."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from rendering.materials import Material, ceramic, cloth, glossy, glowing, lit, matte, metal, stoneware, wood
from rendering.operators import moved, ring, turned, union
from rendering.patterns import dipped, flutes, stripes
from rendering.product import Part
from rendering.profiles import Outline, hoop, lathe, spline
from rendering.shapes import Field, Vector, box, capsule, cylinder, sphere
from rendering.textures import grain, speckled


def shade(bottom: float, top: float, low: float, high: float) -> Field:
    """A hollow cone of cloth, open above and below; radii and heights."""
    wall = 0.03
    return hoop([(bottom, low), (top, high), (top - wall, high), (bottom - wall, low)])


@dataclass(frozen=True)
class TableLamp:
    """A turned base and a shade (bottom radius, top radius, low, high)."""

    outline: Outline
    base: Material
    cone: tuple[float, float, float, float]
    cover: Material
    stem: Material = metal("#b9975b")

    def parts(self) -> list[Part]:
        """Base, stem, shade."""
        foot = lathe([(0.0, self.outline[0][1]), *spline(self.outline), (0.0, self.outline[-1][1])])
        start, end = self.outline[-1][1] - 0.03, self.cone[3] - 0.04
        stem = union(
            capsule((0.0, start, 0.0), (0.0, end, 0.0), 0.025),
            capsule((-self.cone[1], end, 0.0), (self.cone[1], end, 0.0), 0.012),
        )
        return [Part(foot, self.base), Part(stem, self.stem), Part(shade(*self.cone), self.cover)]


@dataclass(frozen=True)
class DeskLamp:
    """A foot, jointed arms in the (x, y) plane, and a metal head that looks down."""

    joints: tuple[tuple[float, float], ...]
    paint: Material
    rod: Material
    head: float = 0.3
    tilt: float = 30.0

    def parts(self) -> list[Part]:
        """Foot, arms with joints, head with bulb."""
        stops: list[Vector] = [(x, y, 0.0) for x, y in self.joints]
        arms = union(*[capsule(a, b, 0.028) for a, b in pairwise(stops)])
        knuckles = union(*[sphere(0.052, stop) for stop in stops[1:]])
        r = self.head
        outline = [
            (0.3 * r, 0.35 * r),
            (0.36 * r, 0.3 * r),
            (0.5 * r, 0.0),
            (r, -0.9 * r),
            (0.93 * r, -0.9 * r),
            (0.42 * r, 0.0),
            (0.28 * r, 0.2 * r),
        ]
        cap = sphere(0.36 * r, (0.0, 0.22 * r, 0.0))
        tip = stops[-1]
        cone = moved(turned(union(hoop(outline), cap), "z", self.tilt), tip)
        bulb = moved(turned(sphere(0.45 * r, (0.0, -0.45 * r, 0.0)), "z", self.tilt), tip)
        foot = cylinder(0.34, 0.035, (self.joints[0][0], 0.035, 0.0), rounding=0.03)
        return [
            Part(foot, self.paint),
            Part(arms, self.rod),
            Part(knuckles, self.paint),
            Part(cone, self.paint),
            Part(bulb, glowing("#fff0c8", glow=3.0)),
        ]


@dataclass(frozen=True)
class TripodLamp:
    """A drum shade on three splayed legs."""

    legs: Material
    cone: tuple[float, float, float, float]
    cover: Material

    def parts(self) -> list[Part]:
        """Legs, hub, shade."""
        leg = capsule((0.05, self.cone[2] - 0.08, 0.0), (0.5, 0.035, 0.0), 0.045, 0.03)
        hub = cylinder(0.1, 0.05, (0.0, self.cone[2] - 0.08, 0.0), rounding=0.02)
        return [
            Part(ring(leg, 3, start=20.0), self.legs),
            Part(hub, metal("#b9975b")),
            Part(capsule((0.0, self.cone[2] - 0.08, 0.0), (0.0, self.cone[3] - 0.1, 0.0), 0.025), metal("#b9975b")),
            Part(shade(*self.cone), self.cover),
        ]


@dataclass(frozen=True)
class GlobeLamp:
    """A lit glass ball on a block or a stem."""

    radius: float
    height: float
    base: Material
    block: bool = False

    def parts(self) -> list[Part]:
        """Base, stem, ball."""
        ball = sphere(self.radius, (0.0, self.height, 0.0))
        low = self.height - self.radius
        if self.block:
            foot = box((0.26, 0.5 * low + 0.04, 0.26), (0.0, 0.5 * low + 0.04, 0.0), rounding=0.03)
        else:
            foot = union(
                cylinder(0.3, 0.03, (0.0, 0.03, 0.0), rounding=0.02),
                capsule((0.0, 0.03, 0.0), (0.0, low, 0.0), 0.03),
                cylinder(0.1, 0.05, (0.0, low, 0.0)),
            )
        return [Part(foot, self.base), Part(ball, lit(glossy("#f3dcae"), 0.6))]


@dataclass(frozen=True)
class MushroomLamp:
    """A dome on a stout column, all in one colour."""

    paint: Material

    def parts(self) -> list[Part]:
        """Column, lit ring, dome."""
        column = lathe(
            [(0.0, 0.0), *spline([(0.34, 0.0), (0.36, 0.04), (0.2, 0.16), (0.15, 0.45), (0.18, 0.8)]), (0.0, 0.8)]
        )
        dome = lathe([(0.0, 0.72), *spline([(0.6, 0.72), (0.63, 0.76), (0.55, 0.98), (0.32, 1.16), (0.0, 1.22)])])
        return [
            Part(column, self.paint),
            Part(dome, self.paint),
            Part(cylinder(0.45, 0.03, (0.0, 0.72, 0.0), rounding=0.01), glowing("#ffe9bd", glow=2.2)),
        ]


GOURD = [(0.26, 0.0), (0.34, 0.05), (0.4, 0.28), (0.28, 0.5), (0.12, 0.68), (0.1, 0.76)]
BALUSTER = [(0.32, 0.0), (0.32, 0.06), (0.12, 0.1), (0.2, 0.3), (0.08, 0.46), (0.11, 0.56), (0.07, 0.72)]
URN = [(0.2, 0.0), (0.24, 0.04), (0.34, 0.34), (0.3, 0.56), (0.12, 0.68), (0.12, 0.72)]
COLUMN = [(0.3, 0.0), (0.31, 0.05), (0.06, 0.08), (0.05, 0.4), (0.05, 0.9)]

MODELS = (
    TableLamp(GOURD, ceramic("#2f6a78"), (0.56, 0.36, 0.86, 1.44), lit(cloth("#ead6ae", bump=0.1), 0.35)),
    TableLamp(
        BALUSTER,
        wood(grain("#a8703e", "#6b4023", axis=1)),
        (0.62, 0.28, 0.76, 1.32),
        lit(cloth(flutes("#f5eee0", "#d8c8ab", count=30), bump=0.05), 0.25),
    ),
    TableLamp(
        URN,
        stoneware(speckled(dipped("#e9e1d3", "#c46b48", height=0.3), "#54463b", amount=0.12)),
        (0.48, 0.48, 0.8, 1.32),
        lit(cloth("#c9b798", bump=0.12), 0.25),
    ),
    TableLamp(COLUMN, metal("#c39a4f"), (0.46, 0.46, 0.95, 1.38), lit(cloth("#23463c", bump=0.08), 0.3)),
    DeskLamp(((-0.35, 0.05), (-0.6, 0.75), (0.15, 1.25)), glossy("#c8322b"), metal("#c9c9c9"), tilt=22.0),
    DeskLamp(((0.0, 0.05), (0.0, 1.25), (0.5, 1.3)), matte("#26292c"), metal("#b8924e"), head=0.34, tilt=0.0),
    TripodLamp(
        wood(grain("#c79a66", "#9a6c3d", axis=1)),
        (0.46, 0.42, 1.05, 1.6),
        lit(cloth(stripes("#f2ede2", "#e0d6c4", period=0.09), bump=0.08), 0.25),
    ),
    GlobeLamp(0.42, 0.86, wood(grain("#8c5a35", "#5d3820", axis=0)), block=True),
    MushroomLamp(glossy("#e98a2f")),
)
