"""What the contents of a new gallery have in common, whatever they are read from."""

from collections.abc import Iterator, Sequence

import numpy as np

from similarity.search import Rows
from similarity.sources import Item
from similarity.vectors.arrays import Vectors


class NewContents:
    """Contents of which nothing is in a gallery yet; a base of those that implement `to_gallery.Contents`.

    Attributes:
        wanted: for each vector that is read whether it is used.
    """

    __slots__ = ()
    wanted: list[bool]

    @property
    def count(self) -> int:
        """Number of vectors that are used."""
        return sum(self.wanted)

    def origins(self, items: Sequence[Item]) -> Rows:
        """Return -1 for every item, since there is no earlier generation."""
        return np.full(len(items), -1, np.int64)

    def parts(self, items: Sequence[Item], dim: int) -> Iterator[Vectors]:  # noqa: ARG002
        """Yield nothing: there are no regions."""
        return iter(())
