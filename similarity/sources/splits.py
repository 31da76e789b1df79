"""Splits of Stanford Online Products; `sop.py` reads them."""

from typing import Literal

Split = Literal["train", "test", "all"]
