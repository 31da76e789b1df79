"""One query in several galleries: what each finds, and on what they agree."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from similarity.app.search import query_parts
from similarity.app.serving import query_vectors, resources
from similarity.app.shell.links import ITEM, TEXT, Link, Part
from similarity.errors import SearchError, SimilarityError
from similarity.gallery import Gallery
from similarity.search import Hit
from similarity.sources.originals import read_original
from similarity.vectors.arrays import Vectors

RESULTS = 10


@dataclass(frozen=True, slots=True)
class Side:
    """A gallery with its answer, best first, or why it has none."""

    gallery: Gallery
    hits: Sequence[Hit] = ()
    error: SimilarityError | None = None

    def rank_of(self, content: str) -> int | None:
        """The rank of the picture with a SHA-256, if it is in the answer."""
        return next((hit.rank for hit in self.hits if hit.item.sha256 == content), None)


def search_all(galleries: Sequence[Gallery], link: Link) -> list[Side]:
    """Search all galleries for the same, without filters; pictures in the link are those of the first."""
    sides = []
    for gallery in galleries:
        try:
            sides.append(Side(gallery, _search(galleries[0], gallery, link)))
        except SimilarityError as error:
            sides.append(Side(gallery, error=error))
    return sides


def common_pictures(sides: Sequence[Side]) -> set[str]:
    """The SHA-256 of the pictures that all answers have."""
    found = [{hit.item.sha256 for hit in side.hits} for side in sides]
    return set.intersection(*found)


def _search(first: Gallery, gallery: Gallery, link: Link) -> list[Hit]:
    parts = [*link.like, *link.unlike]
    vectors = np.array([_vector(first, gallery, part) for part in parts], np.float32)
    vector = gallery.combine(vectors, [part.kind == TEXT for part in parts], len(link.like))
    contents = [first.find(part.value).sha256 for part in link.unlike if part.kind == ITEM and not part.box]
    unwanted = [content for content in contents if gallery.items.find(content) is not None]
    return gallery.search_vector(vector, RESULTS, but=unwanted, accuracy=link.accuracy)


def _vector(first: Gallery, gallery: Gallery, part: Part) -> Vectors:
    """What a part of the query is compared as; a picture of one gallery is known to another by its content."""
    if part.kind != ITEM or gallery is first:
        return query_parts.load(gallery, part).vector
    item = first.find(part.value)
    try:
        return query_parts.load(gallery, Part(ITEM, gallery.find(item.sha256).public_id, part.box)).vector
    except SearchError:  # it is not there, so it is shown to it
        file = read_original(item, fetch=resources.fetch_picture)
        return query_vectors.embed_query(gallery, file, part.box)
