"""The map of a gallery: a point in the plane for each picture, similar pictures near each other.

    cache/maps/
      tsne2-5c1e….npy    float32 (n, 2), named by the method and the SHA-256 of its vectors

Maps are computed with t-SNE (L. van der Maaten and G. Hinton, "Visualizing Data using t-SNE", JMLR 9, 2008): neighbours
are meaningful, distances between groups and the sizes of groups are not. Measured with vectors of 1280 numbers: 675
pictures take 2 s of one core, 1,192 take 5 s and 5,000 take 26 s, the import of scikit-learn 1.3 s more. Reducing the
vectors to 50 principal components first saved no time, and kept 0.436 instead of 0.443 of each picture's ten
neighbours.
"""

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from similarity.files import write_atomically
from similarity.gallery import Gallery
from similarity.paths import CENTRE, HEAD, NEIGHBOURS, cache_folder
from similarity.search import Rows
from similarity.vectors.arrays import Vectors
from similarity.vectors.methods import POWER
from similarity.vectors.npy_files import read_array

# float32 (n, 2), both coordinates in 0..1.
Points = npt.NDArray[np.float32]

# To be changed whenever the same embeddings would get another map.
METHOD = "tsne2"
# More points take minutes, and cannot be distinguished on a screen.
MAX_POINTS = 5_000
# Fewer points have no neighbourhoods for t-SNE to preserve: their two principal components are drawn.
MIN_TSNE = 10
PERPLEXITY = 30.0
# A query is placed between this many of its nearest pictures.
PLACED_BY = 5

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class GalleryMap:
    """The points of a gallery's pictures.

    Attributes:
        rows: rows of the pictures on the map, int64 (n,).
        points: their points, float32 (n, 2), both coordinates in 0..1.
    """

    rows: Rows
    points: Points

    def __len__(self) -> int:
        """Return the number of pictures on the map."""
        return len(self.rows)


def make_map(gallery: Gallery) -> GalleryMap:
    """Return the map of a gallery, from the cache or else computed and stored there."""
    if (cached := read_map(gallery)) is not None:
        return cached
    rows = shown_rows(len(gallery))
    computed = GalleryMap(rows, lay_out(gallery.vectors[rows]))
    _write(_file(gallery), computed.points)
    return computed


def read_map(gallery: Gallery) -> GalleryMap | None:
    """Read the map of a gallery from the cache; None if it is missing or damaged."""
    rows = shown_rows(len(gallery))
    try:
        points = read_array(_file(gallery), (len(rows), 2), np.float32)
    except (OSError, ValueError) as error:
        if not isinstance(error, FileNotFoundError):
            logger.warning("The map of %s cannot be read and is made again: %s", gallery.name, error)
        return None
    # NaN fails these comparisons.
    if not ((points >= 0) & (points <= 1)).all():
        logger.warning("The map of %s is damaged and is made again", gallery.name)
        return None
    return GalleryMap(rows, points)


def shown_rows(count: int) -> Rows:
    """Return the rows of a gallery that are on its map: all, or MAX_POINTS of them, evenly spread.

    Neighbouring rows come from one folder, so every folder is represented.
    """
    return np.linspace(0, max(0, count - 1), min(count, MAX_POINTS)).round().astype(np.int64)


def expected_seconds(count: int) -> float:
    """Estimate the seconds that the map of `count` pictures takes, from the measurements above."""
    shown = min(count, MAX_POINTS)
    return 1.5 + 0.005 * shown if shown >= MIN_TSNE else 1.0


def lay_out(vectors: Vectors) -> Points:
    """Lay vectors out in the plane, those at a small angle to each other close together.

    Args:
        vectors: float32 (n, dim), rows of unit length.

    Returns:
        float32 (n, 2), both coordinates stretched to 0..1; the same for the same vectors.
    """
    if len(vectors) < 2:
        return np.full((len(vectors), 2), 0.5, np.float32)
    from sklearn.utils.extmath import randomized_svd

    components = min(2, vectors.shape[1])
    axes, lengths, _ = randomized_svd(vectors - vectors.mean(axis=0), components, random_state=0)
    plane = np.zeros((len(vectors), 2), np.float32)
    plane[:, :components] = axes * lengths
    spread = float(plane[:, 0].std())
    if len(vectors) >= MIN_TSNE and spread > 1e-6:  # otherwise all vectors are the same
        plane = _tsne(vectors, plane / spread * 1e-4)
    return _into_box(plane)


def place(gallery: Gallery, on: GalleryMap, query: Vectors) -> Points:
    """Place a query on a map, between the pictures that are most similar to it.

    t-SNE gives no function for new vectors, so this is an approximation: the mean of their points, weighted by
    1 / (1 - similarity)^2 (D. Shepard, "A two-dimensional interpolation function for irregularly-spaced data", 1968).
    A picture of the map is placed on its own point; a query that is similar to pictures of two groups may be placed
    between the groups, near pictures that are not similar to it.

    Args:
        query: float32 (dim,), of unit length.

    Returns:
        float32 (2,).
    """
    scores = gallery.vectors[on.rows] @ query
    nearest = np.argsort(-scores, kind="stable")[:PLACED_BY]
    # Two embeddings of one picture may differ in their last digits.
    weights = 1 / np.maximum(1 - scores[nearest], 1e-4) ** 2
    return np.asarray(weights @ on.points[nearest] / weights.sum(), np.float32)


def nearest(gallery: Gallery, on: GalleryMap, query: Vectors, count: int) -> npt.NDArray[np.int64]:
    """Return the places of the map's pictures that are most similar to a query, the best first, int64 (count,).

    Args:
        query: float32 (dim,), of unit length.
    """
    scores = gallery.vectors[on.rows] @ query
    return np.argsort(-scores, kind="stable")[:count]


def _tsne(vectors: Vectors, start: Points) -> Points:
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    perplexity = min(PERPLEXITY, (len(vectors) - 1) / 3)
    method = TSNE(metric="cosine", perplexity=perplexity, init=start, random_state=0)
    # Its threads spin while they wait for each other at every step. On two cores that other programs used as well,
    # one thread took 2.3 s for 675 pictures and two took 25 s. It also leaves the other core to searches.
    with threadpool_limits(1, user_api="openmp"):
        return np.asarray(method.fit_transform(vectors), np.float32)


def _into_box(plane: Points) -> Points:
    """Scale both coordinates to 0..1; a coordinate that is constant becomes 0.5."""
    low, high = plane.min(axis=0), plane.max(axis=0)
    size = high - low
    differs = size > 1e-6
    boxed = np.where(differs, (plane - low) / np.where(differs, size, 1), 0.5)
    return np.asarray(np.clip(boxed, 0, 1), np.float32)


def file_name(gallery: Gallery) -> str:
    """Return the file name of a gallery's map, which depends on the method, the embeddings and their refinement."""
    files = gallery.manifest.files
    refined_by = [files[name]["sha256"] for name in (HEAD, CENTRE, NEIGHBOURS) if name in files]
    sources = [gallery.manifest.embeddings_sha256, *refined_by]
    if gallery.manifest.neighbour_power != POWER:
        sources.append(str(gallery.manifest.neighbour_power))
    name = sources[0] if len(sources) == 1 else hashlib.sha256("".join(sources).encode()).hexdigest()
    return f"{METHOD}-{name}.npy"


def _file(gallery: Gallery) -> Path:
    return cache_folder() / "maps" / file_name(gallery)


def _write(path: Path, points: Points) -> None:
    """Write the file atomically; if that fails, the map is computed again the next time."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, lambda file: np.save(file, points, allow_pickle=False))
    except OSError as error:
        logger.warning("The map cannot be kept in %s: %s", path.parent, error)
