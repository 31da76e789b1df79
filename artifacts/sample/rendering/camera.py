"""The camera: perspective rays, and framing that never cuts a product off."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rendering.shapes import Distances, Points

FIELD_OF_VIEW = 24.0  # degrees, about an 85 mm lens on a square 36 mm sensor


@dataclass(frozen=True)
class Camera:
    """A pinhole: position (3,), rows of axes right, up, forward (3, 3), and the lens shift.

    One unit on the image plane at distance 1 is scale half-frames.
    """

    position: Points
    axes: Points
    shift: tuple[float, float]
    scale: float

    def rays(self, column: Distances, row: Distances) -> Points:
        """Unit directions (3, n) through image points (n,) in [-1, 1], row upwards."""
        across, along = (column + self.shift[0]) / self.scale, (row + self.shift[1]) / self.scale
        ahead = np.ones_like(across)
        directions = self.axes.T @ np.stack([across, along, ahead])
        return np.asarray(directions / np.sqrt((directions * directions).sum(axis=0)), dtype=np.float32)


def look_axes(azimuth: float, elevation: float) -> Points:
    """Rows right, up, forward of a camera that orbits the origin; degrees, azimuth 0 faces +z."""
    a, e = math.radians(azimuth), math.radians(elevation)
    forward = [-math.sin(a) * math.cos(e), -math.sin(e), -math.cos(a) * math.cos(e)]
    right = [math.cos(a), 0.0, -math.sin(a)]
    up = [-math.sin(a) * math.sin(e), math.cos(e), -math.cos(a) * math.sin(e)]
    return np.asarray([right, up, forward], dtype=np.float32)


def frame(surface: Points, azimuth: float, elevation: float, fill: float, offset: tuple[float, float]) -> Camera:
    """The camera that shows points (3, n) over `fill` of the frame's longer side.

    offset moves the product off the centre, as a share of the free margin (-1 to 1).
    """
    axes = look_axes(azimuth, elevation)
    middle = 0.5 * (surface.min(axis=1) + surface.max(axis=1))
    local = axes @ (surface - middle[:, None])
    scale = 1.0 / math.tan(math.radians(FIELD_OF_VIEW / 2))
    distance = 4.0 * float(np.abs(local).max()) * scale / 2.0
    for _ in range(6):  # the spread shrinks a little slower than 1/distance: a few rounds settle it
        screen = scale * local[:2] / (local[2] + distance)
        low, high = screen.min(axis=1), screen.max(axis=1)
        distance *= float((high - low).max()) / (2.0 * fill)
    screen = scale * local[:2] / (local[2] + distance)
    low, high = screen.min(axis=1), screen.max(axis=1)
    margin = np.maximum(1.0 - 0.5 * (high - low) - 0.06, 0.0)
    centre = 0.5 * (low + high) - np.asarray(offset) * margin
    position = (middle - distance * axes[2]).astype(np.float32)
    return Camera(position, axes, (float(centre[0]), float(centre[1])), scale)
