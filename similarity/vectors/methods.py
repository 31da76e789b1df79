"""Names of the ways to refine embeddings; `refinement.py` says what each does."""

from typing import Literal, get_args

Method = Literal["none", "centred", "neighbours"]
METHODS = get_args(Method)
