"""The proof that nothing is lost in int8: the same pictures of a gallery find each other, embedded in either way.

Where there are labels, average precision at R of each picture is compared. Where there are none, the ten first results
of each are, and the measure is what changes when all pictures are mirrored, which makes no gallery better or worse.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from similarity.paths import EMBEDDINGS
from similarity.vectors.arrays import Vectors
from similarity.vectors.memmap import StoredVectors, write_vectors
from similarity.vectors.methods import Method
from similarity.vectors.refinement import MIN_PICTURES, refine

# The most that the mean over pictures may be lower by, even if chance may have done it.
MOST_LOST = 0.005
# Standard errors from the mean to the end of a 95 % interval.
ENDS = 1.96
TOP = 10
# Pictures with a label that others have, too, from which on the labels decide.
MIN_LABELLED = 100

Values = npt.NDArray[np.float64]
Order = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Proof:
    """The result of a comparison.

    Attributes:
        holds: whether nothing is lost beyond chance.
        finding: the figures, as the end of a sentence.
    """

    holds: bool
    finding: str


def prove(plain: Vectors, mirrored: Vectors, int8: Vectors, labels: Sequence[str | None], name: str) -> Proof:
    """Compare embeddings of the same pictures, refined as in a gallery.

    Args:
        plain, mirrored, int8: of the pictures, of the pictures mirrored, and in int8, float32 (n, dim), rows of unit
            length.
        labels: those of the pictures, where they have one.
        name: that of the other precision, for the finding.
    """
    before, after = rank(plain), rank(int8)
    names = np.array([label or "" for label in labels])
    relevant = (names[:, np.newaxis] == names).sum(axis=1) - 1
    if (known := (names != "") & (relevant > 0)).sum() >= MIN_LABELLED:
        first, second = (precisions_at_r(order, names)[known] for order in (before, after))
        finding = f"mAP@R on {known.sum()} of its pictures is {second.mean():.3f} and in {name} {first.mean():.3f}"
        return Proof(nothing_lost(second - first), finding)
    same, usual = overlaps(before, after), overlaps(before, rank(mirrored))
    finding = (
        f"{same.mean():.0%} of the ten first results of {len(labels)} of its pictures are those of {name}, and "
        f"{usual.mean():.0%} if the pictures are mirrored"
    )
    return Proof(nothing_lost(same - usual), finding)


def nothing_lost(differences: Values) -> bool:
    """Whether a mean of paired differences is not below 0, by a 95 % interval, nor by more than MOST_LOST.

    Args:
        differences: gains of the same queries, (q,).
    """
    mean, error = differences.mean(), differences.std(ddof=1) / np.sqrt(len(differences))
    return bool(mean >= -MOST_LOST and mean + ENDS * error >= 0)


def rank(vectors: Vectors) -> Order:
    """Return for each picture the others, nearest first, as a new gallery would: int64 (n, n - 1)."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / EMBEDDINGS
        write_vectors(path, vectors.shape, [vectors])
        method: Method = "neighbours" if len(vectors) >= MIN_PICTURES else "none"
        refined = refine(Path(folder), StoredVectors(path), method)[:]
    scores = refined @ refined.T
    np.fill_diagonal(scores, np.inf)  # each is its own first, and left out
    return np.argsort(-scores, axis=1, kind="stable")[:, 1:]


def overlaps(first: Order, second: Order) -> Values:
    """Return for each picture the share of its first TOP results that two rankings have in common, (n,)."""
    shared = (first[:, :TOP, np.newaxis] == second[:, np.newaxis, :TOP]).any(axis=2)
    return np.asarray(shared.mean(axis=1), np.float64)


def precisions_at_r(order: Order, labels: npt.NDArray[np.str_]) -> Values:
    """Return average precision at R for each picture, (n,), 0 for one whose label no other has.

    K. Musgrave, S. Belongie, S.-N. Lim, "A metric learning reality check", ECCV 2020, section 3.2.
    """
    right = labels[order] == labels[:, np.newaxis]
    relevant, places = right.sum(axis=1), np.arange(1, order.shape[1] + 1)
    counted = right & (places <= relevant[:, np.newaxis])
    return np.asarray((np.cumsum(counted, axis=1) / places * counted).sum(axis=1) / np.maximum(relevant, 1), np.float64)
