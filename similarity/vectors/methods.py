"""Names of the methods of refinement; see `refinement.py`."""

from typing import Literal, get_args

Method = Literal["none", "centred", "neighbours"]
METHODS = get_args(Method)
