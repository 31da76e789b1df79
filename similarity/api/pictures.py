"""The pictures of a query before they are decoded: those of the gallery that are read from their places, and how heavy
they are.
"""

from collections.abc import Callable
from dataclasses import replace

from similarity.api.callers import Caller
from similarity.fetch.web import fetch
from similarity.gallery import Gallery
from similarity.images.picture import QueryFile
from similarity.query.inputs import Crop, Examples, ItemId, Query
from similarity.service.answers.request import SearchRequest
from similarity.service.throttle import shared_limiter
from similarity.service.turns import HEAVY_PIXELS, is_heavy, shared_turns
from similarity.sources.originals import read_original


def counted_fetch(caller: Caller) -> Callable[[str], bytes]:
    """Return a `fetch` whose addresses are counted as the caller's, wherever they come from."""

    def fetch_counted(url: str) -> bytes:
        shared_limiter().count(caller.fetches_as)
        return fetch(url)

    return fetch_counted


def read_parts(gallery: Gallery, examples: Examples, caller: Caller) -> Examples:
    """Read the gallery's own pictures of which parts are searched with.

    Raises:
        SearchError: there is no such picture. ImageError, FetchError: one cannot be read. QuotaError: the caller's
            share is used up.
    """

    def read(query: Query) -> Query:
        if not (isinstance(query, Crop) and isinstance(query.picture, ItemId)):
            return query
        with shared_turns().counting(caller.visitor):
            return Crop(read_original(gallery.find(query.picture.id), fetch=counted_fetch(caller)), query.box)

    return replace(examples, like=list(map(read, examples.like)), unlike=list(map(read, examples.unlike)))


def are_heavy(gallery: Gallery, examples: Examples, request: SearchRequest | None = None) -> bool:
    """Whether a picture of a query takes much to decode; the gallery's own are decoded only if they are looked at."""
    is_looked_at = request and (request.explain or request.copies or request.turned or request.objects)

    def heavy(query: Query) -> bool:
        picture = query.picture if isinstance(query, Crop) else query
        if isinstance(picture, ItemId):
            item = gallery.find(picture.id) if is_looked_at else None
            return item is not None and item.width * item.height > HEAVY_PIXELS
        return isinstance(picture, QueryFile) and is_heavy(picture.data)

    return any(map(heavy, [*examples.like, *examples.unlike]))
