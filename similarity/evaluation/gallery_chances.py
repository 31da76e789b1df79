"""The probabilities of a search in a gallery: whether its query belongs there, and how likely its first hits are right.

They were measured for searches with one picture and without filters, and hold for no others.
"""

from collections.abc import Collection

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
    first = gallery.search_vector(vector, max(CANDIDATES, VOTERS + len(same)), accuracy=accuracy)
    belongs = None
    if belonging is not None:
        rows = np.array([gallery.items.find_any(hit.item.id) for hit in first], np.int64)
        belongs = belonging.share(float((gallery.embeddings[rows] @ embeddings[0]).max(initial=-1.0)))
    return find_chances(calibration, first, same=same, belongs=belongs, withheld=withheld)
