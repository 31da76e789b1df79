"""Types of the options `accuracy` and `where` of a search, without imports."""

from collections.abc import Collection, Mapping
from typing import Literal

# Level of recall of an approximate index; see `tuning.TARGETS`.
Accuracy = Literal["fast", "balanced", "high"]
# Column -> accepted values; a picture must have one of them.
Where = Mapping[str, Collection[str]]
