"""Pictures of the gallery itself as parts of a query: their embeddings are stored, and no picture is read."""

from dataclasses import replace
from typing import Protocol

from similarity.query.inputs import Crop, Examples, ItemId, KnownPicture, Query, Text
from similarity.sources import Item
from similarity.sources.originals import read_original
from similarity.vectors.arrays import Vectors


class Finder(Protocol):
    """A gallery, as far as its own pictures are looked up in it; see `Searcher`."""

    def find(self, item_id: str) -> Item: ...
    def vector(self, item_id: str) -> Vectors: ...
    def embedding(self, item_id: str) -> Vectors: ...


def look_up(gallery: Finder, examples: Examples, *, with_pixels: bool = False) -> Examples:
    """Replace the ids in a query by what the gallery knows of these pictures.

    Args:
        examples: whose files have been read.
        with_pixels: the first picture is looked at, too, and so its file is read.

    Raises:
        SearchError: there is no picture with an id. ImageError, FetchError: a picture that has to be read cannot be.
    """
    like = [_look_up(gallery, one) for one in examples.like]
    unlike = [_look_up(gallery, one) for one in examples.unlike]
    first = next((place for place, one in enumerate(like) if not isinstance(one, Text)), None)
    if with_pixels and first is not None and isinstance(known := like[first], KnownPicture):
        like[first] = known.read()
    return replace(examples, like=like, unlike=unlike)


def _look_up(gallery: Finder, query: Query) -> Query:
    if isinstance(query, ItemId):
        item = gallery.find(query.id)
        return KnownPicture(item, gallery.vector(query.id), gallery.embedding(query.id))
    if isinstance(query, Crop) and isinstance(query.picture, ItemId):
        return Crop(read_original(gallery.find(query.picture.id)), query.box)
    return query
