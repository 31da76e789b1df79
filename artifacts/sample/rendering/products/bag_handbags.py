"""Bags for the hand and the shoulder: tote, shopper, satchel, clutch, half-moon."""

from __future__ import annotations

import numpy as np

from rendering.operators import mirrored, moved, union
from rendering.product import Part
from rendering.products.bag_form import BRASS, Form, handle, open_box
from rendering.profiles import extrusion, spline, wire
from rendering.shapes import box, sphere


def tote(bag: Form) -> list[Part]:
    """A trapezoid with two long handles."""
    w, h = bag.half, bag.height
    body = open_box(bag, [(-0.86 * w, 0.0), (0.86 * w, 0.0), (w, h), (-w, h)], rounding=0.05)
    loop = handle(bag, 0.52, 0.42 * w, 0.026, flat=1.6)
    depth = bag.depth - 0.1 * h
    handles = union(moved(loop, (0.0, 0.0, depth)), moved(loop, (0.0, 0.0, -depth)))
    return [Part(body, bag.body), Part(handles, bag.trim)]


def shopper(bag: Form) -> list[Part]:
    """A stiff paper-like shopper with cord handles."""
    w, h = bag.half, bag.height
    body = open_box(bag, [(-w, 0.0), (w, 0.0), (w, h), (-w, h)], rounding=0.01)
    loop = handle(bag, 0.3, 0.36 * w, 0.022)
    depth = bag.depth - 0.1 * h - 0.02
    return [Part(body, bag.body), Part(mirrored(moved(loop, (0.0, 0.0, depth)), 2), bag.trim)]


def satchel(bag: Form) -> list[Part]:
    """A box with a flap, two straps with buckles, and a grip."""
    w, h, d = bag.half, bag.height, bag.depth
    body = box((w, 0.5 * h, d), (0.0, 0.5 * h, 0.0), rounding=0.06)
    flap = box((w + 0.015, 0.28 * h, 0.03), (0.0, 0.74 * h, d + 0.005), rounding=0.028)
    lid = box((w + 0.015, 0.03, d + 0.01), (0.0, h, 0.0), rounding=0.028)
    straps = [box((0.055, 0.36 * h, 0.016), (x * w, 0.6 * h, d + 0.04), rounding=0.014) for x in (-0.52, 0.52)]
    buckles = [box((0.075, 0.05, 0.02), (x * w, 0.36 * h, d + 0.05), rounding=0.015) for x in (-0.52, 0.52)]
    return [
        Part(body, bag.body),
        Part(union(flap, lid, fillet=0.03), bag.body),
        Part(union(*straps), bag.trim),
        Part(union(*buckles), BRASS),
        Part(handle(bag, 0.26, 0.3 * w, 0.035), bag.trim),
    ]


def clutch(bag: Form) -> list[Part]:
    """A frame bag with a kiss clasp and a chain."""
    w, h = bag.half, bag.height
    outline = spline(
        [(-0.9 * w, 0.03), (-w, 0.4 * h), (-0.74 * w, h), (0.74 * w, h), (w, 0.4 * h), (0.9 * w, 0.03), (0.0, 0.0)],
        closed=True,
    )
    body = extrusion(outline, bag.depth, rounding=0.14)
    frame = wire(
        [(-0.78 * w, 0.8 * h), (-0.74 * w, h + 0.03), (0.74 * w, h + 0.03), (0.78 * w, 0.8 * h)], 0.035, flat=1.5
    )
    clasp = union(sphere(0.065, (-0.05, h + 0.1, 0.0)), sphere(0.065, (0.05, h + 0.11, 0.0)))
    beads = [
        sphere(0.034, (0.76 * w * float(np.cos(a)), h + 0.02 + 0.5 * float(np.sin(a)), 0.0))
        for a in np.linspace(0.0, np.pi, 31)
    ]
    return [Part(body, bag.body), Part(union(frame, clasp), BRASS), Part(union(*beads), BRASS)]


def moon(bag: Form) -> list[Part]:
    """A half-moon with a chain-like strap."""
    w, h = bag.half, bag.height
    outline = spline(
        [
            (-w, h),
            (-0.94 * w, 0.45 * h),
            (-0.5 * w, 0.08 * h),
            (0.0, 0.0),
            (0.5 * w, 0.08 * h),
            (0.94 * w, 0.45 * h),
            (w, h),
        ]
    )
    body = extrusion([*outline, (0.0, h + 0.03)], bag.depth, rounding=0.1)
    zip_line = box((0.92 * w, 0.02, 0.03), (0.0, h + 0.01, 0.0), rounding=0.015)
    return [
        Part(body, bag.body),
        Part(zip_line, BRASS),
        Part(handle(bag, 0.75, 0.92 * w, 0.035, flat=1.5), bag.trim),
        Part(mirrored(sphere(0.06, (0.92 * w, h - 0.02, 0.0))), BRASS),
    ]
