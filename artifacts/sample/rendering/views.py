"""How products are photographed: the five gallery views of a product, and the harder query view.

Every number comes from a generator seeded by the picture's id, so a picture can be rendered
alone and comes out the same.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from rendering.backdrops import EVERY
from rendering.picture import View
from rendering.studio import Rig

WARM, NEUTRAL, COOL, EVENING = "#ffe6c8", "#fffaf2", "#eaf2ff", "#ffd09a"
PASTELS = ("blush", "sage", "sky", "butter", "lilac")
DARK = ("charcoal", "navy", "warm-grey")
TABLE_TOPS = ("oak", "walnut", "marble", "concrete", "linen")
FLOORS = ("oak-floor", "dark-floor", "concrete-floor", "rug", "pale-floor")
QUERY_TABLES = ("terracotta", "teal", "gingham", "plum")
QUERY_FLOORS = ("terracotta", "teal", "painted-boards", "plum")


@dataclass(frozen=True)
class Angles:
    """How a category is photographed: azimuth limit either side and elevations in degrees.

    indoors: stands on room floors, not on tables; rear: view 4 shows the back; zoom: added to the
    fill, for slender things.
    """

    swing: float = 50.0
    low: float = 10.0
    high: float = 34.0
    indoors: bool = False
    rear: bool = False
    zoom: float = 0.0


@dataclass(frozen=True)
class Shot:
    """One of the five standard shots.

    share of the category's azimuth limit, height between its elevations (0 to 1), fill of the
    frame, key light colours, backdrops for things on tables and for furniture; ahead shifts the
    choice, so that two shots on tables differ; behind: may show the back.
    """

    share: float
    height: float
    fill: float
    colours: tuple[str, ...]
    tables: tuple[str, ...]
    floors: tuple[str, ...]
    ahead: int = 0
    behind: bool = False


SHOTS = (
    Shot(0.55, 0.4, 0.74, (NEUTRAL,), ("white",), ("white",)),
    Shot(-0.6, 0.7, 0.68, (NEUTRAL, COOL), PASTELS, PASTELS),
    Shot(0.15, 0.25, 0.66, (WARM, EVENING), TABLE_TOPS, FLOORS),
    Shot(0.9, 1.0, 0.72, (NEUTRAL, COOL), DARK, DARK, behind=True),
    Shot(-0.25, 0.1, 0.79, (WARM, NEUTRAL), TABLE_TOPS, FLOORS, ahead=2),
)


def generator(name: str) -> np.random.Generator:
    """A random generator that depends on a name only."""
    return np.random.default_rng(zlib.crc32(name.encode()))


def lighting(draw: np.random.Generator, colours: tuple[str, ...]) -> Rig:
    """A key light from the left or the right, of one of the colours."""
    side = -1.0 if draw.random() < 0.62 else 1.0
    return Rig(
        azimuth=side * float(draw.uniform(28, 68)),
        elevation=float(draw.uniform(36, 60)),
        key=float(draw.uniform(1.25, 1.6)),
        fill=float(draw.uniform(0.2, 0.38)),
        sky=float(draw.uniform(0.32, 0.46)),
        width=float(draw.uniform(0.12, 0.34)),
        key_colour=colours[int(draw.integers(len(colours)))],
    )


def pick(names: tuple[str, ...], turn: int) -> str:
    """The name at a turn, going round."""
    return names[turn % len(names)]


def jitter(draw: np.random.Generator, amount: float) -> float:
    """A number between -amount and amount."""
    return float(draw.uniform(-amount, amount))


def gallery_view(product: str, number: int, place: int, angles: Angles) -> View:
    """Shot 1 to 5 of a product; place, the product's position in the catalogue, goes round the backdrops."""
    draw = generator(f"{product}-{number}")
    shot = SHOTS[number - 1]
    share, height = shot.share + jitter(draw, 0.12), shot.height + jitter(draw, 0.1)
    fill = shot.fill + jitter(draw, 0.03) + angles.zoom
    offset = (0.0, 0.0) if number == 1 else (jitter(draw, 0.35), -0.1 + jitter(draw, 0.2))
    backdrops = shot.floors if angles.indoors else shot.tables
    return View(
        azimuth=angles.swing * share + (180.0 if angles.rear and shot.behind else 0.0),
        elevation=max(angles.low + height * (angles.high - angles.low), 4.0),
        fill=fill,
        rig=lighting(draw, shot.colours),
        backdrop=EVERY[pick(backdrops, place + shot.ahead)],
        offset=offset,
        exposure=float(draw.uniform(0.86, 0.98)),
    )


def query_view(product: str, place: int, angles: Angles) -> View:
    """A picture as a shopper takes it: further round and from higher up than any of the gallery, in hard light."""
    draw = generator(f"{product}-query")
    side = -1.0 if place % 2 else 1.0
    backdrops = QUERY_FLOORS if angles.indoors else QUERY_TABLES
    return View(
        azimuth=-side * angles.swing * float(draw.uniform(1.1, 1.65)),
        elevation=angles.high + float(draw.uniform(1.0, 18.0)),
        fill=float(draw.uniform(0.46, 0.6)),
        rig=Rig(
            azimuth=side * float(draw.uniform(60, 85)),
            elevation=float(draw.uniform(24, 40)),
            key=float(draw.uniform(1.2, 1.8)),
            fill=float(draw.uniform(0.1, 0.2)),
            sky=float(draw.uniform(0.2, 0.3)),
            width=0.1,
            key_colour=pick((EVENING, COOL, WARM), place),
        ),
        backdrop=EVERY[pick(backdrops, place)],
        offset=(jitter(draw, 0.8), -0.1 + jitter(draw, 0.6)),
        exposure=float(draw.uniform(0.75, 1.0)),
    )
