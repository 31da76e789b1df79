"""Backdrops of the studio: seamless paper sweeps, table tops, and room floors, by name."""

from __future__ import annotations

from rendering.materials import cloth, glossy, matte, wood
from rendering.patterns import checks
from rendering.studio import Backdrop
from rendering.textures import marble, mottled, planks, speckled, weave

EDGE_OF_TABLE = (1.9, 2.05)
FOOT_OF_WALL = (1.55, 1.62)


def sweep(paper: str, wall_low: str, wall_high: str, *, polish: float = 0.0) -> Backdrop:
    """A roll of paper that rises behind the product without an edge."""
    return Backdrop(matte(paper), wall_low, wall_high, polish=polish)


SWEEPS = {
    "white": sweep("#e0dedb", "#d9d7d3", "#ecebe8"),
    "warm-grey": sweep("#9a9188", "#8d847b", "#b5aca2"),
    "blush": sweep("#d9a99b", "#d09d8e", "#e6c0b4"),
    "sage": sweep("#9fb08f", "#93a482", "#bac8ae"),
    "sky": sweep("#92b2c6", "#86a7bc", "#b3ccdb"),
    "butter": sweep("#dfc67e", "#d6bb70", "#ebd9a1"),
    "lilac": sweep("#b09fc6", "#a493bb", "#c9bcda"),
    "charcoal": sweep("#3a3d41", "#2e3134", "#565a5f", polish=0.06),
    "navy": sweep("#232c3b", "#1b2330", "#38455a", polish=0.05),
}
TABLES = {
    "oak": Backdrop(
        wood(planks("#c99f6b", "#a07544")), "#d8d2c6", "#efece4", EDGE_OF_TABLE, polish=0.03, texture_scale=0.9
    ),
    "walnut": Backdrop(
        wood(planks("#7c5233", "#553420")), "#8f9a96", "#b9c1bc", EDGE_OF_TABLE, polish=0.04, texture_scale=0.9
    ),
    "marble": Backdrop(
        glossy(marble("#e6e4e1", "#9a9795")), "#c5ccd0", "#e4e8ea", EDGE_OF_TABLE, polish=0.1, texture_scale=0.55
    ),
    "concrete": Backdrop(
        matte(speckled(mottled("#a5a3a0", "#8d8b88", scale=1.6), "#7d7b79", scale=30.0, amount=0.08)),
        "#6d7478",
        "#949b9e",
        EDGE_OF_TABLE,
    ),
    "linen": Backdrop(cloth(weave("#ded3bf", "#c9bca4", scale=26.0, axes=(0, 2))), "#b8a48c", "#d8c8b2", EDGE_OF_TABLE),
}
ROOMS = {
    "oak-floor": Backdrop(
        wood(planks("#c29a68", "#9a7043", width=0.32)), "#dad6cc", "#ece9e2", FOOT_OF_WALL, polish=0.03
    ),
    "dark-floor": Backdrop(
        wood(planks("#6f4a30", "#4d311f", width=0.32)), "#7f9189", "#9dada5", FOOT_OF_WALL, polish=0.04
    ),
    "concrete-floor": Backdrop(
        matte(mottled("#aaa8a4", "#918f8b", scale=1.3)), "#c2c4c4", "#d9dbdb", FOOT_OF_WALL, polish=0.03
    ),
    "rug": Backdrop(cloth(weave("#cfc5b4", "#b5a993", scale=20.0, axes=(0, 2))), "#c89a80", "#dcb49c", FOOT_OF_WALL),
    "pale-floor": Backdrop(
        wood(planks("#dcd0bd", "#c4b59c", width=0.32)), "#8fa3b5", "#b3c3d1", FOOT_OF_WALL, polish=0.03
    ),
}
OUTINGS = {
    "terracotta": sweep("#b9694a", "#a85c3f", "#cd8365"),
    "teal": sweep("#2f6a6b", "#27595a", "#4a8788"),
    "gingham": Backdrop(
        cloth(checks("#efeae0", "#b9c7d6", period=0.5, axes=(0, 2))), "#d9d2c4", "#ece6da", EDGE_OF_TABLE
    ),
    "painted-boards": Backdrop(
        wood(planks("#6f8792", "#586f7a", width=0.26)), "#b98a3c", "#d3a85c", FOOT_OF_WALL, polish=0.03
    ),
    "plum": sweep("#4e3245", "#402838", "#6d4c62", polish=0.05),
}
EVERY = {**SWEEPS, **TABLES, **ROOMS, **OUTINGS}
