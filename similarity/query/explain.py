"""Explaining why two pictures are similar: the part of the score that each region contributes, and matching regions.

    f_i     cells of a network's last feature map, N of them; the embedding e is their mean, at unit length
    u_i     = f_i / (N |mean|)                         so that e = sum u_i
    b_i     = scale (matrix u_i + constant / N) - offset / N
    v       = sum b_i + context                        the vector that is compared; exact

Every step from e to v is linear, except for normalising, whose length is known: a head is `matrix` and `constant`,
    refinement is
`scale`, `offset` and `context` (see `Head.linearise` and `StoredVectors.split`). Constants are split evenly over
the cells; `context` comes from other pictures of the gallery and belongs to no cell. With q for the query and r for the
result the score v_q . v_r is then

    sum_i b_qi . v_r + context_q . v_r                 a map over the query, and its neighbours' part
    sum_j b_rj . v_q + context_r . v_q                 likewise over the result
    sum_ij b_qi . b_rj + the neighbours' part          over pairs of cells, which match each other

B. Zhou et al., "Learning deep features for discriminative localization", CVPR 2016, for classes; A. Stylianou et al.,
"Visualizing deep similarity networks", WACV 2019, for pairs of pictures.

Where features are not the mean of a map (transformers, GeM), cells are compared with each other instead, and scaled to
the same sums. The explanation then says that it is an approximation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from PIL import Image

from similarity.embedding.embedder import Embedder
from similarity.embedding.feature_maps import FeatureMap
from similarity.errors import ImageError
from similarity.images.picture import Box
from similarity.vectors.arrays import Vectors, normalise
from similarity.vectors.heads import Affine, Head
from similarity.vectors.memmap import StoredVectors

Cells = npt.NDArray[np.float32]

# Two embeddings with at least this cosine similarity are of the same picture: in half precision they differ by 0.001,
# and in int8 not at all, since the network is the same.
SAME = 0.98
EXACT = "The regions add up to the score exactly."
APPROXIMATE = (
    "This model does not average over regions, so the colours are an approximation: they show how similar single "
    "regions are, scaled to add up to the score."
)


@dataclass(frozen=True, eq=False)
class Look:
    """A picture's vector, decomposed into its regions.

    Attributes:
        embedding: the embedding of the whole picture, float32 (dim,), of unit length.
        vector: the embedding after the gallery's head and refinement, which searches compare.
        cells: contribution of each region to `vector`, float32 (rows, columns, length of vector); if it cannot be
            computed, the network's features of each region, float32 (rows, columns, channels).
        context: the part of `vector` that comes from the picture's neighbours in the gallery.
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
        cells: float32 (rows, columns); negative where a region lowers the score.
        neighbours: the part of the picture's neighbours in the gallery; with the cells it adds up to the score.
        box: the part of the picture that the cells cover; the model does not see the rest.
    """

    cells: Cells
    neighbours: float
    box: Box


@dataclass(frozen=True, eq=False)
class Explanation:
    """The score of two pictures, split over their regions.

    Attributes:
        score: their cosine similarity.
        query, result: contributions of the regions of each picture.
        pairs: contribution of each pair of a region of the query and one of the result, float32 (rows, columns, rows,
            columns).
        is_exact: whether the parts add up to the score by themselves, without being scaled to it.
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
        """The part of the score that comes from the two pictures' neighbours in the gallery."""
        return self.score - self.own

    @property
    def note(self) -> str:
        """A sentence that says whether the explanation is exact."""
        return EXACT if self.is_exact else APPROXIMATE

    @property
    def summary(self) -> str:
        """The parts of the score, in a sentence."""
        score, own = round(self.score, 2), round(self.own, 2)
        neighbours = score - own  # of the rounded ones, so that the numbers add up as they are read
        if abs(neighbours) < 0.005:
            return f"All of the score of {score:.2f} comes from the two pictures themselves."
        parts = f"Of the score of {score:.2f}, {own:.2f} comes from the two pictures themselves"
        return f"{parts} and {neighbours:.2f} from pictures near them in the gallery."

    @property
    def words(self) -> str:
        """Older name of `summary`."""
        return self.summary


def look(image: Image.Image, embedder: Embedder, vectors: StoredVectors, head: Head | None = None) -> Look:
    """Decompose the vector of a picture, as a gallery compares it.

    Args:
        image: RGB, decoded as the gallery's pictures were.
        vectors, head: those of the gallery.

    Raises:
        ModelError: the network has no feature map.
    """
    return decompose(embedder.feature_map(image), embedder.seen_box(image.size), vectors, head)


def decompose(seen: FeatureMap, box: Box, vectors: StoredVectors, head: Head | None = None) -> Look:
    """Decompose the vector of a picture by its feature map, which covers the part `box` of the picture."""
    embedding = normalise(seen.features[np.newaxis])[0]
    affine = head.linearise(embedding) if head else None
    projected = embedding if affine is None else affine.matrix @ embedding + affine.constant
    split = vectors.split(projected)
    vector = split.scale * projected - split.offset + split.context
    cells = seen.cells
    if seen.is_exact:
        count = seen.cells.shape[0] * seen.cells.shape[1]
        cells = split.scale * _project(_split_embedding(seen), affine) - split.offset / count
    return Look(embedding, vector, np.asarray(cells, np.float32), split.context, box, seen.is_exact)


def explain(query: Look, result: Look, stored: Vectors | None = None) -> Explanation:
    """Split the score of two pictures over their regions.

    Args:
        stored: the vector of the result in the gallery, float32 (length of vector,), if it has one. It may be rounded;
            the explained score is then the one that a search gives.
    """
    result_vector = result.vector if stored is None else stored
    score = float(query.vector @ result_vector)
    contexts = (float(query.context @ result_vector), float(result.context @ query.vector))
    if query.is_exact and result.is_exact:
        maps = [query.cells @ result_vector, result.cells @ query.vector]
        pairs = np.tensordot(query.cells, result.cells, axes=(2, 2))
    else:
        similarities = _relative_similarities(query.cells, result.cells)
        pairs = similarities * np.float32(query.own @ result.own)
        shares = (similarities.sum(axis=(2, 3)), similarities.sum(axis=(0, 1)))
        maps = [share * np.float32(score - context) for share, context in zip(shares, contexts, strict=True)]
    boxes = (query.box, result.box)
    heats = [Heat(cells, context, box) for cells, context, box in zip(maps, contexts, boxes, strict=True)]
    return Explanation(score, heats[0], heats[1], np.asarray(pairs, np.float32), query.is_exact and result.is_exact)


def check_same(seen: Look, embedding: Vectors, name: str) -> None:
    """Raise ImageError if a picture has changed since a gallery stored its embedding, float32 (dim,)."""
    if float(seen.embedding @ embedding) < SAME:
        raise ImageError(name, "has changed since it was indexed: sync the gallery, then try again.")


def _split_embedding(seen: FeatureMap) -> Cells:
    """Split an embedding over the cells whose mean it is: float32 (rows, columns, dim)."""
    length = np.linalg.norm(seen.cells.mean(axis=(0, 1), dtype=np.float64))
    rows, columns, _ = seen.cells.shape
    return seen.cells / np.float32(max(float(length), 1e-12) * rows * columns)


def _project(shares: Cells, affine: Affine | None) -> Cells:
    """Apply a gallery's head to the shares of an embedding."""
    if affine is None:
        return shares
    count = shares.shape[0] * shares.shape[1]
    projected: Cells = shares @ affine.matrix.T + affine.constant / np.float32(count)
    return projected


def _relative_similarities(query: Cells, result: Cells) -> Cells:
    """Return similarities between cells that add up to 1: float32 (rows, columns, rows, columns), none negative.

    The mean of all cells of the two pictures is subtracted first, since any two tokens of a transformer have a high
    cosine similarity.
    """
    flat = [cells.reshape(-1, cells.shape[-1]) for cells in (query, result)]
    mean = np.concatenate(flat).mean(axis=0)
    first, second = (normalise(cells - mean) for cells in flat)
    similarities = np.maximum(first @ second.T, 0)
    shape: Sequence[int] = (*query.shape[:2], *result.shape[:2])
    total = float(similarities.sum())
    shares = similarities / total if total > 0 else np.full_like(similarities, 1 / similarities.size)
    return np.asarray(shares, np.float32).reshape(shape)
