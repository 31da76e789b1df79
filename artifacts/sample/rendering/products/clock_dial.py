"""The painted face of a clock."""

from __future__ import annotations

import math

import numpy as np

from rendering.materials import Colours, Pattern, linear
from rendering.patterns import mix, step
from rendering.shapes import Points


def dial(face: str, ink: str, height: float, radius: float, *, dots: bool) -> Pattern:
    """A clock face around (0, height): twelve marks, longer on the quarters, or twelve dots."""
    paper, paint = linear(face)[:, None], linear(ink)[:, None]

    def pattern(points: Points) -> Colours:
        x, y = points[0] / radius, (points[1] - height) / radius
        reach, turn = np.hypot(x, y), np.arctan2(x, y) * (12 / (2 * math.pi))
        away = np.abs(turn - np.round(turn)) * reach * (2 * math.pi / 12)
        quarter = np.mod(np.round(turn), 3.0) == 0.0
        if dots:
            mark = step(np.where(quarter, 0.07, 0.045) - np.hypot(away, reach - 0.8), 0.0, 0.03)
        else:
            long = np.where(quarter, 0.62, 0.74)
            mark = (
                step(np.where(quarter, 0.045, 0.025) - away, 0.0, 0.03)
                * step(reach - long, 0.0, 0.03)
                * step(0.9 - reach, 0.0, 0.03)
            )
        return mix(paper, paint, mark)

    return pattern
