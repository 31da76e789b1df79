"""Why two pictures are similar: which regions of each make up their score, and which region matches which.

    f_i     cells of a network's last feature map, N of them; the embedding e is their mean, at unit length
    u_i     = f_i / (N |mean|)                         so that e = sum u_i
    b_i     = scale (matrix u_i + constant / N) - offset / N
    v       = sum b_i + context                        what is compared; exact

Every step from e to v is linear but for its length, which is known: a head is `matrix` and `constant`, refinement is
`scale`, `offset` and `context` (see `Head.linearise` and `StoredVectors.split`). What is constant is split evenly over
the cells; `context` comes from other pictures of the gallery and belongs to no cell. With q for the query and r for the
result the score v_q . v_r is then

    sum_i b_qi . v_r + context_q . v_r                 a map over the query, and its neighbours' part
    sum_j b_rj . v_q + context_r . v_q                 likewise over the result
    sum_ij b_qi . b_rj + what neighbours add           which cell matches which

B. Zhou et al., "Learning deep features for discriminative localization", CVPR 2016, for classes; A. Stylianou et al.,
"Visualizing deep similarity networks", WACV 2019, for pairs of pictures.

Where features are no mean of a map (transformers, GeM), cells are compared with each other instead and scaled to the
same sums: an approximation, and called one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from PIL import Image

from similarity.embedding.embedder import Embedder, seen_box
from similarity.embedding.feature_maps import FeatureMap
from similarity.errors import ImageError
from similarity.images.picture import Box
from similarity.vectors.arrays import Vectors, normalise
from similarity.vectors.heads import Affine, Head
from similarity.vectors.memmap import StoredVectors

Cells = npt.NDArray[np.float32]

# From this cosine similarity on, two embeddings are of one picture: in half precision they differ by 0.001, and in int8
# not at all, since it is the same network.
SAME = 0.98
EXACT = "The regions add up to the score exactly."
APPROXIMATE = (
    "This model does not average over regions, so the colours are an approximation: they show how alike single regions "
    "are, scaled to add up to the score."
)


@dataclass(frozen=True, eq=False)
class Look:
    """One picture, taken apart.

    Attributes:
        embedding: of the whole, float32 (dim,), of unit length,
        vector: and what it is compared as.
        cells: what each contributes to `vector`, float32 (rows, columns, length of vector); or if that is not to be
            had, what the network says of each, float32 (rows, columns, channels).
        context: the part of `vector` that comes from its neighbours in the gallery.
        box: the part of the picture that the cells cover.
        is_exact: whether the cells and `context` add up to `vector`.
    """

    embedding: Vectors
    vector: Vectors
    cells: Cells
    context: Vectors
    box: Box
    is_exact: bool

    @property
    def own(self) -> Vectors:
        """The part of `vector` that comes from the picture itself."""
        return self.vector - self.context


@dataclass(frozen=True, eq=False)
class Heat:
    """The contribution of each region of a picture to a score.

    Attributes:
        cells: float32 (rows, columns); what is below 0 speaks against.
        neighbours: what comes from its neighbours in the gallery; with the cells it adds up to the score.
        box: the part of the picture that the cells cover; the model does not see the rest.
    """

    cells: Cells
    neighbours: float
    box: Box


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why two pictures have the score that they have.

    Attributes:
        score: their cosine similarity.
        query, result: what regions of either contribute.
        pairs: how much each region of the query and each of the result have to do with each other, float32 (rows,
            columns, rows, columns).
        is_exact: whether all that adds up by calculation, and is not scaled to.
    """

    score: float
    query: Heat
    result: Heat
    pairs: Cells
    is_exact: bool

    @cached_property
    def own(self) -> float:
        """The part of the score that comes from the two pictures themselves; their neighbours add the rest."""
        return float(self.pairs.sum(dtype=np.float64))

    @property
    def neighbours(self) -> float:
        """The part of the score that is there because of the two pictures' neighbours in the gallery."""
        return self.score - self.own

    @property
    def note(self) -> str:
        """How exact it is, in a sentence."""
        return EXACT if self.is_exact else APPROXIMATE

    @property
    def words(self) -> str:
        """The parts of the score, in a sentence."""
        if abs(self.neighbours) < 0.005:
            return f"Score {self.score:.2f}, all of it from the two pictures themselves."
        own = f"Score {self.score:.2f}: {self.own:.2f} from the regions of these two pictures"
        return f"{own}, {self.neighbours:.2f} from what their neighbours in the gallery have in common."


def look(image: Image.Image, embedder: Embedder, vectors: StoredVectors, head: Head | None = None) -> Look:
    """Take a picture apart, as it is compared with those of a gallery.

    Args:
        image: RGB, decoded as the gallery's pictures were.
        vectors, head: the gallery's.

    Raises:
        ModelError: nothing in the network is a map of the picture.
    """
    box = seen_box(image.size, embedder.backbone.preprocessing)
    return take_apart(embedder.feature_map(image), box, vectors, head)


def take_apart(seen: FeatureMap, box: Box, vectors: StoredVectors, head: Head | None = None) -> Look:
    """Take a picture apart by its feature map; `box` is the part of the picture that the map covers."""
    embedding = normalise(seen.features[np.newaxis])[0]
    affine = head.linearise(embedding) if head else None
    projected = embedding if affine is None else affine.matrix @ embedding + affine.constant
    split = vectors.split(projected)
    vector = split.scale * projected - split.offset + split.context
    cells = seen.cells
    if seen.is_exact:
        count = seen.cells.shape[0] * seen.cells.shape[1]
        cells = split.scale * _projected(_shares(seen), affine) - split.offset / count
    return Look(embedding, vector, np.asarray(cells, np.float32), split.context, box, seen.is_exact)


def explain(query: Look, result: Look, stored: Vectors | None = None) -> Explanation:
    """Compare two pictures that were taken apart.

    Args:
        stored: what the gallery compares the result as, float32 (length of vector,), where that is known: the score
            that is explained is the one that a search gives, though it be rounded.
    """
    compared = result.vector if stored is None else stored
    score = float(query.vector @ compared)
    sides = (float(query.context @ compared), float(result.context @ query.vector))
    if query.is_exact and result.is_exact:
        maps = [query.cells @ compared, result.cells @ query.vector]
        pairs = np.tensordot(query.cells, result.cells, axes=(2, 2))
    else:
        alike = _alike(query.cells, result.cells)
        pairs = alike * np.float32(query.own @ result.own)
        shares = (alike.sum(axis=(2, 3)), alike.sum(axis=(0, 1)))
        maps = [share * np.float32(score - side) for share, side in zip(shares, sides, strict=True)]
    heats = [Heat(cells, side, one.box) for cells, side, one in zip(maps, sides, (query, result), strict=True)]
    return Explanation(score, heats[0], heats[1], np.asarray(pairs, np.float32), query.is_exact and result.is_exact)


def check_same(seen: Look, embedding: Vectors, name: str) -> None:
    """Raise ImageError if a picture is not the one any more whose embedding, float32 (dim,), a gallery has."""
    if float(seen.embedding @ embedding) < SAME:
        raise ImageError(name, "is another picture now than when it was indexed: sync the gallery, then look again.")


def _shares(seen: FeatureMap) -> Cells:
    """The embedding, split over the cells that it is the mean of: float32 (rows, columns, dim)."""
    length = np.linalg.norm(seen.cells.mean(axis=(0, 1), dtype=np.float64))
    rows, columns, _ = seen.cells.shape
    return seen.cells / np.float32(max(float(length), 1e-12) * rows * columns)


def _projected(shares: Cells, affine: Affine | None) -> Cells:
    """The same after a gallery's head."""
    if affine is None:
        return shares
    count = shares.shape[0] * shares.shape[1]
    projected: Cells = shares @ affine.matrix.T + affine.constant / np.float32(count)
    return projected


def _alike(query: Cells, result: Cells) -> Cells:
    """How alike cells are, of all that are: float32 (rows, columns, rows, columns), not below 0, with a sum of 1.

    What all cells of the two pictures have in common is taken off first: between any two tokens of a transformer the
    cosine similarity is high.
    """
    flat = [cells.reshape(-1, cells.shape[-1]) for cells in (query, result)]
    common = np.concatenate(flat).mean(axis=0)
    first, second = (normalise(cells - common) for cells in flat)
    alike = np.maximum(first @ second.T, 0)
    shape: Sequence[int] = (*query.shape[:2], *result.shape[:2])
    total = float(alike.sum())
    alike = alike / total if total > 0 else np.full_like(alike, 1 / alike.size)
    return np.asarray(alike, np.float32).reshape(shape)
