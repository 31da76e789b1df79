"""Headphones: a bent band, two cups with cushions, and on some a microphone or ears."""

from __future__ import annotations

from dataclasses import dataclass

from rendering.materials import Material, cloth, glossy, leather, matte, metal, plastic, rubber, wood
from rendering.operators import mirrored, moved, turned, union
from rendering.product import Part
from rendering.profiles import Outline, extrusion, spline, wire
from rendering.shapes import Field, box, capsule, cylinder, ellipsoid, torus
from rendering.textures import grain


@dataclass(frozen=True)
class Headphones:
    """Headphones: cup shape and radius, band radius and flatness, and the materials of each."""

    cup: str
    radius: float
    shell: Material
    cushion: Material
    band: Material
    rod: float = 0.045
    flat: float = 2.4
    span: float = 0.52
    peak: float = 1.5
    pad: Material | None = None
    ring: Material | None = None
    extra: str = ""

    def parts(self) -> list[Part]:
        """Band, yokes, cups, cushions and extras; both sides by mirroring."""
        arch = self._arch()
        parts = [
            Part(wire(arch, self.rod, flat=self.flat), self.band),
            Part(mirrored(self._yoke()), self.band),
            Part(mirrored(self._place(self._cup())), self.shell),
            Part(mirrored(self._place(self._cushion())), self.cushion),
        ]
        if self.pad:
            high = [point for point in arch if point[1] > self.peak - 0.3]
            parts.append(Part(wire(high, self.rod + 0.03, flat=self.flat * 0.72), self.pad))
        if self.ring:
            hoop = moved(turned(torus(0.62 * self.radius, 0.022), "z", 90), (0.115, 0.0, 0.0))
            parts.append(Part(mirrored(self._place(hoop)), self.ring))
        return parts + self._extras()

    def _arch(self) -> Outline:
        """The band in (x, y), from one yoke over the top to the other."""
        s, foot = self.span, self.radius + 0.3
        middle = 0.5 * (foot + self.peak)
        return spline(
            [
                (-s - 0.05, foot),
                (-s - 0.06, middle),
                (-0.66 * s, self.peak - 0.12),
                (0.0, self.peak),
                (0.66 * s, self.peak - 0.12),
                (s + 0.06, middle),
                (s + 0.05, foot),
            ]
        )

    def _yoke(self) -> Field:
        """The link from the band to the right cup."""
        foot = self.radius + 0.3
        link = capsule((self.span + 0.05, foot + 0.12, 0.0), (self.span + 0.07, foot - 0.3, 0.0), 0.036)
        return union(link, box((0.05, 0.09, 0.07), (self.span + 0.06, foot + 0.06, 0.0), rounding=0.025))

    def _place(self, field: Field) -> Field:
        """A piece of the right cup, drawn around the origin with its outer side to +x, put in place."""
        return moved(turned(field, "z", -6.0), (self.span, self._height(), 0.0))

    def _height(self) -> float:
        """Height of a cup's centre, so that the cups stand on the floor."""
        return self.radius * (1.22 if self.cup == "oval" else 1.02) + 0.02

    def _cup(self) -> Field:
        """The outer shell."""
        r = self.radius
        if self.cup == "oval":
            return ellipsoid((0.16, 1.18 * r, 0.84 * r), (0.03, 0.0, 0.0))
        if self.cup == "square":
            return box((0.1, r, 0.86 * r), (0.03, 0.0, 0.0), rounding=0.095)
        if self.cup == "dome":
            return ellipsoid((0.2, r, r), (0.0, 0.0, 0.0))
        return moved(turned(cylinder(r, 0.1, rounding=0.05), "z", 90), (0.03, 0.0, 0.0))

    def _cushion(self) -> Field:
        """The padded ring on the inner side."""
        r = self.radius
        if self.cup == "oval":
            return ellipsoid((0.1, 1.16 * r, 0.86 * r), (-0.13, 0.0, 0.0))
        if self.cup == "square":
            return box((0.07, 0.94 * r, 0.82 * r), (-0.13, 0.0, 0.0), rounding=0.065)
        ring = turned(torus(0.72 * r, 0.25 * r), "z", 90)
        plug = turned(cylinder(0.7 * r, 0.05), "z", 90)
        return moved(union(ring, plug), (-0.12, 0.0, 0.0))

    def _extras(self) -> list[Part]:
        """A boom microphone, a pair of cat ears, or a cable."""
        height = self._height()
        if self.extra == "boom":
            boom = union(
                capsule((-self.span - 0.08, height, 0.05), (-self.span - 0.02, height - 0.2, 0.5), 0.022),
                capsule((-self.span - 0.02, height - 0.2, 0.5), (-0.22, height - 0.26, 0.62), 0.022),
            )
            tip = capsule((-0.3, height - 0.25, 0.61), (-0.16, height - 0.26, 0.63), 0.055)
            return [Part(boom, rubber("#1d1d20")), Part(tip, cloth("#232327"))]
        if self.extra == "ears":
            ear = extrusion([(0.1, 0.0), (0.42, -0.12), (0.34, 0.26)], 0.05, rounding=0.03)
            inner = extrusion([(0.17, 0.01), (0.36, -0.06), (0.32, 0.16)], 0.065, rounding=0.01)
            return [
                Part(mirrored(moved(ear, (0.0, self.peak - 0.02, 0.0))), self.band),
                Part(mirrored(moved(inner, (0.0, self.peak - 0.02, 0.0))), self.shell),
            ]
        if self.extra == "cable":
            floor = spline(
                [
                    (-self.span - 0.02, 0.3),
                    (-self.span - 0.12, 0.12),
                    (-self.span - 0.34, 0.03),
                    (-self.span - 0.62, 0.03),
                ]
            )
            return [Part(wire(floor, 0.02), rubber("#2a2a2c"))]
        return []


BLACK = plastic("#232428")
MODELS = (
    Headphones("round", 0.4, BLACK, leather("#1a1a1c"), BLACK, ring=metal("#b8bcc0")),
    Headphones(
        "oval", 0.36, glossy("#f0eee9"), leather("#b98a5e"), metal("#d0d0d0"), pad=leather("#b98a5e"), rod=0.035
    ),
    Headphones(
        "round",
        0.27,
        metal("#c8c8c8"),
        cloth("#e07b28"),
        metal("#c8c8c8", roughness=0.12),
        rod=0.018,
        flat=3.0,
        span=0.44,
        peak=1.25,
        extra="cable",
    ),
    Headphones(
        "square", 0.4, plastic("#2b2e35"), cloth("#c33b32"), plastic("#c33b32"), pad=cloth("#2b2e35"), extra="boom"
    ),
    Headphones(
        "dome",
        0.4,
        wood(grain("#a56a3a", "#6d3f1e", axis=1)),
        leather("#3a241a"),
        leather("#3a241a"),
        rod=0.04,
        ring=metal("#c9a050"),
    ),
    Headphones(
        "round", 0.36, plastic("#f4a7b9"), leather("#fff5f4"), plastic("#fff5f4"), extra="ears", ring=plastic("#fff5f4")
    ),
    Headphones(
        "oval", 0.34, matte("#2e5e6e"), leather("#d9cdb8"), matte("#2e5e6e"), rod=0.06, flat=2.0, pad=cloth("#d9cdb8")
    ),
    Headphones(
        "square",
        0.36,
        plastic("#f2c230"),
        cloth("#26292e"),
        plastic("#26292e"),
        rod=0.05,
        flat=1.8,
        span=0.46,
        peak=1.3,
    ),
    Headphones(
        "dome",
        0.44,
        metal("#b9764e", roughness=0.25),
        leather("#efe6da"),
        leather("#efe6da"),
        rod=0.03,
        flat=4.0,
        pad=leather("#b98d72"),
        peak=1.62,
    ),
)
