"""Copies of the query among the hits: the second look, and the order that it gives."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from similarity.gallery import Gallery
from similarity.query.encoder import EncodedQuery
from similarity.search import Hit
from similarity.service.answers.request import SearchRequest

if TYPE_CHECKING:
    # It loads OpenCV, which most searches do without.
    from similarity.query.copies import Copy

    # What was found of each hit, by the id of its picture.
    Found = Mapping[str, Copy | None]


def search(gallery: Gallery, query: EncodedQuery, request: SearchRequest) -> "tuple[list[Hit], Found | None]":
    """Search, and look at the first hits a second time if that is requested.

    Returns:
        The hits, of which proven copies come first, and what was found of each; None without a second look.
    """
    k, options, exclude_query = request.k, request.options, request.exclude_query
    if not request.copies:
        return gallery.search(query, k, options, exclude_query=exclude_query), None

    from similarity.query.second_look import search_with_copies

    pairs = search_with_copies(gallery, query, k, options, exclude_query=exclude_query)
    return [hit for hit, _ in pairs], {hit.item.id: copy for hit, copy in pairs}


def proven(found: "Found | None") -> "list[Copy]":
    """Return the proven copies that a second look has found."""
    return [copy for copy in (found or {}).values() if copy is not None and copy.is_proven]
