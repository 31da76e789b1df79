"""Vectors of a gallery refined: centred, and moved towards their neighbours if these are known."""

import copy

import numpy as np
import numpy.typing as npt

from similarity.vectors.arrays import FindCandidates, Nearest, Vectors, normalise
from similarity.vectors.centred import SHORTEST, CentredRows
from similarity.vectors.mapped import Key, MappedRows
from similarity.vectors.memmap import Comparison, Split
from similarity.vectors.methods import POWER

# How many of the nearest a picture is moved towards, each with a power of its cosine similarity as its weight. Four to
# six measure alike; with 10 or 20, kinds are told apart better and single products worse.
NEAREST = 4
# One more is kept of each picture, to be looked at in place of one that is taken out.
KEPT = NEAREST + 1
# From this cosine similarity on, a query is taken for the picture itself, embedded by other arithmetic, which would
# give it other neighbours: bfloat16 and float32 differ by 0.001.
SAME = 0.99
# How many pictures near to a query an index is asked for, of which the nearest are taken; see `with_candidates`.
CANDIDATES = 64
# How many neighbours are read at a time, and how many of a few vectors at once.
GATHERED, FEW = 1024, 64


class Refined:
    """Comparing the rows of a file refined, as they are read. Safe to share between threads; see `Comparison`."""

    def __init__(self, rows: MappedRows, centre: Vectors, nearest: Nearest | None = None, power: float = POWER) -> None:
        """Refine the rows of a file.

        Args:
            centre: the mean that is taken off, float32 (dim,).
            nearest: for each row the nearest ones, nearest first, int32 (n, up to KEPT); it is moved towards NEAREST.
            power: the power of a similarity that is a neighbour's weight.

        Raises:
            ValueError: these are not of one gallery.
        """
        if nearest is not None and (len(nearest) != len(rows) or not _are_rows(nearest, len(rows))):
            raise ValueError("neighbours in other embeddings")
        self._rows, self.centre, self.nearest = CentredRows(rows, centre), centre, nearest
        self._power = np.float32(power)
        self._followers: tuple[npt.NDArray[np.int64], Nearest] | None = None
        self._find: FindCandidates | None = None

    def with_candidates(self, find: FindCandidates) -> "Refined":
        """See `Comparison`: the candidates' scores are exact, and whether they are the nearest is up to the index."""
        copied = copy.copy(self)
        copied._find = find
        return copied

    def __getitem__(self, key: Key) -> Vectors:
        """See `Comparison`."""
        if isinstance(key, int | np.integer):
            alone: Vectors = self._refined(np.array([self._place(int(key))]))[0]
            return alone
        if isinstance(key, slice):
            return self._refined(np.arange(*key.indices(len(self._rows))))
        return self._refined(np.asarray(key, np.int64))

    def read(self, rows: npt.NDArray[np.integer]) -> Vectors:
        """See `Comparison`; refined rows are float32."""
        return self[rows]

    def refine(self, embeddings: Vectors, own: npt.NDArray[np.integer] | None = None) -> Vectors:
        """See `Comparison`."""
        centred = self._rows.apply(embeddings)
        if self.nearest is None or not len(centred):
            return centred
        return self._moved(centred, self._neighbours(centred, own)[0])

    def is_same(self, other: Comparison) -> bool:
        """See `Comparison`: where each is moved towards others, all may change with any of them."""
        if not isinstance(other, Refined) or self.nearest is not None or other.nearest is not None:
            return False
        return np.array_equal(self.centre, other.centre)

    def split(self, embedding: Vectors) -> Split:
        """See `Comparison`."""
        centred, length = self._rows.apply(embedding[np.newaxis]), float(np.linalg.norm(embedding - self.centre))
        is_centred = length >= SHORTEST
        scale, offset = (1 / length, self.centre / length) if is_centred else (1.0, np.zeros_like(embedding))
        if self.nearest is None:
            return Split(scale, offset, np.zeros_like(embedding))
        nearest, is_known = self._neighbours(centred, None)
        others = self._rows.gather(nearest[0])
        weights = np.maximum(others @ centred[0], 0) ** self._power
        added = weights @ others
        # A picture of the gallery is its own first neighbour, and that part is its own.
        itself = weights[0] if is_known[0] else np.float32(0)
        moved = np.float32(np.linalg.norm(centred[0] + added))
        own = float((1 + itself) / moved)
        return Split(own * scale, own * offset, (added - itself * centred[0]) / moved)

    def followers(self, rows: npt.NDArray[np.integer]) -> tuple[Nearest, Nearest]:
        """Which other pictures were moved towards some: places in `rows`, and the rows of those, both int32 (m,)."""
        if self.nearest is None:
            return np.empty(0, np.int32), np.empty(0, np.int32)
        if self._followers is None:
            moved = self.nearest[:, :NEAREST]
            who = np.repeat(np.arange(len(self._rows), dtype=np.int32), moved.shape[1])
            is_other = moved.ravel() != who
            towards, who = moved.ravel()[is_other], who[is_other]
            order = np.argsort(towards, kind="stable")
            self._followers = (np.searchsorted(towards[order], np.arange(len(self._rows) + 1)), who[order])
        starts, who = self._followers
        places = np.repeat(np.arange(len(rows), dtype=np.int32), starts[rows + 1] - starts[rows])
        found = [who[starts[row] : starts[row + 1]] for row in rows]
        return places, np.concatenate(found) if found else np.empty(0, np.int32)

    def without(self, rows: npt.NDArray[np.integer], missing: npt.NDArray[np.integer]) -> Vectors:
        """Rows as they would be if a picture for each of them were not in the gallery, float32 (m, dim)."""
        if self.nearest is None:
            return self[rows]
        nearest = _without_own(self.nearest[rows], missing)[:, : min(NEAREST, len(self._rows) - 1)]
        return self._moved(self._rows.gather(np.asarray(rows)), nearest)

    def _neighbours(
        self, centred: Vectors, own: npt.NDArray[np.integer] | None
    ) -> tuple[Nearest, npt.NDArray[np.bool_]]:
        """The rows that other pictures are moved towards, int32 (m, count), and which of these are in the gallery."""
        count = min(NEAREST, len(self._rows) - (own is not None))
        if self._find and own is not None and self.nearest is not None:
            # A picture of the gallery has its neighbours: they need not be found again.
            return _without_own(self.nearest[own], own)[:, :count], np.zeros(len(centred), bool)
        if self._find:
            nearest, scores = self._rows.best_of(centred, self._find(centred, CANDIDATES), count)
        else:
            nearest, scores = self._rows.find_nearest(centred, count, own)
        known = scores[:, 0] >= SAME if own is None else np.zeros(len(centred), bool)
        if self.nearest is not None:
            nearest[known] = self.nearest[nearest[known, 0], :count]
        return nearest, known

    def _refined(self, rows: npt.NDArray[np.integer]) -> Vectors:
        found = np.empty((len(rows), self._rows.dim), np.float32)
        for start in range(0, len(rows), GATHERED):
            part = rows[start : start + GATHERED]
            centred = self._rows.gather(part)
            found[start : start + len(part)] = (
                centred if self.nearest is None else self._moved(centred, self.nearest[part, :NEAREST])
            )
        return found

    def _moved(self, centred: Vectors, nearest: Nearest) -> Vectors:
        """Vectors with their neighbours added."""
        moved = centred.copy()
        count, few = nearest.shape[1], nearest.size <= FEW
        # Those of a few vectors are read at once, which takes less time; those of many would take much memory.
        together = self._rows.gather(nearest.T.ravel()).reshape(count, *centred.shape) if few else None
        for place, rows in enumerate(nearest.T):
            others = self._rows.gather(rows) if together is None else together[place]
            weights = np.maximum(np.einsum("ij,ij->i", centred, others), 0) ** self._power
            moved += weights[:, np.newaxis] * others
        return normalise(moved)

    def _place(self, row: int) -> int:
        """A row that may count from the end."""
        if not -len(self._rows) <= row < len(self._rows):
            raise IndexError("There are not so many rows.")
        return row % len(self._rows)


def _without_own(kept: Nearest, own: npt.NDArray[np.integer]) -> Nearest:
    """Lists of rows with one row of each sorted to its end, which keeps the others in order."""
    order = np.argsort(kept == np.asarray(own)[:, np.newaxis], axis=1, kind="stable")
    return np.take_along_axis(kept, order, axis=1)


def _are_rows(nearest: Nearest, count: int) -> bool:
    are_enough = nearest.ndim == 2 and nearest.shape[1] >= min(NEAREST, count)
    return are_enough and nearest.dtype == np.int32 and bool(((nearest >= 0) & (nearest < count)).all())
