"""Materials: how a surface takes the light, and the makers that name them.

Colours are written as sRGB hex strings and kept in linear light.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rendering.shapes import Points

Colours = NDArray[np.float32]
Pattern = Callable[[Points], Colours]


def linear(hexadecimal: str) -> Colours:
    """An sRGB hex colour ("#a0b1c2") as linear float32 (3,). IEC 61966-2-1."""
    digits = hexadecimal.lstrip("#")
    encoded = np.array([int(digits[i : i + 2], 16) / 255.0 for i in (0, 2, 4)], dtype=np.float32)
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4).astype(np.float32)


def plain(hexadecimal: str) -> Pattern:
    """One colour all over."""
    colour = linear(hexadecimal)[:, None]
    return lambda points: np.broadcast_to(colour, points.shape)


@dataclass(frozen=True)
class Material:
    """A surface: pattern gives linear colours (3, n) at points (3, n) of the product.

    roughness 0 (mirror) to 1 (chalk); reflectance at normal incidence; metallic tints the
    reflection by the colour and drops the diffuse part; sheen is the bright rim of cloth;
    bump and grain are the strength and frequency of fine relief; glow is emitted light;
    clarity is the share of the backdrop seen through glass.
    """

    pattern: Pattern
    roughness: float = 0.6
    reflectance: float = 0.04
    metallic: float = 0.0
    sheen: float = 0.0
    bump: float = 0.0
    grain: float = 40.0
    glow: float = 0.0
    clarity: float = 0.0


def pattern_of(surface: str | Pattern) -> Pattern:
    """A pattern from a hex colour, or the pattern itself."""
    return plain(surface) if isinstance(surface, str) else surface


def matte(surface: str | Pattern) -> Material:
    """Unglazed clay, paint, paper."""
    return Material(pattern_of(surface), roughness=0.75, reflectance=0.03)


def plastic(surface: str | Pattern) -> Material:
    """Moulded plastic with a satin finish."""
    return Material(pattern_of(surface), roughness=0.38, reflectance=0.045)


def glossy(surface: str | Pattern) -> Material:
    """Lacquer, gloss paint, polished plastic."""
    return Material(pattern_of(surface), roughness=0.12, reflectance=0.055)


def ceramic(surface: str | Pattern) -> Material:
    """Glazed stoneware or porcelain."""
    return Material(pattern_of(surface), roughness=0.16, reflectance=0.05)


def stoneware(surface: str | Pattern) -> Material:
    """Half-matte glaze with a slightly uneven surface."""
    return Material(pattern_of(surface), roughness=0.45, reflectance=0.045, bump=0.05, grain=14.0)


def metal(surface: str | Pattern, *, roughness: float = 0.22) -> Material:
    """Polished to satin metal in the given tint."""
    return Material(pattern_of(surface), roughness=roughness, reflectance=0.8, metallic=1.0)


def wood(surface: str | Pattern, *, polish: float = 0.45) -> Material:
    """Oiled wood; give a grain pattern for its colours."""
    return Material(pattern_of(surface), roughness=polish, reflectance=0.04, bump=0.03, grain=50.0)


def cloth(surface: str | Pattern, *, grain: float = 60.0, bump: float = 0.16) -> Material:
    """Woven fabric, felt, knit."""
    return Material(pattern_of(surface), roughness=0.95, reflectance=0.02, sheen=0.35, bump=bump, grain=grain)


def leather(surface: str | Pattern, *, grain: float = 55.0) -> Material:
    """Grained leather with a soft shine."""
    return Material(pattern_of(surface), roughness=0.42, reflectance=0.045, bump=0.045, grain=grain)


def rubber(surface: str | Pattern) -> Material:
    """Soft dark or coloured rubber."""
    return Material(pattern_of(surface), roughness=0.65, reflectance=0.035)


def glass(surface: str | Pattern, *, clarity: float = 0.55) -> Material:
    """Tinted glass: sharp reflections, and a share of the backdrop seen through it."""
    return Material(pattern_of(surface), roughness=0.06, reflectance=0.06, clarity=clarity)


def glowing(surface: str | Pattern, *, glow: float = 0.8) -> Material:
    """A lit lampshade."""
    return Material(pattern_of(surface), roughness=0.9, reflectance=0.02, glow=glow)


def lit(material: Material, glow: float) -> Material:
    """The same material, giving off light of its own."""
    return replace(material, glow=glow)
