"""One query in several galleries: the results of each, and those in common."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from similarity.app.search import query_parts
from similarity.app.serving import query_vectors, resources
from similarity.app.shell.parameters import ITEM, TEXT, Link, Part
from similarity.errors import SearchError, SimilarityError
from similarity.gallery import Gallery
from similarity.search import Hit
from similarity.sources.originals import read_original
from similarity.vectors.arrays import Vectors

RESULTS = 10


@dataclass(frozen=True, slots=True)
class Side:
    """A gallery with its results, best first, or the error of its search."""

    gallery: Gallery
    hits: Sequence[Hit] = ()
    error: SimilarityError | None = None

    def rank_of(self, content: str) -> int | None:
        """Return the rank of the picture with a SHA-256; None if it is not among the results."""
        return next((hit.rank for hit in self.hits if hit.item.sha256 == content), None)


def search_all(galleries: Sequence[Gallery], link: Link) -> list[Side]:
    """Run one query in all galleries, without filters; items of the query belong to the first gallery."""
    sides = []
    for gallery in galleries:
        try:
            hits = search(gallery, vector_in(galleries[0], gallery, link), galleries[0], link, RESULTS)
            sides.append(Side(gallery, hits))
        except SimilarityError as error:
            sides.append(Side(gallery, error=error))
    return sides


def common_pictures(sides: Sequence[Side]) -> set[str]:
    """Return the SHA-256 of the pictures that are among the results of all galleries."""
    contents = [{hit.item.sha256 for hit in side.hits} for side in sides]
    return set.intersection(*contents)


def vector_in(first: Gallery, gallery: Gallery, link: Link) -> Vectors:
    """Return the vector of a query, whose items are of the first gallery, as a gallery is searched with it."""
    parts = [*link.like, *link.unlike]
    vectors = np.array([_vector(first, gallery, part) for part in parts], np.float32)
    return gallery.combine(vectors, [part.kind == TEXT for part in parts], len(link.like))


def search(gallery: Gallery, vector: Vectors, first: Gallery, link: Link, k: int) -> list[Hit]:
    """Search a gallery with the vector of a query, without filters; its own pictures come first among equals."""
    contents = [first.find(part.value).sha256 for part in link.unlike if part.kind == ITEM and not part.box]
    unwanted = [content for content in contents if gallery.items.find(content) is not None]
    own = [first.find(part.value).sha256 for part in link.like if part.kind == ITEM and not part.box]
    return gallery.search_vector(vector, k, exclude_ids=unwanted, accuracy=link.accuracy, query_contents=own)


def _vector(first: Gallery, gallery: Gallery, part: Part) -> Vectors:
    """Embed a part of the query for a gallery, which knows a picture of the first gallery by its content."""
    if part.kind != ITEM or gallery is first:
        return query_parts.load(gallery, part).vector
    item = first.find(part.value)
    try:
        return query_parts.load(gallery, Part(ITEM, gallery.find(item.sha256).public_id, part.box)).vector
    except SearchError:  # the gallery does not have it, so its file is embedded
        file = read_original(item, fetch=resources.fetch_picture)
        return query_vectors.embed_query(gallery, file, part.box)
