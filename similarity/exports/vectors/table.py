"""The vectors of a gallery beside what is known of its pictures, read in blocks."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from similarity.exports.results import item_rows
from similarity.progress import OnProgress, Reporter
from similarity.sources import Item
from similarity.vectors.arrays import Vectors, normalise
from similarity.vectors.memmap import StoredVectors

# Pictures that are read at a time.
BLOCK = 1024
Row = dict[str, Any]


@dataclass(frozen=True)
class VectorTable:
    """Pictures and their vectors, a row for each; exact copies of a picture share its row.

    Attributes:
        items: the pictures, in the order of their vectors.
        vectors: those to write, rows of unit length.
        facts: the origin of the vectors, in JSON's own types.
        thumbnail: returns a small JPEG of a picture; None if there is none.
        progress: called as rows are written.
    """

    items: Sequence[Item]
    vectors: StoredVectors
    facts: dict[str, Any]
    thumbnail: Callable[[Item], bytes | None]
    progress: OnProgress | None = None

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.items)

    @cached_property
    def columns(self) -> list[str]:
        """The names of all columns but that of vectors; metadata have columns named `metadata.NAME`."""
        names = dict.fromkeys(["id", "path", "label", "width", "height", "sha256"])
        for start in range(0, len(self), BLOCK):
            names.update(dict.fromkeys(name for row in item_rows(self.items[start : start + BLOCK]) for name in row))
        return list(names)

    def rows(self) -> Iterator[list[Row]]:
        """Yield what is known of the pictures, in blocks."""
        for start in range(0, len(self), BLOCK):
            yield item_rows(self.items[start : start + BLOCK])

    def blocks(self) -> Iterator[Vectors]:
        """Yield the vectors in blocks of float32 (up to BLOCK, dim); those in half precision are normalised again."""
        report = Reporter(len(self), self.progress, task="Writing vectors")
        for _, block in self.vectors.blocks(BLOCK):
            yield normalise(block) if self.vectors.dtype == np.float16 else block
            report.advance(len(block))
