"""The studio: a lighting rig of softboxes, and the backdrop a product stands on.

Light directions are relative to the camera, as a photographer sets them; lengths of the backdrop
are in product radii, so one set suits a mug and a sofa.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rendering.materials import Colours, Material, linear
from rendering.shapes import Distances, Points


@dataclass(frozen=True)
class Rig:
    """Key light (degrees from the camera and above the floor), fill, sky, and their colours.

    width is the key's size as a slope: 0.05 gives a crisp shadow, 0.4 a very soft one.
    """

    azimuth: float = -45.0
    elevation: float = 50.0
    key: float = 1.45
    fill: float = 0.3
    sky: float = 0.4
    width: float = 0.22
    key_colour: str = "#fffaf2"
    fill_colour: str = "#eef3ff"


@dataclass(frozen=True)
class Backdrop:
    """A floor with a pattern, its wall from low to high, and where one turns into the other.

    blend: the distances behind the product, in radii, between which the floor becomes the wall;
    a short blend is the back edge of a table. polish is the floor's mirror reflection, 0 to 1.
    """

    floor: Material
    wall_low: str
    wall_high: str
    blend: tuple[float, float] = (1.0, 5.0)
    polish: float = 0.0
    texture_scale: float = 1.0


@dataclass(frozen=True)
class Softbox:
    """A rectangular light seen in reflections: axis and frame (3,), half sizes as slopes."""

    frame: Points
    half: tuple[float, float]
    strength: float
    colour: Colours


def smoothstep(value: Distances, low: float, high: float) -> Distances:
    """0 below low, 1 above high, smooth between (n,)."""
    t = np.clip((value - low) / (high - low), 0.0, 1.0)
    result: Distances = t * t * (3.0 - 2.0 * t)
    return result


def towards(azimuth: float, elevation: float) -> Points:
    """The unit direction (3,) to a light, in degrees; azimuth 0 is +z."""
    a, e = math.radians(azimuth), math.radians(elevation)
    direction = [math.sin(a) * math.cos(e), math.sin(e), math.cos(a) * math.cos(e)]
    return np.asarray(direction, dtype=np.float32)


def softbox(azimuth: float, elevation: float, half: tuple[float, float], strength: float, colour: str) -> Softbox:
    """A softbox that faces the product from a direction in degrees."""
    axis = towards(azimuth, elevation)
    right = np.cross(np.asarray([0.0, 1.0, 0.0], dtype=np.float32), axis)
    right = right / np.linalg.norm(right)
    frame = np.stack([axis, right, np.cross(axis, right)]).astype(np.float32)
    return Softbox(frame, half, strength, linear(colour)[:, None])


class Lighting:
    """A rig placed for one camera azimuth: directions, colours, and the environment it makes."""

    def __init__(self, rig: Rig, camera_azimuth: float, floor: Colours) -> None:
        self.rig = rig
        key_azimuth = camera_azimuth + rig.azimuth
        side = -1.0 if rig.azimuth > 0 else 1.0
        self.key = towards(key_azimuth, rig.elevation)
        self.fill = towards(camera_azimuth + side * 70.0, 25.0)
        self.key_colour = linear(rig.key_colour)[:, None] * np.float32(rig.key)
        self.fill_colour = linear(rig.fill_colour)[:, None] * np.float32(rig.fill)
        self.sky_colour = linear(rig.fill_colour)[:, None] * np.float32(rig.sky)
        self.floor_colour = floor
        self.boxes = (
            softbox(key_azimuth, min(rig.elevation, 34.0), (0.3, 1.0), 7.0 * rig.key, rig.key_colour),
            softbox(camera_azimuth + side * 82.0, 18.0, (0.13, 1.1), 11.0 * rig.fill, rig.fill_colour),
            softbox(camera_azimuth + 170.0, 68.0, (0.9, 0.3), 5.0 * rig.sky, rig.fill_colour),
        )

    def environment(self, directions: Points, roughness: Distances) -> Colours:
        """Radiance (3, n) that the studio sends from directions (3, n), blurred by roughness (n,)."""
        height = directions[1]
        sky = self.sky_colour * (0.5 + 0.45 * np.clip(height, 0.0, 1.0) + 0.2 * (1 - np.abs(height)) ** 4)
        spread = 0.04 + 0.55 * roughness
        ground = smoothstep(-height / spread, -1.0, 1.0)
        radiance = sky + (0.85 * self.floor_colour - sky) * ground
        for box in self.boxes:
            radiance = radiance + box.colour * self._glimpse(box, directions, roughness)
        result: Colours = radiance
        return result

    @staticmethod
    def _glimpse(box: Softbox, directions: Points, roughness: Distances) -> Distances:
        """How much of a softbox a blurred reflection sees (n,), times its strength."""
        ahead, across, along = box.frame @ directions
        ahead = np.maximum(ahead, 1e-3)
        blur = 0.03 + 1.6 * roughness**1.5
        seen = np.full(directions.shape[1], box.strength, dtype=np.float32)
        for offset, half in ((across, box.half[0]), (along, box.half[1])):
            edge = np.clip((half + blur - np.abs(offset / ahead)) / (2.0 * blur), 0.0, 1.0)
            seen *= edge * edge * (3.0 - 2.0 * edge) * (half / (half + 0.6 * blur))
        return np.where(ahead > 2e-3, seen, 0.0).astype(np.float32)

    def floor_light(self, shade: Distances, openness: Distances, spot: Distances) -> Colours:
        """Light (3, n) that reaches the floor: key in shadow (n,), sky by openness, both by the spot."""
        key = self.key_colour * (self.key[1] * shade * spot)
        result: Colours = key + (self.sky_colour + 0.5 * self.fill_colour) * (openness * (0.35 + 0.65 * spot))
        return result


class Set:
    """A backdrop built around one product and camera: colours where rays meet floor or wall."""

    def __init__(self, backdrop: Backdrop, lighting: Lighting, centre: Points, radius: float, forward: Points) -> None:
        self.backdrop, self.lighting = backdrop, lighting
        self.centre, self.radius = centre, radius
        flat = np.asarray([forward[0], 0.0, forward[2]], dtype=np.float32)
        self.behind = flat / np.linalg.norm(flat)
        self.tilt = float(forward[1])
        self.low, self.high = linear(backdrop.wall_low)[:, None], linear(backdrop.wall_high)[:, None]

    def depth(self, points: Points) -> Distances:
        """Distance (n,) of floor points behind the product, in radii."""
        return np.asarray((self.behind @ (points - self.centre[:, None])) / self.radius, dtype=np.float32)

    def floor_share(self, points: Points, on_floor: Distances) -> Distances:
        """1 on the floor, 0 on the wall (n,)."""
        near, far = self.backdrop.blend
        return on_floor * (1.0 - smoothstep(self.depth(points), near, far))

    def wall(self, directions: Points) -> Colours:
        """Radiance (3, n) of the wall: a gradient of height, brightest behind the product."""
        height = smoothstep(directions[1] - self.tilt, -0.16, 0.24)
        aside = directions - self.behind[:, None] * (self.behind @ directions)
        glow = 1.0 - 1.6 * (aside[0] ** 2 + aside[2] ** 2)
        light = 0.62 * self.lighting.key_colour + self.lighting.sky_colour * 0.9 + 0.3 * self.lighting.fill_colour
        result: Colours = (self.low + (self.high - self.low) * height) * light * (0.95 * glow)
        return result

    def floor(self, points: Points, shade: Distances, openness: Distances) -> Colours:
        """Radiance (3, n) of floor points (3, n) in shadow (n,) and openness (n,)."""
        reach = ((points - self.centre[:, None])[[0, 2]] ** 2).sum(axis=0) / (self.radius * self.radius)
        spot = 0.55 + 0.45 * np.exp(-reach / 14.0)
        texture = self.backdrop.floor.pattern(
            (points - self.centre[:, None]) * (self.backdrop.texture_scale / self.radius)
        )
        return texture * self.lighting.floor_light(shade, openness, spot)
