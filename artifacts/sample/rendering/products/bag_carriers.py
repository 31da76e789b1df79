"""Bags that carry more: bucket, duffel, backpack, basket."""

from __future__ import annotations

from rendering.operators import difference, inflated, intersection, mirrored, moved, turned, union
from rendering.product import Part
from rendering.products.bag_form import BRASS, Form, handle
from rendering.profiles import Outline, extrusion, lathe, spline, wire
from rendering.shapes import box, capsule, cylinder, ellipsoid, torus


def bucket(bag: Form) -> list[Part]:
    """A drawstring bucket with a shoulder strap."""
    w, h = bag.half, bag.height
    knots = spline(
        [
            (0.78 * w, 0.0),
            (0.86 * w, 0.04),
            (0.98 * w, 0.4 * h),
            (0.9 * w, 0.8 * h),
            (0.72 * w, 0.9 * h),
            (0.86 * w, h),
        ]
    )
    solid = lathe([(0.0, 0.0), *knots, (0.0, h)])
    hollow = cylinder(0.68 * w, 0.2, (0.0, h + 0.08, 0.0))
    cord = torus(0.74 * w, 0.03, (0.0, 0.9 * h, 0.0))
    ends = [capsule((0.1 * s, 0.9 * h, 0.73 * w), (0.16 * s, 0.6 * h, 0.97 * w), 0.022) for s in (-1.0, 1.0)]
    base = intersection(inflated(solid, 0.012), box((2.0, 0.1 * h, 2.0), (0.0, 0.06 * h, 0.0)))
    return [
        Part(difference(solid, hollow, fillet=0.03), bag.body),
        Part(union(cord, *ends), bag.trim),
        Part(base, bag.trim),
        Part(handle(bag, 0.66, 0.84 * w, 0.03, flat=1.8), bag.trim),
    ]


def duffel(bag: Form) -> list[Part]:
    """A lying barrel with two handles, straps around it and leather ends."""
    w, r = bag.half, 0.5 * bag.height
    barrel = moved(turned(cylinder(r, w, rounding=0.14), "z", 90), (0.0, r, 0.0))
    ends = intersection(inflated(barrel, 0.012), mirrored(box((0.16, 2.0, 2.0), (w, 0.0, 0.0))))
    straps = mirrored(intersection(inflated(barrel, 0.02), box((0.045, 2.0, 2.0), (0.42 * w, 0.0, 0.0))))
    loop = handle(bag, 0.26, 0.42 * w, 0.03, flat=1.4)
    handles = mirrored(moved(turned(loop, "x", 14), (0.0, 0.0, 0.04)), 2)
    zip_line = capsule((-0.8 * w, bag.height, 0.0), (0.8 * w, bag.height, 0.0), 0.02)
    return [
        Part(barrel, bag.body),
        Part(union(ends, straps), bag.trim),
        Part(handles, bag.trim),
        Part(zip_line, BRASS),
    ]


def _pack_outline(w: float, h: float) -> Outline:
    """The front of a backpack, w to either side and h high."""
    return spline(
        [
            (-w, 0.1),
            (-w, 0.6 * h),
            (-0.8 * w, 0.92 * h),
            (0.0, h),
            (0.8 * w, 0.92 * h),
            (w, 0.6 * h),
            (w, 0.1),
            (0.8 * w, 0.0),
            (-0.8 * w, 0.0),
        ],
        closed=True,
    )


def backpack(bag: Form) -> list[Part]:
    """A rounded pack with a pocket, a grab loop, side pockets and straps behind."""
    w, h, d = bag.half, bag.height, bag.depth
    body = extrusion(_pack_outline(w, h), d, rounding=0.12)
    pocket = box((0.74 * w, 0.22 * h, 0.1), (0.0, 0.28 * h, d), rounding=0.09)
    zips = union(
        wire(
            spline(
                [
                    (-0.86 * w, 0.35 * h),
                    (-0.84 * w, 0.62 * h),
                    (-0.66 * w, 0.85 * h),
                    (0.0, 0.92 * h),
                    (0.66 * w, 0.85 * h),
                    (0.84 * w, 0.62 * h),
                    (0.86 * w, 0.35 * h),
                ]
            ),
            0.018,
        )
    )
    zip_front = moved(zips, (0.0, 0.0, d - 0.012))
    flap = box((0.64 * w, 0.014, 0.02), (0.0, 0.42 * h, d + 0.095), rounding=0.01)
    strap = mirrored(capsule((0.5 * w, 0.88 * h, -d - 0.03), (0.72 * w, 0.15 * h, -d - 0.1), 0.07))
    side = mirrored(box((0.08, 0.2 * h, 0.7 * d), (w, 0.24 * h, 0.0), rounding=0.07))
    return [
        Part(body, bag.body),
        Part(union(pocket, side), bag.body),
        Part(union(zip_front, flap), bag.trim),
        Part(union(strap, handle(bag, 0.1, 0.2 * w, 0.03)), bag.trim),
    ]


def basket(bag: Form) -> list[Part]:
    """A woven basket with two short handles."""
    w, h = bag.half, bag.height
    solid = lathe([(0.0, 0.0), *spline([(0.66 * w, 0.0), (0.76 * w, 0.05), (0.9 * w, 0.5 * h), (w, h)]), (0.0, h)])
    hollow = ellipsoid((0.9 * w, 0.8 * h, 0.9 * w), (0.0, 1.1 * h, 0.0))
    rings = [
        torus(w * (0.74 + 0.26 * share), 0.03, (0.0, share * h, 0.0)) for share in (0.12, 0.3, 0.48, 0.66, 0.84, 1.0)
    ]
    loop = handle(bag, 0.4, 0.4 * w, 0.036)
    handles = mirrored(moved(loop, (0.0, 0.0, 0.82 * w)), 2)
    return [Part(union(difference(solid, hollow), *rings, fillet=0.03), bag.body), Part(handles, bag.trim)]
