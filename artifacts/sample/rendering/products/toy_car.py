"""Toy cars: a bodywork drawn from the side, windows, four wheels, and what makes each its own."""

from __future__ import annotations

from dataclasses import dataclass

from rendering.materials import Material, glossy, metal, plastic, rubber, wood
from rendering.operators import difference, inflated, intersection, mirrored, moved, turned, union
from rendering.patterns import bands
from rendering.product import Part
from rendering.products.toy_car_extras import EXTRAS
from rendering.profiles import Outline, drawn, extrusion, spline
from rendering.shapes import Field, box, cylinder, ellipsoid
from rendering.textures import grain


@dataclass(frozen=True)
class ToyCar:
    """A toy car: side outlines of body and cabin, half width, wheels (x front, x rear, radius)."""

    body: Outline
    paint: Material
    half: float
    wheels: tuple[float, float, float]
    cabin: Outline = ()
    roof: Material | None = None
    panes: tuple[tuple[float, float], ...] = ()
    sill: tuple[float, float] = (0.0, 0.0)
    tyre: Material = rubber("#1c1c1e")
    hub: Material = metal("#cfcfd2")
    glazing: Material = glossy("#1f2c36")
    extra: str = ""
    rear_radius: float = 0.0

    def parts(self) -> list[Part]:
        """Bodywork, cabin with panes, wheels, lamps, extras."""
        shell = extrusion(self.body, self.half, rounding=0.07)
        front, rear, radius = self.wheels
        back = self.rear_radius or radius
        arches = [
            moved(turned(cylinder(size + 0.03, 2.0), "x", 90), (x, size, 0.0))
            for x, size in ((front, radius), (rear, back))
        ]
        core = box((2.0, 2.0, 0.62 * self.half))
        shell = difference(shell, *[difference(arch, core) for arch in arches], fillet=0.02)
        parts = [Part(shell, self.paint), *self._wheels()]
        if self.cabin:
            cabin = extrusion(self.cabin, self.half - 0.03, rounding=0.08, taper=0.12)
            parts += [Part(cabin, self.roof or self.paint), Part(self._panes(cabin), self.glazing)]
        extras = EXTRAS[self.extra](self.half, self.paint) if self.extra else []
        return parts + self._lamps() + extras

    def _panes(self, cabin: Field) -> Field:
        """Side windows between the given x ranges, windscreen and rear window, proud of the cabin by a hair."""
        low, high = self.sill
        middle, tall = 0.5 * (low + high), 0.5 * (high - low)
        sides = [box((0.5 * (b - a), tall, 1.0), (0.5 * (a + b), middle, 0.0), rounding=0.02) for a, b in self.panes]
        screens = box((2.0, tall, self.half - 0.15), (0.0, middle, 0.0), rounding=0.02)
        return intersection(inflated(cabin, 0.008), union(*sides, screens))

    def _wheels(self) -> list[Part]:
        """Four tyres with hubs."""
        front, rear, radius = self.wheels
        tyres, hubs = [], []
        for x, size in ((front, radius), (rear, self.rear_radius or radius)):
            place = (x, size, self.half - 0.03)
            tyres.append(moved(turned(cylinder(size, 0.09, rounding=0.04), "x", 90), place))
            hubs.append(moved(turned(cylinder(0.55 * size, 0.1, rounding=0.02), "x", 90), place))
        return [Part(mirrored(union(*tyres), 2), self.tyre), Part(mirrored(union(*hubs), 2), self.hub)]

    def _lamps(self) -> list[Part]:
        """Head lamps at the nose."""
        height = self.wheels[2] + 0.16
        nose = front_at(self.body, height)
        lamp = ellipsoid((0.05, 0.07, 0.07), (nose - 0.015, height, 0.6 * self.half))
        return [Part(mirrored(lamp, 2), glossy("#fff2c4"))]


def front_at(outline: Outline, height: float) -> float:
    """The foremost x of a closed outline at a height."""
    crossings = [0.0]
    for (ax, ay), (bx, by) in zip(outline, [*outline[1:], outline[0]], strict=True):
        if (ay > height) != (by > height):
            crossings.append(ax + (bx - ax) * (height - ay) / (by - ay))
    return max(crossings)


BEETLE = spline(
    drawn("-0.98,0.2 -0.98,0.36 -0.8,0.55 -0.4,0.62 0.3,0.6 0.75,0.5 0.96,0.34 0.96,0.2 0.5,0.14 -0.5,0.14"),
    closed=True,
)
DOME = spline([(-0.72, 0.45), (-0.5, 0.82), (-0.1, 0.95), (0.24, 0.84), (0.5, 0.45)], closed=True)
SEDAN = [(-1.0, 0.18), (-1.0, 0.5), (-0.6, 0.55), (0.5, 0.55), (0.98, 0.45), (1.02, 0.18)]
SEDAN_CABIN = [(-0.66, 0.48), (-0.46, 0.9), (0.18, 0.9), (0.48, 0.48)]
BUS = [(-1.1, 0.16), (-1.1, 0.56), (1.08, 0.56), (1.12, 0.16)]
BUS_CABIN = [(-1.1, 0.46), (-1.07, 1.08), (0.98, 1.08), (1.1, 0.46)]
TRUCK = [(-1.06, 0.18), (-1.06, 0.42), (0.38, 0.42), (0.42, 0.55), (0.9, 0.55), (0.98, 0.42), (1.0, 0.18)]
TRUCK_CAB = [(0.3, 0.4), (0.3, 1.0), (0.72, 1.0), (0.9, 0.5), (0.9, 0.4)]
FIRE = [(-1.1, 0.18), (-1.1, 0.88), (0.36, 0.88), (0.36, 0.5), (1.04, 0.5), (1.08, 0.18)]
FIRE_CAB = [(0.38, 0.4), (0.38, 1.0), (0.88, 1.0), (1.04, 0.46)]
RACER = spline(
    drawn("-0.98,0.16 -0.96,0.4 -0.6,0.46 -0.3,0.5 0,0.38 0.6,0.32 1.06,0.16 0.9,0.1 -0.8,0.1"),
    closed=True,
)
TRACTOR = [(-0.7, 0.3), (-0.7, 0.58), (-0.1, 0.6), (0.0, 0.7), (0.76, 0.66), (0.84, 0.58), (0.84, 0.24), (0.2, 0.22)]
BLOCK = spline(
    drawn("-0.9,0.14 -0.95,0.5 -0.6,0.62 -0.38,0.94 0.12,0.94 0.36,0.6 0.9,0.5 0.95,0.14 0,0.14"),
    closed=True,
)
JEEP = [(-0.92, 0.24), (-0.92, 0.62), (0.3, 0.62), (0.92, 0.6), (0.96, 0.24)]
JEEP_CABIN = [(-0.92, 0.55), (-0.9, 0.98), (0.22, 0.98), (0.34, 0.55)]

BEECH = wood(grain("#dcb582", "#b98a54", axis=0, scale=6.0))
MODELS = (
    ToyCar(
        BEETLE,
        glossy("#5fa8a0"),
        0.42,
        (0.56, -0.58, 0.2),
        DOME,
        panes=((-0.5, -0.14), (-0.06, 0.28)),
        sill=(0.6, 0.83),
    ),
    ToyCar(
        SEDAN,
        glossy("#f2b91f"),
        0.4,
        (0.6, -0.58, 0.19),
        SEDAN_CABIN,
        panes=((-0.44, -0.14), (-0.06, 0.26)),
        sill=(0.57, 0.82),
        extra="taxi",
    ),
    ToyCar(
        BUS,
        glossy("#c4322e"),
        0.42,
        (0.68, -0.62, 0.2),
        BUS_CABIN,
        roof=glossy(bands("#c4322e", [(0.98, 1.3, "#f3ede0")])),
        panes=((-1.0, -0.66), (-0.58, -0.24), (-0.16, 0.18), (0.26, 0.6), (0.68, 0.86)),
        sill=(0.62, 0.94),
    ),
    ToyCar(
        TRUCK,
        plastic("#2f66b3"),
        0.4,
        (0.62, -0.62, 0.22),
        TRUCK_CAB,
        panes=((0.4, 0.68),),
        sill=(0.62, 0.92),
        extra="tipper",
    ),
    ToyCar(RACER, glossy("#2d7a4b"), 0.3, (0.66, -0.62, 0.2), extra="racer", rear_radius=0.24),
    ToyCar(BLOCK, BEECH, 0.3, (0.55, -0.55, 0.2), tyre=plastic("#d8493f"), hub=BEECH),
    ToyCar(
        FIRE,
        glossy(bands("#cf2a22", [(0.52, 0.6, "#f4f0e6")])),
        0.4,
        (0.66, -0.62, 0.22),
        FIRE_CAB,
        panes=((0.48, 0.8),),
        sill=(0.64, 0.92),
        extra="ladder",
    ),
    ToyCar(
        TRACTOR,
        plastic("#4b9a3c"),
        0.28,
        (0.56, -0.42, 0.24),
        hub=plastic("#f0c22b"),
        extra="tractor",
        rear_radius=0.42,
    ),
    ToyCar(
        JEEP,
        plastic("#8a8f6a"),
        0.42,
        (0.58, -0.56, 0.25),
        JEEP_CABIN,
        roof=plastic("#efe9da"),
        panes=((-0.78, -0.34), (-0.24, 0.14)),
        sill=(0.68, 0.9),
        extra="rack",
    ),
)
