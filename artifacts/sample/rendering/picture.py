"""A picture of one product in one view: trace, shade, smooth the edges, develop to sRGB."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rendering.camera import Camera, frame
from rendering.film import develop, edges
from rendering.materials import Colours
from rendering.product import Solid
from rendering.raymarch import Hits, march, normals, occlusion, shadow
from rendering.shading import gather, roughened, shade_surface
from rendering.shapes import Distances, Points
from rendering.studio import Backdrop, Lighting, Rig, Set

SUBPIXELS = (  # eight rooks: no two samples share a row or a column of the pixel
    (-0.4375, -0.0625),
    (-0.3125, 0.3125),
    (-0.1875, -0.3125),
    (-0.0625, 0.1875),
    (0.0625, -0.1875),
    (0.1875, 0.4375),
    (0.3125, -0.4375),
    (0.4375, 0.0625),
)


@dataclass(frozen=True)
class View:
    """How a product is photographed; degrees, fill as a share of the frame, offset of the margin."""

    azimuth: float
    elevation: float
    fill: float
    rig: Rig
    backdrop: Backdrop
    offset: tuple[float, float] = (0.0, 0.0)
    exposure: float = 1.0


class Scene:
    """One product, camera, lighting and backdrop, ready to be sampled anywhere on the image plane."""

    def __init__(self, solid: Solid, view: View) -> None:
        self.solid, self.view = solid, view
        self.camera: Camera = frame(solid.surface, view.azimuth, view.elevation, view.fill, view.offset)
        middle, self.radius = self._extent()
        floor_samples = np.stack([axis.ravel() for axis in np.mgrid[-2:2:9j, 0:1:1j, -2:2:9j]]).astype(np.float32)
        floor = view.backdrop.floor.pattern(floor_samples).mean(axis=1, keepdims=True)
        lit = np.float32(0.8 * view.rig.key + view.rig.sky)
        self.lighting = Lighting(view.rig, view.azimuth, (floor * lit).astype(np.float32))
        self.set = Set(view.backdrop, self.lighting, middle, self.radius, self.camera.axes[2])
        self.spread = 0.006 * self.radius

    def _extent(self) -> tuple[Points, float]:
        """The point (3,) of the floor under the product, and half of its longest side."""
        low, high = self.solid.surface.min(axis=1), self.solid.surface.max(axis=1)
        middle = 0.5 * (low + high)
        middle[1] = 0.0  # products stand on the plane y = 0
        return middle.astype(np.float32), float((high - low).max()) * 0.5

    def sample(self, column: Distances, row: Distances) -> tuple[Colours, NDArray[np.int16]]:
        """Radiance (3, n) and the part seen (-1: the backdrop) at image points (n,) in [-1, 1]."""
        ways = self.camera.rays(column, row)
        origin = self.camera.position[:, None]
        hits = march(self.solid, origin, ways)
        owners = np.full(ways.shape[1], -1, dtype=np.int16)
        owners[hits.rays] = hits.owners
        radiance = np.empty_like(ways)
        rest = np.flatnonzero(owners < 0)
        radiance[:, rest] = self._backdrop(origin, ways[:, rest], shaded=True)
        if hits.rays.size:
            radiance[:, hits.rays] = self._surface(hits, ways[:, hits.rays], mirror=True)
        return radiance, owners

    def _surface(self, hits: Hits, ways: Points, *, mirror: bool) -> Colours:
        """Radiance (3, k) of points on the product; mirror: look for what hides the reflections."""
        solid, points = self.solid, hits.points
        smooth = normals(solid, points, self.spread)
        lifted = points + smooth * np.float32(0.008 * self.radius)
        surface = gather(solid.parts, hits.owners, points)
        normal = roughened(smooth, points, surface)
        visible = np.zeros(points.shape[1], dtype=np.float32)
        turned = np.flatnonzero(self.lighting.key @ smooth > 0.0)
        visible[turned] = shadow(solid, lifted[:, turned], self.lighting.key, self.view.rig.width)
        openness = occlusion(solid, lifted, smooth, 0.42 * self.radius) * self._above_floor(points, smooth)
        mirror_open = np.ones_like(openness)
        shiny = np.flatnonzero(surface.roughness < 0.5)
        if mirror and shiny.size:
            facing = -(smooth[:, shiny] * ways[:, shiny]).sum(axis=0)
            bounce = ways[:, shiny] + 2.0 * facing * smooth[:, shiny]
            mirror_open[shiny] = occlusion(solid, lifted[:, shiny], bounce, 0.5 * self.radius, 4) ** 1.5
        through = self._behind_glass(surface.clarity, points, normal, ways)
        return shade_surface(self.lighting, surface, normal, ways, (visible, openness, mirror_open), through)

    def _above_floor(self, points: Points, normal: Points) -> Distances:
        """Openness (n,) left by the floor: surfaces close to it that look down get dark."""
        height = np.clip((points[1] - self.set.centre[1]) / (0.35 * self.radius), 0.0, 1.0)
        result: Distances = 1.0 - (1.0 - height) ** 2 * np.clip(0.35 - 0.55 * normal[1], 0.0, 0.75)
        return result

    def _behind_glass(self, clarity: Distances, points: Points, normal: Points, ways: Points) -> Colours:
        """The backdrop (3, n) behind clear points, the ray bent as by a lens; zero elsewhere."""
        seen = np.zeros_like(points)
        clear = np.flatnonzero(clarity > 0.0)
        if clear.size:
            bent = ways[:, clear] - 0.22 * normal[:, clear]
            bent /= np.sqrt((bent * bent).sum(axis=0))
            seen[:, clear] = self._backdrop(points[:, clear], bent, shaded=False)
        return seen

    def _backdrop(self, origins: Points, ways: Points, *, shaded: bool) -> Colours:
        """Radiance (3, n) of floor and wall; shaded: with the product's shadow and reflection."""
        down = ways[1] < -1e-4
        reach = np.where(down, (self.set.centre[1] - origins[1]) / np.minimum(ways[1], -1e-4), 1e3).astype(np.float32)
        points = origins + ways * reach
        share = self.set.floor_share(points, down.astype(np.float32))
        radiance = self.set.wall(ways)
        floor = np.flatnonzero(share > 0.0)
        if floor.size:
            radiance[:, floor] += share[floor] * (
                self._floor(points[:, floor], ways[:, floor], shaded) - radiance[:, floor]
            )
        return radiance

    def _floor(self, points: Points, ways: Points, shaded: bool) -> Colours:
        """Radiance (3, n) of floor points, with contact shadow and, on a polished floor, a mirror image."""
        ones = np.ones(points.shape[1], dtype=np.float32)
        if not shaded:
            return self.set.floor(points, ones, ones)
        visible = shadow(self.solid, points, self.lighting.key, self.view.rig.width)
        openness = self._floor_openness(points)
        radiance = self.set.floor(points, visible, openness)
        polish = self.view.backdrop.polish
        if polish:
            mirrored = ways * np.asarray([[1.0], [-1.0], [1.0]], dtype=np.float32)
            lifted = points + np.asarray([[0.0], [0.01], [0.0]], dtype=np.float32)
            hits = march(self.solid, lifted, mirrored)
            image = self.lighting.environment(mirrored, np.full_like(ones, 0.3))
            if hits.rays.size:
                image[:, hits.rays] = self._surface(hits, mirrored[:, hits.rays], mirror=False)
            share = polish + (1.0 - polish) * 0.35 * (1.0 - np.abs(ways[1])) ** 5
            radiance = radiance + (image - radiance) * share
        return radiance

    def _floor_openness(self, points: Points) -> Distances:
        """Openness (n,) of floor points; only those near the product are sampled."""
        reach = 0.6 * self.radius
        low, high = self.solid.low[[0, 2], None] - reach, self.solid.high[[0, 2], None] + reach
        near = np.flatnonzero(((points[[0, 2]] > low) & (points[[0, 2]] < high)).all(axis=0))
        openness = np.ones(points.shape[1], dtype=np.float32)
        if near.size:
            upwards = np.broadcast_to(np.asarray([[0.0], [1.0], [0.0]], dtype=np.float32), (3, near.size))
            openness[near] = occlusion(self.solid, points[:, near], upwards, reach, 6)
        return openness


def render(solid: Solid, view: View, size: int) -> Image.Image:
    """The picture, size x size pixels; eight samples where edges run, one elsewhere."""
    scene = Scene(solid, view)
    centres = (np.arange(size, dtype=np.float32) + 0.5) * (2.0 / size) - 1.0
    columns, rows = (axis.ravel() for axis in np.meshgrid(centres, -centres))
    radiance, owners = scene.sample(columns, rows)
    encoded = develop(radiance, view.exposure).reshape(3, size, size)
    marked = np.flatnonzero(edges(encoded, owners.reshape(size, size)))
    if marked.size:
        offsets = np.asarray(SUBPIXELS, dtype=np.float32) * np.float32(2.0 / size)
        fine_columns = (columns[marked, None] + offsets[:, 0]).ravel()
        fine_rows = (rows[marked, None] + offsets[:, 1]).ravel()
        fine = develop(scene.sample(fine_columns, fine_rows)[0], view.exposure)
        encoded.reshape(3, -1)[:, marked] = fine.reshape(3, marked.size, len(SUBPIXELS)).mean(axis=2)
    pixels = np.rint(encoded * 255.0).astype(np.uint8)
    return Image.fromarray(np.moveaxis(pixels, 0, 2))
