"""Refined vectors that were written down: those of a shard, whose pictures were moved towards pictures elsewhere."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from similarity.paths import CENTRE, REFINED
from similarity.vectors.arrays import Vectors
from similarity.vectors.mapped import Key, MappedRows
from similarity.vectors.memmap import StoredVectors
from similarity.vectors.methods import POWER
from similarity.vectors.npy_files import read_array
from similarity.vectors.refined import Refined


class Placed(Refined):
    """Compares rows as they were written. Other embeddings are moved towards the nearest rows that are here."""

    def __init__(self, rows: MappedRows, centre: Vectors, refined: MappedRows, power: float = POWER) -> None:
        """Compare `refined` rows of embeddings; raises ValueError if these are not of the same pictures."""
        super().__init__(rows, centre, None, power)
        if refined.shape != rows.shape:
            raise ValueError("refined rows of other embeddings")
        self._refined_rows = refined

    def __getitem__(self, key: Key) -> Vectors:
        """See `Comparison`."""
        return self._refined_rows[key]

    def read(self, rows: npt.NDArray[np.integer]) -> npt.NDArray[np.float32]:
        """See `Comparison`."""
        return self._refined_rows.gather(rows, self._refined_rows.dtype)

    def refine(self, embeddings: Vectors, own: npt.NDArray[np.integer] | None = None) -> Vectors:
        """See `Comparison`."""
        centred = self._rows.apply(embeddings)
        return self._moved(centred, self._neighbours(centred, own)[0]) if len(centred) else centred

    def is_same(self, other: object) -> bool:  # noqa: ARG002
        """See `Comparison`: rows were moved towards others, which may have changed."""
        return False

    def without(self, rows: npt.NDArray[np.integer], missing: npt.NDArray[np.integer]) -> Vectors:  # noqa: ARG002
        """See `Comparison`: rows stay where they were moved to."""
        return self[rows]


def read_placed(folder: Path, embeddings: StoredVectors, power: float = POWER) -> StoredVectors:
    """Read refined vectors of embeddings from a folder; raises OSError or ValueError if they are not there."""
    centre = read_array(folder / CENTRE, (embeddings.dim,), np.float32)
    return embeddings.compared_by(Placed(embeddings.rows, centre, MappedRows(folder / REFINED), power))
