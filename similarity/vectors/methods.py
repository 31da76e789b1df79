"""Names of the methods of refinement; see `refinement.py`."""

from typing import Literal, get_args

Method = Literal["none", "centred", "neighbours"]
METHODS = get_args(Method)
# Power of the cosine similarity by which a neighbour counts: the paper's, and a smaller one, which moves pictures
# farther, for the best quality.
POWER, CLOSER = 3.0, 1.75
