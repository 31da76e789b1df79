"""Clocks that stand: alarm clocks with bells, round and square desk clocks, a mantel, a pendulum."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rendering.materials import Material, glossy, matte, metal, plastic, wood
from rendering.operators import moved, ring, turned, union
from rendering.product import Part
from rendering.products.clock_dial import dial
from rendering.profiles import extrusion, spline
from rendering.shapes import Field, box, capsule, cylinder, sphere, torus
from rendering.textures import grain, marble


@dataclass(frozen=True)
class Clock:
    """A clock: body style, dial radius, colours, and the time that its hands show (hours)."""

    body: str
    radius: float
    case: Material
    face: str
    ink: str
    trim: Material
    time: float
    dots: bool = False

    def parts(self) -> list[Part]:
        """Case, face, rim, hands."""
        height, front = self._place()
        disc = moved(turned(cylinder(self.radius, 0.02), "x", 90), (0.0, height, front))
        rim = moved(turned(torus(self.radius, 0.035), "x", 90), (0.0, height, front + 0.01))
        pattern = dial(self.face, self.ink, height, self.radius, dots=self.dots)
        hands = Part(self._hands(height, front + 0.045), matte(self.ink))
        return [Part(disc, matte(pattern)), Part(rim, self.trim), hands, *self._body(height)]

    def _place(self) -> tuple[float, float]:
        """Height of the dial's centre and depth of its plane."""
        heights = {
            "alarm": 0.16,
            "round": 0.03,
            "square": 0.14,
            "arch": 0.2,
            "house": 0.4,
            "sun": 0.38,
            "box": 0.1,
            "pendulum": 1.0,
            "puck": 0.08,
        }
        depths = {"pendulum": 0.24, "sun": 0.1, "alarm": 0.22, "puck": 0.2}
        lift = heights[self.body]
        return lift if self.body == "pendulum" else self.radius + lift, depths.get(self.body, 0.2)

    def _hands(self, height: float, depth: float) -> Field:
        """Hour hand, minute hand and their pin."""
        hour, minute = self.time / 12.0, self.time % 1.0
        rods = [sphere(0.045, (0.0, height, depth))]
        for turn, reach, width in ((hour, 0.5, 0.026), (minute, 0.78, 0.018)):
            x, y = math.sin(2 * math.pi * turn), math.cos(2 * math.pi * turn)
            tip = (reach * self.radius * x, height + reach * self.radius * y, depth)
            rods.append(capsule((-0.1 * self.radius * x, height - 0.1 * self.radius * y, depth), tip, width))
        return union(*rods)

    def _body(self, height: float) -> list[Part]:
        """The body of the clock, which carries the dial."""
        build = {
            "alarm": self._alarm,
            "round": self._round,
            "square": self._square,
            "arch": self._arch,
            "sun": self._sun,
            "house": self._house,
            "box": self._box,
            "pendulum": self._pendulum,
            "puck": self._puck,
        }
        return build[self.body](height)

    def _drum(self, height: float, depth: float, extra: float = 0.03) -> Field:
        """A cylinder behind the dial."""
        return moved(turned(cylinder(self.radius + extra, depth, rounding=0.04), "x", 90), (0.0, height, 0.2 - depth))

    def _alarm(self, height: float) -> list[Part]:
        """Two bells, a hammer, a grip and two feet."""
        r = self.radius
        bells = [moved(sphere(0.2), (side * 0.62 * r, height + 0.98 * r, 0.05)) for side in (-1, 1)]
        feet = [
            capsule((side * 0.5 * r, height - 0.8 * r, 0.05), (side * 0.78 * r, 0.045, 0.05), 0.045) for side in (-1, 1)
        ]
        hammer = union(
            capsule((0.0, height + r, 0.05), (0.0, height + 1.25 * r, 0.05), 0.022),
            capsule((-0.07, height + 1.25 * r, 0.05), (0.07, height + 1.25 * r, 0.05), 0.05),
        )
        return [
            Part(self._drum(height, 0.18), self.case),
            Part(union(*bells), self.trim),
            Part(union(*feet), self.trim),
            Part(hammer, self.trim),
        ]

    def _round(self, height: float) -> list[Part]:
        """A thick disc on a small stand."""
        stand = box((0.34, 0.04, 0.2), (0.0, 0.04, 0.05), rounding=0.03)
        return [Part(self._drum(height, 0.12), self.case), Part(stand, self.trim)]

    def _square(self, height: float) -> list[Part]:
        """A square case with soft corners."""
        half = self.radius + 0.12
        return [Part(box((half, half, 0.14), (0.0, half, 0.06), rounding=0.09), self.case)]

    def _box(self, height: float) -> list[Part]:
        """A wide block with the dial at its middle."""
        half = self.radius + 0.1
        return [Part(box((1.75 * half, half, 0.16), (0.0, half, 0.04), rounding=0.03), self.case)]

    def _arch(self, height: float) -> list[Part]:
        """A mantel clock: an arched case that sweeps out to a plinth."""
        half = [
            (1.0, 0.0),
            (1.0, 0.1),
            (0.82, 0.16),
            (0.62, 0.34),
            (0.58, height),
            (0.5, height + 0.3),
            (0.3, height + 0.5),
        ]
        curve = spline([*half, (0.0, height + 0.58)])
        outline = [*curve, *[(-x, y) for x, y in reversed(curve[:-1])]]
        plinth = box((1.06, 0.05, 0.24), (0.0, 0.05, 0.04), rounding=0.02)
        return [Part(extrusion(outline, 0.17, rounding=0.02), self.case), Part(plinth, self.trim)]

    def _house(self, height: float) -> list[Part]:
        """A house with a pitched roof."""
        half, eaves = self.radius + 0.14, height + self.radius + 0.06
        walls = extrusion([(-half, 0.0), (half, 0.0), (half, eaves), (0.0, eaves + 0.8 * half), (-half, eaves)], 0.18)
        slope = [
            (-half - 0.12, eaves - 0.1),
            (0.0, eaves + 0.8 * half),
            (half + 0.12, eaves - 0.1),
            (half + 0.12, eaves + 0.02),
            (0.0, eaves + 0.8 * half + 0.13),
            (-half - 0.12, eaves + 0.02),
        ]
        door = box((0.16, 0.16, 0.02), (0.0, 0.16, 0.19), rounding=0.01)
        return [Part(walls, self.case), Part(extrusion(slope, 0.28), self.trim), Part(door, self.trim)]

    def _sun(self, height: float) -> list[Part]:
        """Rays around the dial."""
        rays = [
            turned(ring(capsule((self.radius, 0.0, 0.0), (reach, 0.0, 0.0), 0.03, 0.012), 12, start=start), "x", 90)
            for reach, start in ((self.radius + 0.36, 0.0), (self.radius + 0.24, 15.0))
        ]
        return [
            Part(moved(union(*rays), (0.0, height, 0.06)), self.case),
            Part(moved(turned(cylinder(self.radius + 0.03, 0.05), "x", 90), (0.0, height, 0.05)), self.trim),
        ]

    def _pendulum(self, height: float) -> list[Part]:
        """A tall case with a brass pendulum in front of a dark door."""
        case = box((0.46, 0.74, 0.2), (0.0, 0.74, 0.0), rounding=0.03)
        door = box((0.3, 0.22, 0.02), (0.0, 0.36, 0.2))
        bob = union(
            moved(turned(cylinder(0.11, 0.02), "x", 90), (0.05, 0.26, 0.24)),
            capsule((0.0, 0.58, 0.24), (0.05, 0.26, 0.24), 0.014),
        )
        crown = box((0.54, 0.05, 0.25), (0.0, 1.5, 0.0), rounding=0.02)
        foot = box((0.54, 0.06, 0.25), (0.0, 0.06, 0.0), rounding=0.02)
        return [
            Part(case, self.case),
            Part(door, matte("#1c1512")),
            Part(bob, metal("#d3a64f")),
            Part(union(crown, foot), self.case),
        ]

    def _puck(self, height: float) -> list[Part]:
        """A ball-like shell on three small feet."""
        shell = moved(turned(cylinder(self.radius + 0.1, 0.24, rounding=0.22), "x", 90), (0.0, height + 0.02, -0.04))
        feet = [sphere(0.07, (x, 0.06, z)) for x, z in ((-0.25, 0.0), (0.25, 0.0), (0.0, -0.2))]
        return [Part(shell, self.case), Part(union(*feet), self.trim)]


WALNUT = wood(grain("#8d5b36", "#573420", axis=0))
MODELS = (
    Clock("alarm", 0.52, glossy("#d6453d"), "#faf6ec", "#22201e", metal("#d9d6cf"), 10.15),
    Clock("round", 0.6, wood(grain("#d3a570", "#a87845", axis=0)), "#fbf9f3", "#2a2a2a", WALNUT, 8.2, dots=True),
    Clock("square", 0.5, plastic("#8fc1b5"), "#f6f3ea", "#31524b", plastic("#f6f3ea"), 1.83),
    Clock("arch", 0.4, WALNUT, "#f2e8cf", "#2b1d12", metal("#c8a050"), 10.2),
    Clock("sun", 0.36, metal("#d0a24a", roughness=0.28), "#20303a", "#e8d9a8", metal("#d0a24a"), 7.85, dots=True),
    Clock("house", 0.36, matte("#eae4d6"), "#fdfbf5", "#39414a", matte("#b4513a"), 4.67),
    Clock("box", 0.36, glossy(marble("#2e5a4c", "#c9d8cc")), "#1d1d1f", "#ece9e2", metal("#c79b52"), 2.42),
    Clock("pendulum", 0.34, wood(grain("#a35f30", "#6a3618", axis=1)), "#f3ecd9", "#241a12", metal("#d3a64f"), 11.2),
    Clock("puck", 0.46, glossy("#f0b429"), "#fffdf6", "#222426", glossy("#2c2f33"), 5.08, dots=True),
)
