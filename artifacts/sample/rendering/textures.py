"""Textures of materials: wood, stone, cloth, glaze; each maker returns a pattern of linear colours."""

from __future__ import annotations

import numpy as np

from rendering.materials import Colours, Pattern, linear, pattern_of
from rendering.noise import fractal_noise, value_noise
from rendering.patterns import mix, step
from rendering.shapes import Points


def speckled(base: str | Pattern, colour: str, *, scale: float = 38.0, amount: float = 0.2) -> Pattern:
    """Glaze speckles; amount is roughly the share of the surface covered."""
    ground, paint = pattern_of(base), linear(colour)[:, None]

    def pattern(points: Points) -> Colours:
        flecks = value_noise(points * np.float32(scale)) * 0.8 + 0.2 * value_noise(points * np.float32(scale / 5))
        return mix(ground(points), paint, 0.85 * step(flecks, 1.0 - 1.1 * amount, 0.1))

    return pattern


def mottled(first: str | Pattern, second: str, *, scale: float = 5.0, contrast: float = 1.0) -> Pattern:
    """Cloudy change between two colours: reactive glaze, stone, worn leather."""
    ground, other = pattern_of(first), linear(second)[:, None]

    def pattern(points: Points) -> Colours:
        clouds = fractal_noise(points * np.float32(scale), 3)
        return mix(ground(points), other, np.clip(0.5 + (clouds - 0.5) * 3.0 * contrast, 0.0, 1.0))

    return pattern


def brush_rings(base: str, colour: str, *, period: float = 0.11) -> Pattern:
    """Rings as a loaded brush leaves them on the wheel, uneven in width and strength."""
    ground, top = linear(base)[:, None], linear(colour)[:, None]

    def pattern(points: Points) -> Colours:
        wobble = 0.35 * value_noise(points * np.float32(5.0))
        strand = value_noise(np.stack([points[0] * 3, points[1] * 60, points[2] * 3]))
        wave = 0.5 + 0.5 * np.sin(2 * np.pi * (points[1] / period + wobble))
        return mix(ground, top, np.clip(wave * 1.3 - 0.3 + 0.4 * (strand - 0.5), 0.0, 1.0))

    return pattern


def grain(light: str, dark: str, *, axis: int = 0, scale: float = 9.0) -> Pattern:
    """Wood grain that runs along an axis: stretched rings plus fine pores."""
    ground, top = linear(light)[:, None], linear(dark)[:, None]
    stretch = np.full((3, 1), scale, dtype=np.float32)
    stretch[axis] = scale * 0.12

    def pattern(points: Points) -> Colours:
        figure = fractal_noise(points * stretch, 2)
        rings = 0.5 + 0.5 * np.sin(figure * 26.0)
        pores = value_noise(points * stretch * np.float32(9.0))
        return mix(ground, top, np.clip(0.62 * rings + 0.5 * pores - 0.15, 0.0, 1.0))

    return pattern


def weave(first: str, second: str, *, scale: float = 30.0, axes: tuple[int, int] = (0, 1)) -> Pattern:
    """Warp and weft of two yarns, with uneven threads."""
    ground, top = linear(first)[:, None], linear(second)[:, None]

    def pattern(points: Points) -> Colours:
        u, v = points[axes[0]] * scale, points[axes[1]] * scale
        basket = np.sin(np.pi * u) * np.sin(np.pi * v)
        threads = value_noise(points * np.float32(scale * 1.2)) - 0.5
        return mix(ground, top, np.clip(0.5 + 0.45 * basket + 0.6 * threads, 0.0, 1.0))

    return pattern


def marble(base: str, vein: str, *, scale: float = 1.6) -> Pattern:
    """Stone with thin wandering veins."""
    ground, top = linear(base)[:, None], linear(vein)[:, None]

    def pattern(points: Points) -> Colours:
        warp = fractal_noise(points * np.float32(scale * 1.3), 4) - 0.5
        slope = points[0] + 0.7 * points[1] - 0.6 * points[2]
        fold = np.abs(np.sin(scale * 2.4 * slope + 9.0 * warp))
        strength = value_noise(points * np.float32(scale * 1.1) + 9.0)
        veins = np.clip(1.0 - fold * 9.0, 0.0, 1.0) * np.clip(1.6 * strength - 0.3, 0.0, 1.0)
        return mix(ground, top, np.clip(0.8 * veins + 0.5 * np.clip(warp + 0.1, 0.0, 1.0), 0.0, 1.0))

    return pattern


def planks(light: str, dark: str, *, width: float = 0.5) -> Pattern:
    """Boards side by side along x, each a little lighter or darker, with thin joints."""
    board = grain(light, dark, axis=0, scale=3.2)

    def pattern(points: Points) -> Colours:
        lane = points[2] / width
        index = np.floor(lane)
        shifted = points + np.stack([index * 3.7, index * 1.3, np.zeros_like(index)])
        tone = 0.86 + 0.28 * np.mod(index * 0.618 + 0.3, 1.0)
        joint = step(np.abs(lane - index - 0.5), 0.485, 0.02)
        return np.asarray(board(shifted) * tone * (1.0 - 0.55 * joint), dtype=np.float32)

    return pattern
