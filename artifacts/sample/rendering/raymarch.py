"""Ray marching: where rays meet a solid, its normals, soft shadows and ambient occlusion.

Soft shadows: Inigo Quilez, https://iquilezles.org/articles/rmshadows/; ambient occlusion from a
few samples along the normal: Evans, "Fast Approximations for Global Illumination on Dynamic
Scenes", SIGGRAPH 2006.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rendering.product import Solid
from rendering.shapes import Distances, Points

MAX_STEPS = 110
SHADOW_STEPS = 26
HIT = 0.0012  # a distance that counts as contact: about a tenth of a pixel of a framed product
STRIDE = 0.92  # of the distance per step; some fields overestimate it slightly
TETRAHEDRON = ((1, -1, -1), (-1, -1, 1), (-1, 1, -1), (1, 1, 1))


@dataclass(frozen=True)
class Hits:
    """Rays that met the solid: their indices (k,), distances (k,), points (3, k) and parts (k,)."""

    rays: NDArray[np.int64]
    reach: Distances
    points: Points
    owners: NDArray[np.int16]


def clip_to_box(origins: Points, directions: Points, low: Points, high: Points) -> tuple[Distances, Distances]:
    """Entry and exit distances (n,) of rays through a box; entry > exit where they miss it."""
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = 1.0 / directions
        first, second = (low[:, None] - origins) * inverse, (high[:, None] - origins) * inverse
    entry = np.maximum(np.fmin(first, second).max(axis=0), 0.0)
    return entry, np.fmax(first, second).min(axis=0)


def march(solid: Solid, origins: Points, directions: Points) -> Hits:
    """First contacts of rays with the solid; origins (3, n) or (3, 1), directions (3, n)."""
    entry, leave = clip_to_box(origins, directions, solid.low, solid.high)
    alive = np.flatnonzero(entry < leave)
    starts = np.broadcast_to(origins, directions.shape)[:, alive]
    ways, reach, leave = directions[:, alive], entry[alive] + 1e-4, leave[alive]
    contacts: list[tuple[NDArray[np.int64], Distances]] = []
    for _ in range(MAX_STEPS):
        if not alive.size:
            break
        distance = solid.distance(starts + ways * reach)
        contact = distance < HIT
        contacts.append((alive[contact], reach[contact]))
        reach = reach + np.maximum(distance, HIT) * STRIDE
        keep = ~contact & (reach < leave)
        alive, reach, leave = alive[keep], reach[keep], leave[keep]
        starts, ways = starts[:, keep], ways[:, keep]
    rays = np.concatenate([ids for ids, _ in contacts]) if contacts else np.zeros(0, dtype=np.int64)
    travelled = np.concatenate([far for _, far in contacts]) if contacts else np.zeros(0, dtype=np.float32)
    points = np.broadcast_to(origins, directions.shape)[:, rays] + directions[:, rays] * travelled
    owners = solid.exact(points)[1] if rays.size else np.zeros(0, dtype=np.int16)
    return Hits(rays, travelled, points, owners)


def normals(solid: Solid, points: Points, spread: float) -> Points:
    """Unit normals (3, n) by central differences on a tetrahedron of size `spread`."""
    gradient = np.zeros_like(points)
    for corner in TETRAHEDRON:
        offset = np.asarray(corner, dtype=np.float32)[:, None]
        gradient += offset * solid.exact(points + spread * offset)[0]
    result: Points = gradient / np.maximum(np.sqrt((gradient * gradient).sum(axis=0)), 1e-9)
    return result


def shadow(solid: Solid, points: Points, light: Points, width: float) -> Distances:
    """Visibility (n,) in [0, 1] of a light in direction (3,); width is its size, as a slope."""
    visible = np.ones(points.shape[1], dtype=np.float32)
    ways = light[:, None]
    pad = 0.3 * float((solid.high - solid.low).max())  # penumbras reach beyond the product
    entry, leave = clip_to_box(points, np.broadcast_to(ways, points.shape), solid.low - pad, solid.high + pad)
    entry = np.maximum(entry, 0.012)
    alive = np.flatnonzero(entry < leave)
    starts, reach, leave = points[:, alive], entry[alive], leave[alive]
    open_share = np.ones(alive.size, dtype=np.float32)
    for _ in range(SHADOW_STEPS):
        if not alive.size:
            break
        distance = solid.distance(starts + ways * reach)
        open_share = np.minimum(open_share, 0.5 + 0.5 * distance / (width * reach))
        visible[alive] = open_share
        reach = reach + np.clip(distance, 0.02, 0.25)
        keep = (open_share > 0.0) & (reach < leave)
        alive, reach, leave, open_share = alive[keep], reach[keep], leave[keep], open_share[keep]
        starts = starts[:, keep]
    visible = np.maximum(visible, 0.0)
    return visible * visible * (3.0 - 2.0 * visible)


def occlusion(solid: Solid, points: Points, normal: Points, reach: float, samples: int = 5) -> Distances:
    """Openness (n,) in [0, 1] of the half-space above each point, within `reach`."""
    missing = np.zeros(points.shape[1], dtype=np.float32)
    weight, total = 1.0, 0.0
    for index in range(1, samples + 1):
        height = reach * (index / samples) ** 1.6
        sample = points + normal * height
        gap = solid.distance(sample)
        missing += weight * np.clip(height - gap, 0.0, height) / height
        total += weight
        weight *= 0.82
    result: Distances = np.clip(1.0 - missing / total, 0.0, 1.0)
    return result
