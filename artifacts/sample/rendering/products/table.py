"""Tables: dining, bistro, coffee, side, desk; a top on legs, a pedestal, a trestle or a drum."""

from __future__ import annotations

from dataclasses import dataclass

from rendering.materials import Material, glass, glossy, matte, metal, wood
from rendering.operators import mirrored, moved, ring, union
from rendering.patterns import flutes
from rendering.product import Part
from rendering.profiles import lathe, spline
from rendering.shapes import Field, box, capsule, cylinder, torus
from rendering.textures import grain, marble


@dataclass(frozen=True)
class Table:
    """A table: top style and half extents (x, z), height, thickness, and the legs under it."""

    top: str
    half: tuple[float, float]
    height: float
    board: Material
    legs: str
    frame: Material
    thickness: float = 0.05

    def parts(self) -> list[Part]:
        """The top and its support."""
        return [Part(self._top(), self.board), *self._legs()]

    def _top(self) -> Field:
        """The board, its upper face at the table's height."""
        (x, z), t = self.half, self.thickness
        centre = (0.0, self.height - t, 0.0)
        if self.top == "round":
            return cylinder(x, t, centre, rounding=0.6 * t)
        if self.top == "tray":
            return union(
                cylinder(x, 0.015, (0.0, self.height - 0.1, 0.0)), moved(rim(x), (0.0, self.height - 0.06, 0.0))
            )
        return box((x, t, z), centre, rounding=0.35 * t)

    def _legs(self) -> list[Part]:
        """The parts under the board."""
        build = {
            "square": self._square,
            "pedestal": self._pedestal,
            "trestle": self._trestle,
            "hairpin": self._hairpin,
            "drum": self._drum,
            "tripod": self._tripod,
            "drawers": self._drawers,
            "tulip": self._tulip,
            "frame": self._frame,
        }
        return build[self.legs]()

    def _square(self) -> list[Part]:
        """Four posts and an apron."""
        (x, z), low = self.half, self.height - 2 * self.thickness
        post = box((0.06, 0.5 * low, 0.06), (x - 0.1, 0.5 * low, z - 0.1), rounding=0.012)
        apron = box((x - 0.1, 0.07, 0.02), (0.0, low - 0.07, z - 0.1))
        side = box((0.02, 0.07, z - 0.1), (x - 0.1, low - 0.07, 0.0))
        return [Part(mirrored(mirrored(union(post, apron, side)), 2), self.frame)]

    def _pedestal(self) -> list[Part]:
        """A turned column on a cross of feet."""
        low = self.height - 2 * self.thickness
        column = lathe(
            [(0.0, 0.08), *spline([(0.12, 0.08), (0.14, 0.2), (0.07, 0.4), (0.09, 0.7 * low), (0.15, low)]), (0.0, low)]
        )
        foot = union(capsule((0.05, 0.14, 0.0), (0.52, 0.045, 0.0), 0.05, 0.04))
        return [Part(union(column, ring(foot, 4, start=45.0)), self.frame)]

    def _trestle(self) -> list[Part]:
        """Two A-shaped trestles and a beam."""
        (x, z), low = self.half, self.height - 2 * self.thickness
        leg = capsule((x - 0.22, low - 0.03, 0.1), (x - 0.22, 0.045, z - 0.06), 0.045)
        bar = capsule((x - 0.22, 0.42 * low, 0.0), (x - 0.22, 0.42 * low, 0.6 * z), 0.03)
        beam = box((x - 0.1, 0.035, 0.05), (0.0, low - 0.05, 0.0))
        return [Part(mirrored(mirrored(union(leg, bar)), 2), self.frame), Part(beam, self.frame)]

    def _hairpin(self) -> list[Part]:
        """Bent steel rods."""
        (x, z), low = self.half, self.height - 2 * self.thickness
        corner = (x - 0.04, 0.02, z - 0.04)
        rods = union(capsule((x - 0.1, low, z - 0.24), corner, 0.02), capsule((x - 0.26, low, z - 0.08), corner, 0.02))
        return [Part(mirrored(mirrored(rods), 2), self.frame)]

    def _drum(self) -> list[Part]:
        """A fluted drum."""
        low = self.height - 2 * self.thickness
        body = lathe(
            [
                (0.0, 0.0),
                *spline([(0.7 * self.half[0], 0.0), (0.62 * self.half[0], 0.5 * low), (0.7 * self.half[0], low)]),
                (0.0, low),
            ]
        )
        return [Part(body, self.frame)]

    def _tripod(self) -> list[Part]:
        """Three splayed legs and a shelf ring."""
        low = self.height - 0.16
        leg = capsule((0.3 * self.half[0], low, 0.0), (0.86 * self.half[0], 0.03, 0.0), 0.045, 0.03)
        return [Part(ring(leg, 3, start=90.0), self.frame)]

    def _drawers(self) -> list[Part]:
        """A desk: a chest of three drawers on one side, a panel on the other."""
        (x, z), low = self.half, self.height - 2 * self.thickness
        chest = box((0.3, 0.5 * low - 0.02, z - 0.05), (x - 0.34, 0.5 * low + 0.02, 0.0), rounding=0.01)
        fronts = [
            box((0.26, 0.13 * low, 0.015), (x - 0.34, low * (0.2 + 0.3 * i), z - 0.04), rounding=0.01) for i in range(3)
        ]
        knobs = [
            capsule((x - 0.44, low * (0.2 + 0.3 * i), z), (x - 0.24, low * (0.2 + 0.3 * i), z), 0.016) for i in range(3)
        ]
        posts = mirrored(box((0.05, 0.5 * low, 0.05), (-x + 0.1, 0.5 * low, z - 0.1), rounding=0.01), 2)
        return [
            Part(chest, self.frame),
            Part(union(*fronts), self.board),
            Part(union(*knobs), metal("#c49a50")),
            Part(posts, self.frame),
        ]

    def _tulip(self) -> list[Part]:
        """A single flared foot."""
        low = self.height - 2 * self.thickness
        foot = [(0.42, 0.0), (0.42, 0.02), (0.2, 0.09), (0.06, 0.3), (0.055, 0.7 * low), (0.2, low)]
        return [Part(lathe([(0.0, 0.0), *spline(foot), (0.0, low)]), self.frame)]

    def _frame(self) -> list[Part]:
        """An open steel cube and a lower shelf."""
        (x, z), low = self.half, self.height - 2 * self.thickness
        edge = 0.025
        post = box((edge, 0.5 * low, edge), (x - edge, 0.5 * low, z - edge))
        rails = [box((x, edge, edge), (0.0, y, z - edge)) for y in (edge, low - edge)]
        sides = [box((edge, edge, z), (x - edge, y, 0.0)) for y in (edge, low - edge)]
        shelf = box((x - 0.05, 0.02, z - 0.05), (0.0, 0.3 * low, 0.0))
        return [Part(mirrored(mirrored(union(post, *rails, *sides)), 2), self.frame), Part(shelf, self.board)]


def rim(radius: float) -> Field:
    """The raised edge of a tray table."""
    return union(torus(radius, 0.025, (0.0, 0.05, 0.0)), extruded_wall(radius))


def extruded_wall(radius: float) -> Field:
    """A thin upright ring under the rim."""
    return union(torus(radius, 0.02), torus(radius, 0.02, (0.0, 0.025, 0.0)), torus(radius, 0.02, (0.0, -0.03, 0.0)))


OAK = wood(grain("#d6ab74", "#ab7c48", axis=0, scale=5.0))
WALNUT = wood(grain("#87552f", "#55331c", axis=0, scale=5.0))

MODELS = (
    Table("plank", (1.15, 0.62), 0.98, OAK, "square", OAK),
    Table("round", (0.72, 0.72), 1.0, glossy(marble("#ecebe8", "#8d8a88")), "tulip", glossy("#26282b"), thickness=0.03),
    Table("plank", (1.1, 0.56), 0.6, WALNUT, "hairpin", matte("#1d1e20"), thickness=0.045),
    Table("plank", (1.3, 0.6), 1.0, matte("#6f8f84"), "trestle", OAK, thickness=0.035),
    Table(
        "round", (0.8, 0.8), 0.62, OAK, "drum", wood(flutes(grain("#b98553", "#93653a", axis=1), "#6d4626", count=36))
    ),
    Table("tray", (0.52, 0.52), 0.9, glossy("#2f6b55"), "tripod", metal("#c79a4b")),
    Table(
        "plank", (1.15, 0.52), 1.02, wood(grain("#b77c48", "#8a552b", axis=0, scale=5.0)), "drawers", matte("#33475b")
    ),
    Table("round", (0.85, 0.85), 1.0, WALNUT, "pedestal", WALNUT, thickness=0.045),
    Table("plank", (0.62, 0.62), 0.72, glass("#9fc7c2", clarity=0.5), "frame", metal("#b48a45"), thickness=0.025),
)
