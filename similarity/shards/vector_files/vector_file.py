"""The contract of a file of vectors: a row for each, and what the file says of its picture."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

# Numbers of a vector at most, and vectors that are read at a time: so many numbers.
MOST_NUMBERS, NUMBERS = 1 << 20, 1 << 21
Floats = npt.NDArray[np.floating]
Texts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class VectorFile:
    """Vectors in a file or in a folder of files, which are read as they are needed, and more than once.

    Attributes:
        name: its path.
        folder: that paths of pictures are relative to.
        dim: length of a vector.
        count: number of vectors.
        blocks: yields them in blocks of floats (any, dim), as they are stored; may raise SourceError.
        rows: yields what is said of each picture, by lower-case names as in a list of pictures; likewise.
        origin: what the file says of the model that made them, as `exports.vectors` writes it; empty if nothing.
        notes: remarks on the file as a whole.
    """

    name: str
    folder: Path
    dim: int
    count: int
    blocks: Callable[[], Iterator[Floats]]
    rows: Callable[[], Iterator[Texts]]
    origin: Mapping[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()


def rows_at_once(dim: int) -> int:
    """Return how many vectors of a length to read at a time."""
    return max(1, NUMBERS // dim)
