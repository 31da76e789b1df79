"""Precision of the network's arithmetic, as it is requested."""

from typing import Literal

Precision = Literal["auto", "f32", "bf16", "f16", "int8"]
