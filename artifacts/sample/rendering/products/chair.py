"""Chairs: wooden, shell, upholstered, metal; a seat, a back, legs and sometimes arms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rendering.materials import Material, cloth, leather, matte, metal, plastic, wood
from rendering.operators import mirrored, moved, turned, union
from rendering.product import Part
from rendering.products.chair_legs import LEGS, SEAT
from rendering.profiles import spline, wire
from rendering.shapes import Distances, Field, Points, box, capsule, cylinder
from rendering.textures import grain, weave


@dataclass(frozen=True)
class Chair:
    """A chair: styles of seat, back and legs, their materials, and its width and back height."""

    seat: str
    back: str
    legs: str
    frame: Material
    cover: Material
    half: float = 0.44
    top: float = 1.8
    arms: bool = False

    def parts(self) -> list[Part]:
        """Seat, back, legs, arms."""
        parts = [Part(self._seat(), self.cover), Part(LEGS[self.legs](self.half - 0.06), self.frame), *self._back()]
        if self.arms:
            parts.append(Part(mirrored(self._arm()), self.frame))
        return parts

    def _seat(self) -> Field:
        """The seat, its upper face at SEAT."""
        if self.seat == "round":
            return cylinder(self.half, 0.045, (0.0, SEAT - 0.045, 0.0), rounding=0.03)
        if self.seat == "cushion":
            return box((self.half, 0.1, self.half), (0.0, SEAT - 0.06, 0.0), rounding=0.09)
        if self.seat == "shell":
            return bucket(self.half, self.top)
        return box((self.half, 0.035, self.half - 0.01), (0.0, SEAT - 0.035, 0.0), rounding=0.025)

    def _back(self) -> list[Part]:
        """The back, tilted a little away from the sitter."""
        build = {
            "slats": self._slats,
            "ladder": self._ladder,
            "panel": self._panel,
            "hoop": self._hoop,
            "wing": self._wing,
            "cross": self._cross,
        }
        return build[self.back]() if self.back in build else []

    def _leaning(self, field: Field, degrees: float = 8.0) -> Field:
        """A back drawn upright in (x, y) from y = 0, put at the seat's rear edge."""
        return moved(turned(field, "x", -degrees), (0.0, SEAT - 0.06, -self.half + 0.05))

    def _posts(self) -> Field:
        """Two uprights."""
        height = self.top - SEAT
        return mirrored(box((0.04, 0.5 * height, 0.03), (self.half - 0.06, 0.5 * height, 0.0), rounding=0.015))

    def _slats(self) -> list[Part]:
        """Upright slats under a top rail."""
        height = self.top - SEAT
        rail = box((self.half - 0.02, 0.09, 0.028), (0.0, height - 0.06, 0.0), rounding=0.02)
        slats = [
            box((0.032, 0.5 * height - 0.05, 0.012), (x * self.half, 0.5 * height - 0.04, 0.0))
            for x in (-0.5, -0.17, 0.17, 0.5)
        ]
        return [Part(self._leaning(union(self._posts(), rail, *slats)), self.frame)]

    def _ladder(self) -> list[Part]:
        """Level rungs between the uprights."""
        height = self.top - SEAT
        rungs = [
            box((self.half - 0.06, 0.055, 0.014), (0.0, share * height, 0.0), rounding=0.012)
            for share in (0.38, 0.63, 0.9)
        ]
        return [Part(self._leaning(union(self._posts(), *rungs)), self.frame)]

    def _panel(self) -> list[Part]:
        """A padded panel."""
        height = self.top - SEAT
        pad = box((self.half - 0.02, 0.5 * height, 0.08), (0.0, 0.5 * height + 0.02, 0.0), rounding=0.075)
        return [Part(self._leaning(pad, 10.0), self.cover)]

    def _hoop(self) -> list[Part]:
        """A bent rod with spindles inside it, as on a Windsor chair."""
        height, r = self.top - SEAT, self.half - 0.06
        arch = wire(
            spline(
                [
                    (-r, 0.0),
                    (-r - 0.02, 0.5 * height),
                    (-0.6 * r, 0.92 * height),
                    (0.0, height),
                    (0.6 * r, 0.92 * height),
                    (r + 0.02, 0.5 * height),
                    (r, 0.0),
                ]
            ),
            0.032,
        )
        spindles = [
            capsule((0.7 * x, 0.0, 0.0), (x, height * (0.98 - 0.6 * x * x), 0.0), 0.014)
            for x in (-0.27, -0.14, 0.0, 0.14, 0.27)
        ]
        return [Part(self._leaning(union(arch, *spindles)), self.frame)]

    def _cross(self) -> list[Part]:
        """A bent rod with crossed rods, as in a bistro."""
        height, r = self.top - SEAT, self.half - 0.06
        knots = [
            (-r, 0.0),
            (-r - 0.01, 0.55 * height),
            (-0.62 * r, 0.93 * height),
            (0.0, height),
            (0.62 * r, 0.93 * height),
            (r + 0.01, 0.55 * height),
            (r, 0.0),
        ]
        cross = [capsule((-s * r * 0.95, 0.1, 0.0), (s * r * 0.75, 0.82 * height, 0.0), 0.022) for s in (-1.0, 1.0)]
        return [Part(self._leaning(union(wire(spline(knots), 0.034), *cross)), self.frame)]

    def _wing(self) -> list[Part]:
        """A tall padded back with wings, and padded arms."""
        height = self.top - SEAT
        pad = self._leaning(box((self.half, 0.5 * height + 0.1, 0.1), (0.0, 0.5 * height, 0.0), rounding=0.09), 8.0)
        wing = box((0.07, 0.38, 0.2), (self.half, SEAT + height - 0.34, -self.half + 0.14), rounding=0.065)
        arm = box((0.09, 0.24, self.half - 0.02), (self.half + 0.02, SEAT + 0.08, 0.0), rounding=0.08)
        return [Part(pad, self.cover), Part(mirrored(union(wing, arm, fillet=0.08)), self.cover)]

    def _arm(self) -> Field:
        """One armrest on a post."""
        x, z = self.half, self.half - 0.1
        rest = capsule((x, SEAT + 0.42, -z - 0.04), (x, SEAT + 0.42, z - 0.1), 0.035)
        return union(rest, capsule((x, SEAT + 0.42, z - 0.12), (x - 0.03, SEAT - 0.08, z), 0.028))


def bucket(half: float, top: float) -> Field:
    """A moulded shell: one curve from the front lip along the seat and up the back, dished across."""
    curve = spline(
        [
            (half + 0.02, SEAT - 0.09),
            (half - 0.06, SEAT - 0.02),
            (0.1, SEAT - 0.05),
            (-0.22, SEAT - 0.04),
            (-half + 0.06, SEAT + 0.12),
            (-half - 0.02, SEAT + 0.45),
            (-half - 0.1, top),
        ]
    )
    sheet = turned(wire(curve, 0.03, flat=half / 0.03), "y", -90)

    def field(points: Points) -> Distances:
        x, y, z = points
        dish = 0.75 * np.minimum(x * x, 0.3)
        return sheet(np.stack([x, y - 0.8 * dish, z - dish])) * 0.8

    return field


OAK = wood(grain("#d2a46c", "#a87845", axis=1))
WALNUT = wood(grain("#8d5b36", "#573420", axis=1))
BLACK = matte("#222326")

MODELS = (
    Chair("plank", "slats", "square", OAK, OAK),
    Chair("shell", "none", "eiffel", OAK, plastic("#3f8f86"), half=0.46, top=1.85),
    Chair("cushion", "panel", "splayed", WALNUT, cloth(weave("#c9683f", "#a9522e", scale=34.0)), half=0.47),
    Chair("plank", "hoop", "splayed", BLACK, BLACK, half=0.46, top=1.9),
    Chair("round", "cross", "splayed", WALNUT, wood(grain("#c9a574", "#b18a58", axis=0)), half=0.43, top=1.85),
    Chair(
        "plank",
        "ladder",
        "square",
        matte("#e9e4d8"),
        cloth(weave("#d2b98c", "#a98f5f", scale=22.0, axes=(0, 2))),
        top=2.05,
    ),
    Chair("cushion", "panel", "sled", metal("#c9c9cb"), leather("#23201f"), half=0.48, top=1.7, arms=True),
    Chair("cushion", "wing", "splayed", WALNUT, cloth("#35577d"), half=0.55, top=2.0),
    Chair("shell", "none", "pedestal", metal("#d5d5d6"), plastic("#f0b83a"), half=0.5, top=1.75),
)
