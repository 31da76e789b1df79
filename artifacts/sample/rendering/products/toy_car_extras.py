"""Extras of toy cars: a ladder, a roof sign, wings, a rack, a canopy, a load.

Every maker takes the car's half width and its paint, and returns the extra parts.
"""

from __future__ import annotations

from collections.abc import Callable

from rendering.materials import Material, glossy, matte, metal, plastic, rubber, wood
from rendering.operators import difference, mirrored, moved, turned, union
from rendering.patterns import checks
from rendering.product import Part
from rendering.profiles import extrusion
from rendering.shapes import box, capsule, cylinder, ellipsoid, sphere, torus
from rendering.textures import grain


def ladder(half: float, paint: Material) -> list[Part]:
    """A ladder along the roof, and a blue light."""
    rails = [capsule((-0.75, 0.98, z), (0.42, 1.05, z), 0.03) for z in (-0.12, 0.12)]
    rungs = [capsule((x, 1.01, -0.12), (x, 1.01, 0.12), 0.02) for x in (-0.65, -0.45, -0.25, -0.05, 0.15, 0.35)]
    light = union(capsule((0.62, 1.06, -0.2), (0.62, 1.06, 0.2), 0.07))
    return [Part(union(*rails, *rungs), metal("#d5d5d8")), Part(light, glossy("#2b62c9"))]


def taxi(half: float, paint: Material) -> list[Part]:
    """A roof sign and a chequered band."""
    return [
        Part(box((0.09, 0.06, 0.2), (-0.08, 0.93, 0.0), rounding=0.03), glossy("#fbfbf5")),
        Part(box((0.82, 0.045, half + 0.004), (0.0, 0.4, 0.0)), glossy(checks("#f6f4ee", "#151515", period=0.09))),
    ]


def racer(half: float, paint: Material) -> list[Part]:
    """Wings, a driver's helmet and a white roundel."""
    wing = union(
        box((0.1, 0.02, half + 0.06), (-0.86, 0.62, 0.0), rounding=0.015),
        mirrored(box((0.04, 0.12, 0.02), (-0.84, 0.5, 0.2)), 2),
    )
    nose = box((0.12, 0.02, half + 0.08), (0.98, 0.12, 0.0), rounding=0.015)
    driver = sphere(0.13, (-0.12, 0.52, 0.0))
    return [
        Part(union(wing, nose), glossy("#1d1f24")),
        Part(driver, glossy("#f2f0ea")),
        Part(moved(turned(cylinder(0.11, half + 0.006), "x", 90), (-0.14, 0.27, 0.0)), glossy("#f4f2ec")),
    ]


def rack(half: float, paint: Material) -> list[Part]:
    """A roof rack with a trunk, and a spare wheel."""
    rails = [capsule((-0.5, 1.0, z), (0.3, 1.0, z), 0.025) for z in (-0.25, 0.25)]
    load = box((0.26, 0.09, 0.2), (-0.1, 1.1, 0.0), rounding=0.04)
    return [
        Part(union(*rails), metal("#cfcfcf")),
        Part(load, wood(grain("#a86b3c", "#6d4022", axis=0))),
        Part(moved(turned(torus(0.16, 0.075), "z", 90), (-0.98, 0.5, 0.0)), rubber("#1c1c1e")),
    ]


def tractor(half: float, paint: Material) -> list[Part]:
    """An exhaust stack, a roof on posts, and a seat."""
    stack = capsule((0.5, 0.6, 0.16), (0.5, 1.0, 0.16), 0.04)
    posts = [capsule((x, 0.6, z), (x, 1.18, z), 0.028) for x in (-0.72, -0.16) for z in (-0.24, 0.24)]
    roof = box((0.4, 0.035, 0.34), (-0.44, 1.2, 0.0), rounding=0.03)
    seat = union(
        box((0.16, 0.06, 0.16), (-0.5, 0.66, 0.0), rounding=0.05),
        box((0.05, 0.16, 0.16), (-0.66, 0.78, 0.0), rounding=0.04),
    )
    return [Part(stack, metal("#6a6a6c")), Part(union(*posts, roof), paint), Part(seat, rubber("#1f1f21"))]


def tipper(half: float, paint: Material) -> list[Part]:
    """A tipping bed full of sand."""
    bed = extrusion([(-1.0, 0.98), (-0.88, 0.42), (0.3, 0.42), (0.34, 0.98)], half + 0.02, rounding=0.03)
    hollow = box((0.54, 0.3, half - 0.06), (-0.3, 0.86, 0.0))
    sand = ellipsoid((0.6, 0.34, half - 0.04), (-0.3, 0.78, 0.0))
    return [
        Part(difference(bed, hollow), plastic("#f2b31c")),
        Part(sand, matte(grain("#d9b77c", "#b98f50", scale=14.0))),
    ]


EXTRAS: dict[str, Callable[[float, Material], list[Part]]] = {
    "ladder": ladder,
    "taxi": taxi,
    "racer": racer,
    "rack": rack,
    "tractor": tractor,
    "tipper": tipper,
}
