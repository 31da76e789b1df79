"""Surface shading: diffuse light from key, fill and sky, and one bounce of the studio as reflection.

Fresnel term: Schlick, "An Inexpensive BRDF Model for Physically-based Rendering", 1994, with the
roughness clamp of Lagarde; specular occlusion from ambient occlusion: Lagarde & de Rousiers,
"Moving Frostbite to PBR", SIGGRAPH 2014.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rendering.materials import Colours
from rendering.noise import value_noise
from rendering.product import Part
from rendering.shapes import Distances, Points
from rendering.studio import Lighting


@dataclass(frozen=True)
class Surface:
    """Material values gathered per point: base colours (3, n), the rest (n,)."""

    base: Colours
    roughness: Distances
    reflectance: Distances
    metallic: Distances
    sheen: Distances
    bump: Distances
    grain: Distances
    glow: Distances
    clarity: Distances


def gather(parts: Sequence[Part], owners: NDArray[np.int16], points: Points) -> Surface:
    """The surface values of points (3, n) that belong to parts (n,)."""
    base = np.zeros_like(points)
    for index, part in enumerate(parts):
        chosen = np.flatnonzero(owners == index)
        if chosen.size:
            base[:, chosen] = part.material.pattern(points[:, chosen])

    def value(name: str) -> Distances:
        return np.asarray([getattr(part.material, name) for part in parts], dtype=np.float32)[owners]

    names = ("roughness", "reflectance", "metallic", "sheen", "bump", "grain", "glow", "clarity")
    return Surface(base, *[value(name) for name in names])


def roughened(normal: Points, points: Points, surface: Surface) -> Points:
    """Normals (3, n) tilted by fine noise where the material has relief."""
    chosen = np.flatnonzero(surface.bump > 0.0)
    if not chosen.size:
        return normal
    place = points[:, chosen] * surface.grain[chosen]
    tilt = np.stack([value_noise(place + shift) - 0.5 for shift in (0.0, 31.7, 67.1)])
    bent = normal.copy()
    bent[:, chosen] += 2.0 * surface.bump[chosen] * tilt
    result: Points = bent / np.sqrt((bent * bent).sum(axis=0))
    return result


def diffuse(lighting: Lighting, normal: Points, shade: Distances, openness: Distances) -> Colours:
    """Light (3, n) that falls on surfaces with normals (3, n)."""
    key = np.maximum(lighting.key @ normal, 0.0) * shade
    fill = np.maximum(0.65 * (lighting.fill @ normal) + 0.35, 0.0) * openness
    sky = (0.55 + 0.45 * normal[1]) * openness
    bounce = (0.5 - 0.5 * normal[1]) * openness * 0.42
    result: Colours = (
        lighting.key_colour * key
        + lighting.fill_colour * fill
        + lighting.sky_colour * sky
        + lighting.floor_colour * bounce
    )
    return result


def reflection(
    lighting: Lighting, surface: Surface, normal: Points, view: Points, openness: Distances, mirror_open: Distances
) -> tuple[Colours, Distances]:
    """Reflected radiance (3, n), and the Fresnel share (n,) that is lost to the diffuse part."""
    facing = np.clip(-(normal * view).sum(axis=0), 0.0, 1.0)
    mirror = view + 2.0 * facing * normal
    base = surface.base * surface.metallic + surface.reflectance * (1.0 - surface.metallic)
    limit = np.maximum(1.0 - surface.roughness, base)
    fresnel = base + (limit - base) * (1.0 - facing) ** 5
    softened = np.clip((facing + openness) ** 2 - 1.0 + openness, 0.0, 1.0) * mirror_open
    softened = np.maximum(softened, 0.22 * surface.metallic * openness)
    radiance = lighting.environment(mirror, surface.roughness) * fresnel * softened
    return radiance, fresnel.mean(axis=0)


def shade_surface(
    lighting: Lighting,
    surface: Surface,
    normal: Points,
    view: Points,
    light: tuple[Distances, Distances, Distances],
    through: Colours,
) -> Colours:
    """Radiance (3, n) towards the camera.

    light: key visibility, openness and openness along the mirror direction, (n,) each; through:
    what is seen behind clear materials (3, n).
    """
    shade, openness, mirror_open = light
    glints, lost = reflection(lighting, surface, normal, view, openness, mirror_open)
    facing = np.clip(-(normal * view).sum(axis=0), 0.0, 1.0)
    body = surface.base * diffuse(lighting, normal, shade, openness)
    tinted = through * np.maximum(surface.base, 1e-4) ** (0.35 + 0.9 * (1.0 - facing))
    body = body + (tinted - body) * surface.clarity
    rim = surface.sheen * (1.0 - facing) ** 3 * openness
    velvet = (0.35 * surface.base + 0.1) * rim * lighting.sky_colour
    lamp = surface.base * surface.glow * (0.45 + 0.55 * facing)
    result: Colours = body * (1.0 - lost) * (1.0 - surface.metallic) + glints + velvet + lamp
    return result
