"""Refinement: from a gallery's embeddings to the vectors that are compared, with nothing learned and no labels.

    none         embeddings as the network gives them
    centred      the mean of all pictures of the gallery is taken off
    neighbours   each picture is moved towards its nearest ones as well, and so is every query
    auto         the last two, by `choose_refinement`

Both halves are known. Centring: H. Jégou and O. Chum, "Negative evidences and co-occurrences in image retrieval: the
benefit of PCA and whitening", ECCV 2012. Neighbours: F. Radenović, G. Tolias and O. Chum, "Fine-tuning CNN image
retrieval with no human annotation", TPAMI 2018 (alpha query expansion), applied to the gallery as well, as R.
Arandjelović and A. Zisserman do, "Three things everyone should know to improve object retrieval", CVPR 2012. A query
that is a picture of the gallery is moved to the very place where that picture is: it finds itself first, with score 1.

Up to MOST_NUMBERS, each picture is compared with all, and so is a query. In larger galleries an index finds the
neighbours of both, and a change updates those that it concerns, around the same centre as long as that is near the
mean: see `search/neighbours.py` and `storage/refining.py`.

`docs/quality.md` has the measurements, also of methods that were left out: GeM pooling, mirrored pictures, PCA,
whitening, re-ranking.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from similarity.errors import SearchError
from similarity.paths import CENTRE, NEIGHBOURS
from similarity.progress import OnProgress, Reporter
from similarity.vectors.arrays import Nearest, Vectors
from similarity.vectors.centred import MATRIX, CentredRows
from similarity.vectors.effort import Effort, free_memory, usual_seconds
from similarity.vectors.memmap import StoredVectors
from similarity.vectors.methods import CLOSER, METHODS, POWER, Method
from similarity.vectors.npy_files import read_array, read_rows
from similarity.vectors.refined import KEPT, NEAREST, Refined

__all__ = [
    "AUTO",
    "MIN_PICTURES",
    "MOST_NUMBERS",
    "NEAREST",
    "POWER",
    "Refinement",
    "choose_refinement",
    "is_large",
    "mean_of",
    "read_refined",
    "refine",
]

AUTO = "auto"

# Measured on photographs of clothing, centring helps from ten pictures on: recall@1 is 0.65 instead of 0.62 there, and
# 0.65 instead of 0.63 with 50. But the mean of a few says more about each of them than about all.
MIN_PICTURES = 50
# This number of values is compared with each other in 6 s, and with a query in 10 ms: 13,000 pictures of 1280. Among
# more, neighbours are found with an index; see `search/neighbours.py`.
MOST_NUMBERS = 1 << 24
# The share of the time that embedding takes up to which neighbours are found by default.
SHARE = 0.2

# Vectors that are centred -> for each row the nearest KEPT, of which it is one itself.
FindNeighbours = Callable[[StoredVectors], Nearest]


@dataclass(frozen=True, slots=True)
class Refinement:
    """How embeddings are refined.

    Attributes:
        method: none, centred or neighbours.
        reason: why it was chosen, in a sentence.
    """

    method: Method
    reason: str


def is_large(count: int, dim: int) -> bool:
    """Whether there are too many pictures to compare each with all, so that an index finds their neighbours."""
    return count * dim > MOST_NUMBERS


def choose_refinement(
    asked: str,
    count: int,
    dim: int,
    *,
    is_exact: bool,
    has_words: bool = False,
    knows_labels: bool = False,
    embedding_s: float | None = None,
) -> Refinement:
    """The refinement of a gallery.

    Args:
        asked: as above.
        count: pictures, dim: numbers of an embedding.
        is_exact: whether its index is.
        has_words: whether its embeddings are compared with words, too.
        knows_labels: whether the embeddings are those of a head that learned from labels; see `heads.py`.
        embedding_s: seconds that embedding all pictures took, as far as is known; by default what it usually takes.

    Raises:
        SearchError: it is none, or makes no sense for this gallery.
    """
    if asked == AUTO:
        if knows_labels:
            return Refinement("none", "What belongs together was learned: neighbours would cost more than they bring.")
        if has_words:
            return Refinement("none", "Words are compared with embeddings as they are.")
        if is_large(count, dim) and count >= MIN_PICTURES:
            return _choose_for_large(Effort.of(count, dim), embedding_s or usual_seconds(count))
        return _choose(count, is_exact=is_exact)
    if asked not in METHODS:
        raise SearchError(f"{asked!r} is no refinement: choose from {AUTO}, {', '.join(METHODS)}.")
    if asked != "none" and count < 2:
        raise SearchError("One picture has nothing in common with others: leave the refinement to auto.")
    reason = "Embeddings are compared as the network gives them." if asked == "none" else "It was requested."
    if asked == "neighbours" and is_large(count, dim):
        reason = f"It was requested. Finding the neighbours takes {Effort.of(count, dim)}."
    return Refinement(next(one for one in METHODS if one == asked), reason)


def _choose(count: int, *, is_exact: bool) -> Refinement:
    if count < MIN_PICTURES:
        return Refinement("none", f"Refinement needs {MIN_PICTURES} or more pictures.")
    if not is_exact:
        return Refinement("centred", "Few pictures in an approximate index are not moved unless that is requested.")
    return Refinement("neighbours", "Measured best, and there are few enough to compare each with all.")


def _choose_for_large(effort: Effort, embedding_s: float) -> Refinement:
    if effort.memory > free_memory():
        return Refinement("centred", f"There is too little memory: finding the neighbours takes {effort}.")
    if effort.seconds > SHARE * embedding_s:
        why = f"takes {effort}, more than a fifth of the time that embedding takes"
        return Refinement("centred", f"Finding the neighbours {why}.")
    return Refinement("neighbours", f"Measured best. Finding the neighbours takes {effort}.")


def refine(
    folder: Path,
    embeddings: StoredVectors,
    method: Method,
    *,
    centre: Vectors | None = None,
    power: float = POWER,
    find: FindNeighbours | None = None,
    progress: OnProgress | None = None,
) -> StoredVectors:
    """Refine the embeddings of a file, and write the centre and the neighbours that are needed for it into a folder.

    Args:
        centre: the vector to take off; the mean unless given.
        power: see `power_of`.
        find: finds the neighbours; by default each picture is compared with all.
    """
    if method == "none":
        return embeddings
    if centre is None:
        centre = mean_of(embeddings)
    np.save(folder / CENTRE, centre, allow_pickle=False)
    if method == "neighbours":
        centred = embeddings.compared_by(Refined(embeddings.rows, centre))
        nearest = find(centred) if find else _all_nearest(CentredRows(embeddings.rows, centre), progress)
        np.save(folder / NEIGHBOURS, nearest, allow_pickle=False)
    return read_refined(folder, embeddings, method, power)


def read_refined(folder: Path, embeddings: StoredVectors, method: str, power: float = POWER) -> StoredVectors:
    """Read the result of `refine`; raises OSError or ValueError if it is not in the folder."""
    if method == "none":
        return embeddings
    if method not in METHODS:
        raise ValueError(f"an unknown refinement: {method}")
    centre = read_array(folder / CENTRE, (embeddings.dim,), np.float32)
    nearest = None
    if method == "neighbours":
        nearest = read_rows(folder / NEIGHBOURS, len(embeddings), np.int32, KEPT)
    return embeddings.compared_by(Refined(embeddings.rows, centre, nearest, power))


def mean_of(embeddings: StoredVectors) -> Vectors:
    """The mean of all embeddings, float32 (dim,), computed in one pass over the file."""
    total = np.zeros(embeddings.dim)
    for _, block in embeddings.blocks():
        total += block.sum(axis=0, dtype=np.float64)
    return (total / len(embeddings)).astype(np.float32)


def power_of(quality: str) -> float:
    """The power of the similarity by which a neighbour counts in a gallery of this quality, standard or best."""
    return CLOSER if quality == "best" else POWER


def _all_nearest(rows: CentredRows, progress: OnProgress | None) -> Nearest:
    """For each picture the nearest ones, of which it is one itself."""
    count = len(rows)
    report = Reporter(count, progress, task="Comparing")
    found = []
    size = max(1, MATRIX // count)
    for start in range(0, count, size):
        part = rows.gather(np.arange(start, min(start + size, count)))
        found.append(rows.find_nearest(part, min(KEPT, count))[0])
        report.advance(len(part))
    return np.concatenate(found)
