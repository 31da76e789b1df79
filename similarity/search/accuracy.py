"""Types of the options `accuracy` and `where` of a search, without imports."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Literal

# Level of recall of an approximate index; see `tuning.TARGETS`.
Accuracy = Literal["fast", "balanced", "high"]
# Column -> accepted values; a picture must have one of them.
Values = Mapping[str, Collection[str]]
# The same, or a column and an operator -> what to compare with: {"taken>=": "2024-05"}; see `query.conditions`.
Where = Mapping[str, Collection[str] | str | int | float | date]
