"""What counts as a duplicate: presets, from the strictest to the loosest."""

from typing import Literal, get_args

Preset = Literal["exact", "same", "look-alikes"]
EXACT: Preset = "exact"
SAME: Preset = "same"
LOOK_ALIKES: Preset = "look-alikes"
PRESETS: tuple[Preset, ...] = get_args(Preset)
