"""Sofas: two- and three-seaters, a chesterfield, a daybed, a corner sofa; cushions on a frame."""

from __future__ import annotations

from dataclasses import dataclass

from rendering.materials import Material, cloth, leather, matte, metal, wood
from rendering.operators import mirrored, moved, turned, union
from rendering.patterns import checks, stripes
from rendering.product import Part
from rendering.shapes import Field, Vector, box, capsule, cylinder
from rendering.textures import grain, mottled, weave


@dataclass(frozen=True)
class Sofa:
    """A sofa: seats side by side, half width, arms, legs, cover, and the pillows on it."""

    seats: int
    half: float
    arms: str
    legs: str
    cover: Material
    feet: Material
    back: float = 0.86
    chaise: bool = False
    pillows: tuple[Material, ...] = ()

    def parts(self) -> list[Part]:
        """Base, seat and back cushions, arms, legs, pillows."""
        base = box((self.half, 0.13, 0.46), (0.0, 0.3, 0.0), rounding=0.04)
        rear = box((self.half, 0.5 * self.back - 0.12, 0.12), (0.0, 0.5 * self.back + 0.08, -0.42), rounding=0.09)
        parts = [Part(union(base, rear), self.cover), *self._cushions(), *self._arms(), Part(self._legs(), self.feet)]
        for index, material in enumerate(self.pillows):
            side = -1.0 if index % 2 == 0 else 1.0
            parts.append(Part(self._pillow(side * (self.half - 0.3 - 0.3 * (index // 2)), side), material))
        if self.chaise:
            parts.append(Part(box((0.36, 0.13, 0.42), (-self.half + 0.36, 0.3, 0.82), rounding=0.04), self.cover))
            parts.append(Part(box((0.35, 0.1, 0.46), (-self.half + 0.36, 0.5, 0.78), rounding=0.08), self.cover))
        return parts

    def _cushions(self) -> list[Part]:
        """One seat cushion and one back cushion per seat."""
        inner = self.half - (0.06 if self.arms == "none" else 0.12)
        width = inner / self.seats
        seats, backs = [], []
        for index in range(self.seats):
            x = -inner + width * (2 * index + 1)
            seats.append(box((width - 0.008, 0.1, 0.42), (x, 0.5, 0.06), rounding=0.075))
            pad = box((width - 0.012, 0.5 * (self.back - 0.42), 0.11), rounding=0.1)
            backs.append(moved(turned(pad, "x", -10), (x, 0.56 + 0.5 * (self.back - 0.42), -0.26)))
        return [Part(union(*seats), self.cover), Part(union(*backs), self.cover)]

    def _arms(self) -> list[Part]:
        """A pair of arms."""
        x = self.half
        if self.arms == "none":
            return []
        if self.arms == "roll":
            post = box((0.11, 0.24, 0.46), (x, 0.42, 0.0), rounding=0.03)
            roll = moved(turned(cylinder(0.16, 0.47, rounding=0.03), "x", 90), (x + 0.04, 0.68, 0.0))
            back_roll = moved(turned(cylinder(0.14, x + 0.1, rounding=0.03), "z", 90), (0.0, self.back + 0.02, -0.45))
            return [Part(mirrored(union(post, roll)), self.cover), Part(back_roll, self.cover)]
        if self.arms == "frame":
            rail = box((0.04, 0.025, 0.48), (x, 0.78, 0.0), rounding=0.02)
            posts = [box((0.035, 0.38, 0.035), (x, 0.4, z), rounding=0.012) for z in (-0.42, 0.42)]
            return [Part(mirrored(union(rail, *posts)), self.feet)]
        if self.arms == "round":
            return [Part(mirrored(box((0.16, 0.27, 0.48), (x, 0.44, 0.0), rounding=0.155)), self.cover)]
        return [Part(mirrored(box((0.1, 0.27, 0.48), (x, 0.44, 0.0), rounding=0.035)), self.cover)]

    def _legs(self) -> Field:
        """Short feet at the corners."""
        x = self.half - 0.1
        if self.legs == "block":
            foot = box((0.06, 0.1, 0.06), (x, 0.1, 0.36), rounding=0.01)
        elif self.legs == "pin":
            foot = capsule((x, 0.2, 0.36), (x + 0.03, 0.02, 0.4), 0.02)
        else:
            foot = capsule((x - 0.04, 0.2, 0.34), (x + 0.04, 0.025, 0.42), 0.045, 0.025)
        feet = mirrored(mirrored(foot), 2)
        if not self.chaise:
            return feet
        extra: Vector = (-self.half + 0.1, 0.2, 1.14)
        return union(
            feet,
            capsule(extra, (extra[0], 0.02, 1.16), 0.03),
            capsule((extra[0] + 0.52, 0.2, 1.14), (extra[0] + 0.52, 0.02, 1.16), 0.03),
        )

    def _pillow(self, x: float, side: float) -> Field:
        """A loose pillow that leans on the back."""
        pad = box((0.2, 0.2, 0.08), rounding=0.078)
        return moved(turned(turned(pad, "z", 8 * side), "x", -24), (x, 0.78, -0.06))


OAK = wood(grain("#c99e69", "#98693c", axis=0))
DARK = wood(grain("#5c3b26", "#3a2416", axis=0))

MODELS = (
    Sofa(
        3,
        1.12,
        "box",
        "taper",
        cloth(weave("#8f9aa0", "#737e85", scale=40.0)),
        OAK,
        pillows=(cloth("#d9a441"), cloth("#36506b")),
    ),
    Sofa(2, 0.9, "roll", "block", leather(mottled("#7a4526", "#5a2f18", scale=3.0)), DARK, back=0.84),
    Sofa(2, 0.86, "round", "taper", cloth("#2f6b57"), DARK, pillows=(cloth("#e8d5b0"),)),
    Sofa(3, 1.2, "box", "pin", leather("#1f1f21"), metal("#c9c9cb"), back=0.76),
    Sofa(
        3,
        1.2,
        "box",
        "taper",
        cloth("#d8cdbb"),
        OAK,
        chaise=True,
        pillows=(cloth(stripes("#f0ebe0", "#46617a", period=0.07, axis=0)),),
    ),
    Sofa(2, 0.86, "frame", "taper", cloth(weave("#c7673f", "#a34d2a", scale=34.0)), OAK, back=0.9),
    Sofa(1, 0.95, "roll", "taper", cloth("#b66a7b"), DARK, back=0.96, pillows=(cloth("#f0d9d4"), cloth("#f0d9d4"))),
    Sofa(2, 0.95, "none", "block", cloth("#3b5b92"), matte("#222326"), back=0.7),
    Sofa(2, 0.9, "box", "block", cloth(checks("#efe8d8", "#7f9b72", period=0.16, axes=(0, 1))), OAK, back=0.9),
)
