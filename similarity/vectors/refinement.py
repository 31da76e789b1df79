"""Refinement: from a gallery's embeddings to the vectors that are compared, with nothing learned and no labels.

    none         embeddings as the network gives them
    centred      without what all pictures of the gallery have in common: their mean is taken off
    neighbours   each picture is moved towards its nearest ones as well, and so is every query
    auto         the last two, by `choose_refinement`

Both halves are known. Centring: H. Jégou and O. Chum, "Negative evidences and co-occurrences in image retrieval: the
benefit of PCA and whitening", ECCV 2012. Neighbours: F. Radenović, G. Tolias and O. Chum, "Fine-tuning CNN image
retrieval with no human annotation", TPAMI 2018 (alpha query expansion), applied to the gallery as well, as R.
Arandjelović and A. Zisserman do, "Three things everyone should know to improve object retrieval", CVPR 2012. A query
that is a picture of the gallery is moved to the very place where that picture is: it finds itself first, with score 1.

The README has what was measured, also of what was left out: GeM pooling, mirrored pictures, PCA, whitening, re-ranking.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from similarity.errors import SearchError
from similarity.paths import CENTRE, NEIGHBOURS
from similarity.progress import OnProgress, Reporter
from similarity.vectors.arrays import Vectors, normalise
from similarity.vectors.memmap import Comparison, Key, MappedRows, Split, StoredVectors
from similarity.vectors.methods import METHODS, Method
from similarity.vectors.npy_files import read_array, read_rows

AUTO = "auto"

# Measured on photographs of clothing, centring helps from ten pictures on: recall@1 is 0.65 instead of 0.62 there, and
# 0.65 instead of 0.63 with 50. But the mean of a few says more about each of them than about what they share.
MIN_PICTURES = 50
# So many numbers are compared with each other in 6 s, and with a query in 10 ms: 13,000 pictures of 1280.
MOST_NUMBERS = 1 << 24
# How many of the nearest a picture is moved towards, each with its cosine similarity to this power as its weight. Four
# to six measure alike; with 10 or 20, kinds are told apart better and single products worse. The power is the paper's.
NEAREST, POWER = 4, 3
# One more is kept of each picture, to be looked at in place of one that is taken out.
KEPT = NEAREST + 1
# However they were asked for, neighbours are not found among more numbers than this: that would take an hour.
LIMIT = 1 << 28
# Of what is shorter after centring, only rounding has a direction: it stays as it is.
SHORTEST = 1e-3
# From this cosine similarity on, a query is taken for the picture itself, embedded by other arithmetic, which would
# give it other neighbours: bfloat16 and float32 differ by 0.001.
SAME = 0.99
# How many scores there may be at a time when all pictures are compared, and how many neighbours are read at a time.
MATRIX, GATHERED = 1 << 24, 1024

Nearest = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Refinement:
    """How embeddings are refined.

    Attributes:
        method: none, centred or neighbours.
        reason: why it was chosen, in a sentence.
    """

    method: Method
    reason: str


def choose_refinement(
    asked: str, count: int, dim: int, *, is_exact: bool, has_words: bool = False, knows_labels: bool = False
) -> Refinement:
    """The refinement of a gallery.

    Args:
        asked: as above.
        count: pictures, dim: numbers of an embedding.
        is_exact: whether its index is.
        has_words: whether its embeddings are compared with words, too.
        knows_labels: whether what is refined was learned of labels; see `heads.py`.

    Raises:
        SearchError: it is none, or makes no sense for this gallery.
    """
    if asked == AUTO:
        if knows_labels:
            return Refinement("none", "What belongs together was learned: neighbours would cost more than they bring.")
        if has_words:
            return Refinement("none", "Words are compared with embeddings as they are.")
        return _choose(count, dim, is_exact=is_exact)
    if asked not in METHODS:
        raise SearchError(f"{asked!r} is no refinement: choose from {AUTO}, {', '.join(METHODS)}.")
    if asked != "none" and count < 2:
        raise SearchError("One picture has nothing in common with others: leave the refinement to auto.")
    if asked == "neighbours" and not is_exact:
        raise SearchError("Moving pictures towards their neighbours needs an exact index: flat or flat-sq8.")
    if asked == "neighbours" and count * dim > LIMIT:
        raise SearchError("There are too many pictures to compare each with all: use the refinement centred.")
    reason = "Embeddings are compared as the network gives them." if asked == "none" else "It was requested."
    return Refinement(next(one for one in METHODS if one == asked), reason)


def _choose(count: int, dim: int, *, is_exact: bool) -> Refinement:
    if count < MIN_PICTURES:
        return Refinement("none", f"What pictures have in common is not to be told from fewer than {MIN_PICTURES}.")
    if not is_exact:
        return Refinement("centred", "Neighbours take an exact index.")
    if count * dim > MOST_NUMBERS:
        return Refinement("centred", "Comparing so many pictures with each other takes long.")
    return Refinement("neighbours", "Measured best, and there are few enough to compare each with all.")


class Refined:
    """Comparing the rows of a file refined, as they are read. Safe to share between threads; see `Comparison`."""

    def __init__(self, rows: MappedRows, centre: Vectors, nearest: Nearest | None = None) -> None:
        """Refine the rows of a file.

        Args:
            centre: what is taken off, float32 (dim,).
            nearest: for each row the nearest ones, nearest first, int32 (n, up to KEPT); it is moved towards NEAREST.

        Raises:
            ValueError: these are not of one gallery.
        """
        if centre.shape != (rows.dim,) or centre.dtype != np.float32 or not np.isfinite(centre).all():
            raise ValueError("a centre of other embeddings")
        if nearest is not None and (len(nearest) != len(rows) or not _are_rows(nearest, len(rows))):
            raise ValueError("neighbours in other embeddings")
        self._rows, self.centre, self.nearest = rows, centre, nearest
        self._lengths: Vectors | None = None
        self._followers: tuple[npt.NDArray[np.int64], Nearest] | None = None

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
        centred = self._centre(embeddings)
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
        centred, length = self._centre(embedding[np.newaxis]), float(np.linalg.norm(embedding - self.centre))
        is_centred = length >= SHORTEST
        scale, offset = (1 / length, self.centre / length) if is_centred else (1.0, np.zeros_like(embedding))
        if self.nearest is None:
            return Split(scale, offset, np.zeros_like(embedding))
        nearest, is_known = self._neighbours(centred, None)
        others = self._centred(nearest[0])
        weights = np.maximum(others @ centred[0], 0) ** POWER
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
        kept = self.nearest[rows]
        # Sorting what is missing to the end keeps the others in order.
        order = np.argsort(kept == np.asarray(missing)[:, np.newaxis], axis=1, kind="stable")
        nearest = np.take_along_axis(kept, order, axis=1)[:, : min(NEAREST, len(self._rows) - 1)]
        return self._moved(self._centred(np.asarray(rows)), nearest)

    def find_nearest(
        self, centred: Vectors, count: int, but: npt.NDArray[np.integer] | None = None
    ) -> tuple[Nearest, Vectors]:
        """The rows nearest to some vectors, nearest first, int32 (m, count), and their scores, float32 (m, count).

        Args:
            but: for each of the vectors a row to leave out.
        """
        if self._lengths is None:
            lengths = [np.linalg.norm(block - self.centre, axis=1) for _, block in self._rows.blocks()]
            self._lengths = np.maximum(np.concatenate(lengths), np.float32(SHORTEST))
        found, best = np.empty((len(centred), count), np.int32), np.empty((len(centred), count), np.float32)
        size = max(1, MATRIX // len(self._rows))
        for start in range(0, len(centred), size):
            part = centred[start : start + size]
            # The same as comparing with centred rows of unit length, without making them.
            scores = (part @ self._rows.all.T - (part @ self.centre)[:, np.newaxis]) / self._lengths
            if but is not None:
                scores[np.arange(len(part)), but[start : start + size]] = -np.inf
            rows = np.sort(np.argpartition(-scores, count - 1, axis=1)[:, :count], axis=1)  # equal scores by row
            order = np.argsort(-np.take_along_axis(scores, rows, axis=1), axis=1, kind="stable")
            found[start : start + size] = np.take_along_axis(rows, order, axis=1)
            best[start : start + size] = np.take_along_axis(scores, found[start : start + size], axis=1)
        return found, best

    def _neighbours(
        self, centred: Vectors, own: npt.NDArray[np.integer] | None
    ) -> tuple[Nearest, npt.NDArray[np.bool_]]:
        """The rows that other pictures are moved towards, int32 (m, count), and which of these are in the gallery."""
        count = min(NEAREST, len(self._rows) - (own is not None))
        nearest, scores = self.find_nearest(centred, count, own)
        known = scores[:, 0] >= SAME if own is None else np.zeros(len(centred), bool)
        if self.nearest is not None:
            nearest[known] = self.nearest[nearest[known, 0], :count]
        return nearest, known

    def _refined(self, rows: npt.NDArray[np.integer]) -> Vectors:
        found = np.empty((len(rows), self._rows.dim), np.float32)
        for start in range(0, len(rows), GATHERED):
            part = rows[start : start + GATHERED]
            centred = self._centred(part)
            found[start : start + len(part)] = (
                centred if self.nearest is None else self._moved(centred, self.nearest[part, :NEAREST])
            )
        return found

    def _moved(self, centred: Vectors, nearest: Nearest) -> Vectors:
        """Vectors with their neighbours added."""
        moved = centred.copy()
        for place in nearest.T:
            others = self._centred(place)
            weights = np.maximum(np.einsum("ij,ij->i", centred, others), 0) ** POWER
            moved += weights[:, np.newaxis] * others
        return normalise(moved)

    def _centred(self, rows: npt.NDArray[np.integer]) -> Vectors:
        return self._centre(self._rows.gather(rows))

    def _centre(self, embeddings: Vectors) -> Vectors:
        centred = embeddings - self.centre
        lengths = np.linalg.norm(centred, axis=1, keepdims=True)
        return np.asarray(np.where(lengths < SHORTEST, embeddings, centred / np.maximum(lengths, SHORTEST)), np.float32)

    def _place(self, row: int) -> int:
        """A row that may count from the end."""
        if not -len(self._rows) <= row < len(self._rows):
            raise IndexError("There are not so many rows.")
        return row % len(self._rows)


def refine(
    folder: Path,
    embeddings: StoredVectors,
    method: Method,
    *,
    centre: Vectors | None = None,
    progress: OnProgress | None = None,
) -> StoredVectors:
    """Refine the embeddings of a file, and write what is to be known for that into a folder.

    Args:
        centre: what is to be taken off; the mean unless given.
    """
    if method == "none":
        return embeddings
    if centre is None:
        centre = _mean(embeddings)
    np.save(folder / CENTRE, centre, allow_pickle=False)
    if method == "neighbours":
        nearest = _all_nearest(Refined(embeddings.rows, centre), len(embeddings), progress)
        np.save(folder / NEIGHBOURS, nearest, allow_pickle=False)
    return read_refined(folder, embeddings, method)


def read_refined(folder: Path, embeddings: StoredVectors, method: str) -> StoredVectors:
    """Read the result of `refine`; raises OSError or ValueError if it is not in the folder."""
    if method == "none":
        return embeddings
    if method not in METHODS:
        raise ValueError(f"an unknown refinement: {method}")
    centre = read_array(folder / CENTRE, (embeddings.dim,), np.float32)
    nearest = None
    if method == "neighbours":
        nearest = read_rows(folder / NEIGHBOURS, len(embeddings), np.int32, KEPT)
    return embeddings.compared_by(Refined(embeddings.rows, centre, nearest))


def _mean(embeddings: StoredVectors) -> Vectors:
    total = np.zeros(embeddings.dim)
    for _, block in embeddings.blocks():
        total += block.sum(axis=0, dtype=np.float64)
    return (total / len(embeddings)).astype(np.float32)


def _all_nearest(refined: Refined, count: int, progress: OnProgress | None) -> Nearest:
    """For each picture the nearest ones, of which it is one itself."""
    report = Reporter(count, progress, task="Comparing")
    found = []
    size = max(1, MATRIX // count)
    for start in range(0, count, size):
        part = refined[start : start + size]
        found.append(refined.find_nearest(part, min(KEPT, count))[0])
        report.advance(len(part))
    return np.concatenate(found)


def _are_rows(nearest: Nearest, count: int) -> bool:
    are_enough = nearest.ndim == 2 and nearest.shape[1] >= min(NEAREST, count)
    return are_enough and nearest.dtype == np.int32 and bool(((nearest >= 0) & (nearest < count)).all())
