"""Whether a query belongs to a gallery at all: how near its nearest picture is, beside how near the gallery's own are.

    cosine     of the embeddings of the query and of its nearest picture, before refinement
    belongs    the share of the gallery's own pictures that are no nearer to others of it: the p-value of
               conformal prediction, except that the query itself does not count

A gallery has often several pictures of each thing, which are nearer to each other than to a new thing of the same kind.
So a picture's look-alikes are left out: those of the same thing, where a column of the metadata says so, and those with
a cosine above 0.9.

The distance to the nearest embedding tells strangers from others: Y. Sun, Y. Ming, X. Zhu, Y. Li, "Out-of-distribution
detection with deep nearest neighbors", ICML 2022. Measured with the bundled model, 1,147 drawings of animals, food,
faces and the like are told from the queries of two galleries with an area under the ROC curve of 0.9999 (341 queries,
1,192 photographs of clothing) and 0.991 (24 queries, the 675 pictures of the sample; no drawings of its own kinds).
Centred or moved towards neighbours, embeddings tell less; the mean of several neighbours, or the density around them,
tells no more.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from similarity.progress import OnProgress, Reporter
from similarity.sources.base import LABEL
from similarity.vectors.arrays import Vectors

Rows = npt.NDArray[np.integer]
# For each row of a gallery the number of the thing that it shows.
Things = npt.NDArray[np.int64]

# Of fewer pictures, one in a hundred says nothing.
MIN_PICTURES = 30
# The pictures that are compared with all others; a share of 1 % of them is 10 pictures.
MOST_PICTURES = 1_000
LOOK_ALIKE = 0.9
# How many pictures of a thing there are on average, and at most, where a column names things.
PICTURES_OF_A_THING, MOST_OF_A_THING = (1.5, 12.0), 60
# Below the first share a query looks like nothing in the gallery, and below the second that is doubtful: its results
# have no probabilities then. From the third one on, it belongs. Measured as above, of the drawings 22 % reach the first
# share in the sample, 7 % the second and 2.6 % the third, and of the photographs of clothing 2, 0.6 and 0.3 %; of a
# gallery's own queries about as many stay below a share as it says.
NOTHING_LIKE, DOUBTFUL, WITHOUT_DOUBT = 0.01, 0.05, 0.11
# What pages, tables and sheets say of such a query.
NOTHING_LIKE_IT = "Nothing like it in this gallery"


class Pictures(Protocol):
    """Embeddings of a gallery before refinement, as `StoredVectors` has them."""

    def __len__(self) -> int:
        """Number of pictures."""

    def __getitem__(self, key: Rows) -> Vectors:
        """Some rows, float32 (m, dim)."""

    def blocks(self) -> Iterable[tuple[int, Vectors]]:
        """All rows in blocks: the number of the first row, and float32 (any, dim)."""


@dataclass(frozen=True, slots=True)
class Belonging:
    """How near the pictures of a gallery are to each other.

    Attributes:
        cosines: of some pictures with the nearest other one that is no look-alike, rising.
    """

    cosines: tuple[float, ...]

    def share(self, cosine: float) -> float:
        """The share of the gallery's own pictures that are at most so near, in 0..1."""
        return int(np.searchsorted(self.cosines, cosine, side="right")) / len(self.cosines)

    def to_json(self) -> list[float]:
        """As numbers with five digits."""
        return [round(cosine, 5) for cosine in self.cosines]

    @classmethod
    def from_json(cls, numbers: object) -> "Belonging":
        """Read the result of `to_json`; raises ValueError if it is something else."""
        try:
            cosines = np.array(numbers, np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError("not the cosines of a gallery") from error
        is_sound = cosines.ndim == 1 and MIN_PICTURES <= len(cosines) <= MOST_PICTURES
        if not (is_sound and (np.abs(cosines) <= 1.01).all() and (np.diff(cosines) >= 0).all()):
            raise ValueError("not the cosines of a gallery")
        return cls(tuple(cosines.tolist()))


def weight(share: float) -> float:
    """What is left of a chance where the query may not belong: 0.63 at 5 %, all from 11 % on, and none up to 1 %."""
    return float(np.sqrt(np.clip((share - NOTHING_LIKE) / (WITHOUT_DOUBT - NOTHING_LIKE), 0, 1)))


def measure_belonging(
    pictures: Pictures, things: Things | None = None, *, seed: int = 0, progress: OnProgress | None = None
) -> Belonging | None:
    """Compare some pictures of a gallery with all others; None if there are too few.

    Args:
        pictures: rows of unit length.
        things: which pictures show the same thing.
        seed: of the choice of pictures.
        progress: called as it goes on.
    """
    count = len(pictures)
    if count < MIN_PICTURES:
        return None
    rows = np.arange(count)
    if count > MOST_PICTURES:
        rows = np.sort(np.random.default_rng(seed).choice(count, MOST_PICTURES, replace=False))
    queries, nearest = pictures[rows], np.full(len(rows), -np.inf)
    report = Reporter(count, progress, task="Comparing its pictures")
    for start, block in pictures.blocks():
        cosines = queries @ block.T
        is_alike = cosines > LOOK_ALIKE
        is_alike |= rows[:, np.newaxis] == np.arange(start, start + len(block))
        if things is not None:
            is_alike |= things[rows, np.newaxis] == things[start : start + len(block)]
        nearest = np.maximum(nearest, np.where(is_alike, -np.inf, cosines).max(axis=1))
        report.advance(len(block))
    known = np.sort(nearest[np.isfinite(nearest)])
    return Belonging(tuple(known.tolist())) if len(known) >= MIN_PICTURES else None


def find_things(count: int, columns: Mapping[str, Mapping[str, Rows]]) -> Things | None:
    """Number the things that pictures show by the column of the metadata that names them; None if no column does.

    Such a column has several pictures for most of its values, but few for each, and all of one label.

    Args:
        count: of pictures.
        columns: by name, and the label among them, the rows of each value.
    """
    labels = np.full(count, -1, np.int64)
    for number, rows in enumerate(columns.get(LABEL, {}).values()):
        labels[rows] = number
    best: Things | None = None
    fewest = count + 1
    for name, values in columns.items():
        sizes = [len(rows) for rows in values.values()]
        is_possible = name != LABEL and len(sizes) > 1 and max(sizes) <= MOST_OF_A_THING and len(sizes) < fewest
        if is_possible and _is_within(PICTURES_OF_A_THING, float(np.mean(sizes))) and _are_of_one(labels, values):
            best, fewest = _numbers(count, values), len(sizes)
    return best


def _is_within(range_: tuple[float, float], value: float) -> bool:
    return range_[0] <= value <= range_[1]


def _are_of_one(labels: Things, values: Mapping[str, Rows]) -> bool:
    return all(len(np.unique(labels[rows])) == 1 for rows in values.values())


def _numbers(count: int, values: Mapping[str, Rows]) -> Things:
    """A number for each row, its own where it has no value."""
    numbers: Things = np.arange(count, 2 * count, dtype=np.int64)
    for number, rows in enumerate(values.values()):
        numbers[rows] = number
    return numbers
