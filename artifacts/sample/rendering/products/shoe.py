"""Shoes: sneakers, boots, a pump, a loafer; a side profile cut by the outline of a foot."""

from __future__ import annotations

from dataclasses import dataclass

from rendering.materials import (
    Material,
    cloth,
    glossy,
    leather,
    matte,
    rubber,
)
from rendering.operators import difference, inflated, intersection, moved, turned, union
from rendering.patterns import slashes
from rendering.product import Part
from rendering.profiles import Outline, drawn, extrusion, spline
from rendering.shapes import Field, box, capsule, ellipsoid
from rendering.textures import mottled, weave

FOOT = drawn(
    "-0.8,0 -0.72,0.19 -0.45,0.24 -0.1,0.22 0.3,0.3 0.6,0.29 0.83,0.15 0.88,-0.02 0.8,-0.18 "
    "0.55,-0.27 0.25,-0.27 -0.1,-0.2 -0.45,-0.22 -0.72,-0.18"
)
LOW = drawn(
    "-0.76,0.02 -0.79,0.3 -0.74,0.66 -0.45,0.55 -0.12,0.74 0.14,0.55 0.5,0.36 0.78,0.27 0.88,0.12 0.82,0.02 0,0.02"
)
HIGH = drawn(
    "-0.76,0.02 -0.78,0.35 -0.72,0.8 -0.74,1.1 -0.45,1.08 -0.1,1.12 -0.08,0.8 0.14,0.55 "
    "0.5,0.36 0.78,0.27 0.88,0.12 0.82,0.02 0,0.02"
)
TALL = drawn(
    "-0.76,0.02 -0.76,0.3 -0.68,0.7 -0.72,1.2 -0.72,1.55 -0.4,1.55 -0.04,1.55 -0.06,1.1 "
    "-0.08,0.75 0.2,0.5 0.55,0.38 0.8,0.28 0.87,0.12 0.82,0.02 0,0.02"
)
SLIP = drawn(
    "-0.76,0.02 -0.79,0.28 -0.74,0.5 -0.45,0.42 -0.05,0.42 0.2,0.46 0.5,0.36 0.78,0.25 0.88,0.11 0.82,0.02 0,0.02"
)
PUMP = drawn(
    "-0.56,0.6 -0.66,0.72 -0.64,0.98 -0.4,0.8 0,0.5 0.35,0.27 0.6,0.24 0.86,0.1 0.9,0.03 "
    "0.55,0.03 0.3,0.06 0,0.24 -0.3,0.48"
)


@dataclass(frozen=True)
class Shoe:
    """A shoe: side profile, sole thickness, materials; laces, toe cap and heel where there are any."""

    profile: Outline
    upper: Material
    sole: Material
    lift: float = 0.12
    laces: Material | None = None
    toe: Material | None = None
    heel: float = 0.0
    counter: Material | None = None
    strap: Material | None = None
    taper: float = 0.2
    collar: tuple[float, float, float, float] = (-0.42, 0.82, 0.28, 0.42)
    hole: float = 0.13
    wide: float = 1.0

    def parts(self) -> list[Part]:
        """Sole, upper, trims."""
        upper = moved(self._upper(), (0.0, self.lift + self.heel, 0.0))
        parts = [Part(upper, self.upper), Part(self._sole(), self.sole)]
        if self.toe:
            parts.append(Part(intersection(inflated(upper, 0.01), box((0.3, 0.6, 0.6), (0.84, 0.3, 0.0))), self.toe))
        if self.counter:
            parts.append(
                Part(intersection(inflated(upper, 0.01), box((0.2, 0.7, 0.6), (-0.76, 0.3, 0.0))), self.counter)
            )
        if self.strap:
            band = intersection(inflated(upper, 0.014), box((0.07, 0.6, 0.6), (0.2, 0.3 + self.heel, 0.0)))
            parts.append(Part(band, self.strap))
        if self.laces:
            parts.append(Part(self._laces(), self.laces))
        return parts

    def _foot(self, grow: float) -> Field:
        """The foot's outline as an upright prism."""
        outline = spline([(x, z * self.wide) for x, z in FOOT], closed=True)
        return inflated(turned(extrusion(outline, 3.0), "x", 90), grow)

    def _upper(self) -> Field:
        """The upper, hollow at the collar."""
        side = extrusion(spline(self.profile, closed=True), 0.33, taper=self.taper)
        x, y, length, depth = self.collar
        hole = ellipsoid((length, depth, self.hole), (x, y, 0.0))
        return difference(intersection(side, self._foot(0.0), fillet=0.16), hole, fillet=0.05)

    def _sole(self) -> Field:
        """A flat slab, with a block under the heel where there is one; a pump gets a thin heel."""
        if self.profile is PUMP:
            return capsule((-0.58, 0.66, 0.0), (-0.6, 0.03, 0.0), 0.085, 0.03)
        half = 0.5 * (self.lift + 0.07)
        outline = spline([(x, z * self.wide) for x, z in FOOT], closed=True)
        slab = moved(turned(extrusion(outline, half, rounding=0.03), "x", 90), (0.0, half + self.heel, 0.0))
        slab = inflated(slab, 0.018)
        if not self.heel:
            return slab
        block = intersection(
            self._foot(0.0), box((0.24, 0.5 * self.heel + 0.04, 0.5), (-0.56, 0.5 * self.heel + 0.02, 0.0))
        )
        return union(slab, block)

    def _laces(self) -> Field:
        """Rods across the instep, and a bow."""
        start, end = (-0.1, 0.73 + self.lift), (0.28, 0.49 + self.lift)
        if self.profile is HIGH:
            start = (-0.04, 0.92 + self.lift)
        rods: list[Field] = []
        for index in range(5):
            share = index / 4.0
            x, y = start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])
            slant = 0.03 * (-1) ** index
            rods.append(capsule((x + slant, y - 0.03, -0.13), (x, y + 0.005, 0.0), 0.022))
            rods.append(capsule((x, y + 0.005, 0.0), (x - slant, y - 0.03, 0.13), 0.022))
        x, y = start
        rods += [capsule((x, y + 0.02, 0.0), (x + 0.06, y + 0.03, side * 0.15), 0.018, 0.03) for side in (-1.0, 1.0)]
        return union(*rods)


WHITE = rubber("#f1efe9")
MODELS = (
    Shoe(
        LOW,
        leather(slashes("#f1efea", "#1f3b6f", first=-0.12, count=3), grain=60.0),
        WHITE,
        laces=cloth("#f4f2ee"),
        counter=leather("#1f3b6f"),
    ),
    Shoe(
        HIGH,
        cloth("#b3262c", bump=0.08),
        WHITE,
        laces=cloth("#f4f2ee"),
        toe=rubber("#f1efe9"),
        lift=0.1,
        taper=0.1,
        collar=(-0.45, 1.2, 0.26, 0.5),
        hole=0.145,
    ),
    Shoe(
        LOW,
        cloth(slashes(weave("#3c4650", "#2b343c", scale=40.0), "#c8f04a", first=-0.3, count=2, period=0.2), bump=0.05),
        rubber("#c8f04a"),
        lift=0.24,
        laces=cloth("#c8f04a"),
        wide=1.06,
    ),
    Shoe(
        HIGH,
        leather(mottled("#9a6236", "#6f4021", scale=3.0)),
        rubber("#2b211b"),
        laces=cloth("#d9b25a"),
        lift=0.16,
        taper=0.09,
        collar=(-0.45, 1.2, 0.26, 0.5),
        hole=0.15,
    ),
    Shoe(PUMP, glossy("#b0162b"), glossy("#b0162b"), lift=0.0, taper=0.1, collar=(-0.2, 0.98, 0.6, 0.46), wide=0.82),
    Shoe(
        SLIP,
        leather("#4a2a1b"),
        rubber("#1f1814"),
        lift=0.06,
        heel=0.08,
        strap=leather("#6b3f28"),
        collar=(-0.38, 0.62, 0.37, 0.46),
        hole=0.17,
        taper=0.1,
    ),
    Shoe(
        TALL, glossy("#f2b51f"), rubber("#d8d2c4"), lift=0.12, collar=(-0.39, 1.75, 0.28, 0.9), hole=0.155, taper=0.05
    ),
    Shoe(
        TALL,
        leather("#1d1c1e"),
        rubber("#111112"),
        lift=0.28,
        heel=0.16,
        collar=(-0.39, 1.75, 0.28, 0.9),
        hole=0.15,
        taper=0.06,
    ),
    Shoe(
        SLIP,
        cloth(weave("#5f7fa6", "#89a3c2", scale=30.0)),
        matte("#c9a878"),
        lift=0.14,
        collar=(-0.38, 0.62, 0.37, 0.46),
        hole=0.17,
        taper=0.1,
    ),
)
