"""The probabilities of a search in a gallery: whether its query belongs there, and how likely its first hits are right.

They were measured for searches with one picture and without filters, and hold for no others.
"""

from collections.abc import Collection, Iterable

import numpy as np

from similarity.evaluation.confidence.calibration import VOTERS, Calibration
from similarity.evaluation.confidence.estimate import Chances, Withheld, find_chances
from similarity.gallery import Gallery
from similarity.query.belonging import Belonging
from similarity.query.gallery_belonging import CANDIDATES, find_nearest
from similarity.search.accuracy import Accuracy
from similarity.vectors.arrays import Vectors


def why_withheld(gallery: Gallery, *, parts: int, same: Collection[str], is_filtered: bool) -> Withheld | None:
    """Return why the hits of a search have no probabilities, or None if they can have some.

    Args:
        parts: number of examples and counter-examples.
        same: ids of the pictures of the gallery that are the query.
        is_filtered: whether a condition decides which pictures are found.
    """
    if parts > 1:
        return Withheld.SEVERAL
    if any(gallery.find(item_id).labels for item_id in same):
        return Withheld.KNOWN
    return Withheld.FILTERED if is_filtered else None


def estimate_chances(
    gallery: Gallery,
    vector: Vectors,
    embeddings: Vectors,
    *,
    calibration: Calibration | None,
    belonging: Belonging | None,
    same: Collection[str] = (),
    withheld: Withheld | None = None,
    accuracy: Accuracy = "balanced",
) -> Chances:
    """Estimate whether a query belongs to a gallery, and how likely its first hits are right.

    Args:
        vector: of the query, refined, float32 (dim,).
        embeddings: of the pictures that results should look like, at least one, neither projected nor refined, float32
            (m, dim).
        calibration, belonging: of the gallery, where they are known.
        same: ids of the pictures of the gallery that are the query.
        withheld: why hits are to have no probabilities.
        accuracy: of the search.
    """
    if len(embeddings) > 1:
        belongs = belonging.share(find_nearest(gallery, embeddings)) if belonging else None
        return find_chances(calibration, (), same=same, belongs=belongs, withheld=withheld)
    if same and (withheld or calibration is None):  # nothing is nearer to it than itself: no other need be found
        belongs = belonging.share(_best(gallery, same, embeddings[0])) if belonging else None
        return find_chances(calibration, (), same=same, belongs=belongs, withheld=withheld)
    first = gallery.search_vector(vector, max(CANDIDATES, VOTERS + len(same)), accuracy=accuracy)
    belongs = belonging.share(_best(gallery, (hit.item.id for hit in first), embeddings[0])) if belonging else None
    return find_chances(calibration, first, same=same, belongs=belongs, withheld=withheld)


def _best(gallery: Gallery, ids: Iterable[str], embedding: Vectors) -> float:
    """Return the highest cosine similarity of some pictures of a gallery with an embedding; -1 without any."""
    rows = np.array([gallery.items.find_any(item_id) for item_id in ids], np.int64)
    return float((gallery.embeddings[rows] @ embedding).max(initial=-1.0))
