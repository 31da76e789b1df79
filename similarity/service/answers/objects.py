"""Objects in the query, and the hits of a search with each."""

from collections.abc import Sequence
from dataclasses import dataclass

from similarity.errors import SearchError
from similarity.gallery import Gallery
from similarity.images.picture import Box, QueryFile
from similarity.query.encoder import EncodedQuery
from similarity.query.inputs import KnownPicture, decode_query
from similarity.search import Hit
from similarity.service.answers.request import SearchRequest


@dataclass(frozen=True, slots=True)
class ObjectHits:
    """An object that was found in the query, and the hits of a search with it."""

    box: Box
    hits: Sequence[Hit]


def find(gallery: Gallery, query: EncodedQuery, request: SearchRequest) -> list[ObjectHits] | None:
    """Search with each object that is found in a picture, none where one fills it; None if that is not requested.

    Hits are in the order of their scores. Raises SearchError if the query's first part is no whole picture.
    """
    if not request.objects:
        return None
    from similarity.query.objects import find_objects  # it loads OpenCV

    first = query.examples.like[0]
    file = first.read() if isinstance(first, KnownPicture) else first
    if not isinstance(file, QueryFile):
        raise SearchError("Objects are looked for in a whole picture: give one first, without a box.")
    side, options = gallery.embedder.backbone.preprocessing.resize, request.options
    if request.exclude_query and gallery.items.find(file.sha256) is not None:
        options = options.without([file.sha256])
    found = []
    for box in find_objects(gallery.embedder, file):
        hits = gallery.search(decode_query(file, side=side, box=box), request.k, options)
        found.append(ObjectHits(box, hits))
    return found
