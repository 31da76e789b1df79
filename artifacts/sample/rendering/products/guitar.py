"""Guitars: acoustic, electric and ukulele bodies, with neck, frets, head and strings."""

from __future__ import annotations

from dataclasses import dataclass

from rendering.materials import Colours, Material, Pattern, glossy, linear, metal, plastic, wood
from rendering.operators import mirrored, moved, turned, union
from rendering.patterns import mix, radial, step
from rendering.product import Part
from rendering.profiles import Outline, drawn, extrusion, spline
from rendering.shapes import Field, Points, box, capsule, cylinder, torus
from rendering.textures import grain


def fretboard(dark: str) -> Pattern:
    """A dark board with bright frets and inlay dots, drawn along y."""
    ground, steel = linear(dark)[:, None], linear("#cfc8b4")[:, None]

    def pattern(points: Points) -> Colours:
        phase = abs((points[1] / 0.085) % 1.0 - 0.5)
        return mix(ground + 0.0 * points, steel, step(0.09 - phase, 0.0, 0.12))

    return pattern


@dataclass(frozen=True)
class Guitar:
    """A guitar that stands on its lower bout: outline, depth, materials, scale of the neck."""

    outline: Outline
    depth: float
    top: Material
    neck: Material
    hole: float = 0.14
    electric: bool = False
    guard: Material | None = None
    length: float = 0.78
    rosette: str = "#3a2413"
    pickups: int = 2

    def parts(self) -> list[Part]:
        """Body, neck and head, board, strings and fittings."""
        body = extrusion(self.outline, self.depth, rounding=0.05)
        upper = max(y for _, y in self.outline)
        nut = upper + self.length
        front = self.depth
        neck = union(
            box(
                (0.06, 0.5 * self.length + 0.1, 0.045),
                (0.0, upper + 0.5 * self.length - 0.05, front - 0.03),
                rounding=0.03,
            ),
            self._head(nut, front),
        )
        board = box((0.062, 0.5 * (self.length + 0.16), 0.014), (0.0, nut - 0.5 * (self.length + 0.16), front + 0.02))
        bridge = 0.42 * upper
        strings = [
            capsule((x, bridge, front + 0.045), (x * 0.85, nut, front + 0.045), 0.005)
            for x in (-0.042, -0.018, 0.018, 0.042)
        ]
        pegs = [capsule((0.1, nut + y, front - 0.03), (0.17, nut + y, front - 0.03), 0.024) for y in (0.08, 0.17, 0.26)]
        return [
            Part(body, self.top),
            Part(neck, self.neck),
            Part(board, wood(fretboard("#2a1a12"))),
            Part(union(*strings), metal("#d8d4c8")),
            Part(mirrored(union(*pegs)), metal("#d8d8da")),
            *self._fittings(bridge, upper),
        ]

    def _head(self, nut: float, front: float) -> Field:
        """The head above the nut."""
        return box((0.1, 0.17, 0.03), (0.0, nut + 0.17, front - 0.03), rounding=0.025)

    def _fittings(self, bridge: float, upper: float) -> list[Part]:
        """A sound hole and bridge, or pickups and knobs."""
        return self._electric_fittings(bridge, upper) if self.electric else self._acoustic_fittings(bridge, upper)

    def _acoustic_fittings(self, bridge: float, upper: float) -> list[Part]:
        """A sound hole with its ring, a bridge, and perhaps a guard."""
        z = self.depth
        centre = (0.0, 0.68 * upper, z)
        hole = moved(turned(cylinder(self.hole, 0.006), "x", 90), centre)
        ring = moved(turned(torus(self.hole + 0.02, 0.014), "x", 90), centre)
        saddle = box((0.16, 0.03, 0.025), (0.0, bridge, z + 0.01), rounding=0.012)
        parts = [Part(hole, plastic("#0e0a08")), Part(ring, wood(self.rosette)), Part(saddle, wood("#2a1a12"))]
        if self.guard:
            guard = spline(
                [(0.12, 0.6 * upper), (0.26, 0.55 * upper), (0.24, 0.42 * upper), (0.1, 0.5 * upper)], closed=True
            )
            parts.append(Part(moved(extrusion(guard, 0.008), (0.0, 0.0, z)), self.guard))
        return parts

    def _electric_fittings(self, bridge: float, upper: float) -> list[Part]:
        """Pickups, knobs, a bridge, and perhaps a guard."""
        z = self.depth
        places = (0.62, 0.82)[: self.pickups]
        pickups = [box((0.11, 0.035, 0.022), (0.0, share * upper, z + 0.005), rounding=0.012) for share in places]
        knobs = [
            moved(
                turned(cylinder(0.035, 0.03, rounding=0.01), "x", 90),
                (0.2 + 0.04 * i, bridge - 0.02 - 0.11 * i, z + 0.02),
            )
            for i in range(2)
        ]
        saddle = box((0.1, 0.025, 0.02), (0.0, bridge, z + 0.01), rounding=0.008)
        parts = [Part(union(*pickups), plastic("#151515")), Part(union(*knobs, saddle), metal("#d2d2d4"))]
        if self.guard:
            guard = spline(
                [
                    (-0.12, 0.95 * upper),
                    (0.14, 0.98 * upper),
                    (0.22, 0.7 * upper),
                    (0.3, 0.45 * upper),
                    (0.26, 0.24 * upper),
                    (0.08, 0.5 * upper),
                    (-0.14, 0.55 * upper),
                ],
                closed=True,
            )
            parts.append(Part(moved(extrusion(guard, 0.006), (0.0, 0.0, z)), self.guard))
        return parts


def symmetric(half: Outline) -> Outline:
    """A closed outline from its right half, bottom to top."""
    right = spline(half)
    return [*right, *[(-x, y) for x, y in reversed(right) if x > 1e-6]]


DREAD = symmetric(
    [(0.0, 0.0), (0.26, 0.02), (0.42, 0.18), (0.42, 0.42), (0.3, 0.64), (0.31, 0.84), (0.22, 1.0), (0.0, 1.03)]
)
CLASSIC = symmetric(
    [(0.0, 0.0), (0.28, 0.02), (0.4, 0.22), (0.34, 0.46), (0.25, 0.6), (0.29, 0.8), (0.2, 0.95), (0.0, 0.98)]
)
ROUNDED = symmetric(
    [(0.0, 0.0), (0.3, 0.02), (0.46, 0.24), (0.38, 0.5), (0.24, 0.64), (0.3, 0.82), (0.2, 0.98), (0.0, 1.0)]
)
UKE = symmetric(
    [(0.0, 0.0), (0.22, 0.02), (0.32, 0.18), (0.26, 0.36), (0.21, 0.46), (0.24, 0.62), (0.15, 0.72), (0.0, 0.74)]
)
STRAT = spline(
    drawn(
        "0,0 0.3,0.06 0.4,0.28 0.3,0.52 0.3,0.74 0.36,1 0.26,0.98 0.12,0.82 -0.12,0.84 -0.26,1.08 "
        "-0.38,1.12 -0.32,0.76 -0.28,0.56 -0.4,0.32 -0.3,0.07"
    ),
    closed=True,
)
SINGLE = spline(
    drawn(
        "0,0 0.28,0.04 0.41,0.24 0.34,0.48 0.28,0.6 0.34,0.86 0.22,0.86 0.1,0.82 -0.06,0.98 "
        "-0.24,0.96 -0.32,0.8 -0.27,0.6 -0.34,0.46 -0.41,0.24 -0.28,0.04"
    ),
    closed=True,
)
OFFSET = spline(
    drawn(
        "-0.04,0.02 0.26,0 0.44,0.16 0.42,0.38 0.27,0.56 0.26,0.74 0.3,0.9 0.2,0.92 0.1,0.82 -0.1,0.86 "
        "-0.24,1 -0.38,0.96 -0.36,0.74 -0.32,0.6 -0.38,0.44 -0.46,0.24 -0.32,0.06"
    ),
    closed=True,
)
PINEAPPLE = symmetric([(0.0, 0.0), (0.24, 0.03), (0.33, 0.2), (0.33, 0.42), (0.25, 0.62), (0.12, 0.72), (0.0, 0.74)])
VEE = drawn("0,0.32 0.22,0.02 0.34,0 0.42,0.06 0.16,0.78 0.08,0.94 -0.08,0.94 -0.16,0.78 -0.42,0.06 -0.34,0 -0.22,0.02")

SPRUCE = wood(grain("#e2b877", "#c4904e", axis=1), polish=0.25)
MAHOGANY = wood(grain("#8d4524", "#5c2a14", axis=1), polish=0.25)
MAPLE = wood(grain("#e0bd86", "#c79e62", axis=1), polish=0.3)
MODELS = (
    Guitar(DREAD, 0.14, SPRUCE, MAHOGANY, guard=plastic("#3a1d12")),
    Guitar(STRAT, 0.07, glossy("#b8232b"), MAPLE, electric=True, guard=plastic("#f3efe6")),
    Guitar(UKE, 0.11, wood(grain("#b9793f", "#8a5225", axis=1), polish=0.3), MAPLE, hole=0.1, length=0.46),
    Guitar(
        SINGLE,
        0.08,
        glossy(radial("#3d120a", "#d98a28", centre=(0.0, 0.42, 0.08), radius=0.3, softness=0.22)),
        MAHOGANY,
        electric=True,
    ),
    Guitar(ROUNDED, 0.15, glossy("#1b1b1e"), MAHOGANY, rosette="#e6dcc0"),
    Guitar(VEE, 0.06, glossy("#f4f2ee"), MAHOGANY, electric=True, length=0.74),
    Guitar(OFFSET, 0.07, glossy("#7fc4c0"), MAPLE, electric=True, guard=plastic("#f7f3ea"), pickups=1),
    Guitar(
        CLASSIC,
        0.13,
        wood(grain("#7a3a1e", "#4f220f", axis=1), polish=0.2),
        wood(grain("#7d4a28", "#54301a", axis=1)),
        rosette="#d9c79a",
        hole=0.12,
    ),
    Guitar(PINEAPPLE, 0.11, glossy("#3f8fc9"), MAPLE, hole=0.1, length=0.48, rosette="#f4f1ea"),
)
