"""Accuracy levels of a search in an approximate index."""

from typing import Literal

# How much of the exact answer an approximate index may miss; see `tuning.TARGETS`.
Accuracy = Literal["fast", "balanced", "high"]
