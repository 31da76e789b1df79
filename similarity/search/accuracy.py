"""Types of a search's options that need no numbers: how accurate it is to be, and among which pictures."""

from collections.abc import Collection, Mapping
from typing import Literal

# How much of the exact answer an approximate index may miss; see `tuning.TARGETS`.
Accuracy = Literal["fast", "balanced", "high"]
# Column -> the values of which a picture must have one.
Where = Mapping[str, Collection[str]]
