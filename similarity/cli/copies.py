"""Copies among the hits of a `search`: the second look, and the order that it gives."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from similarity.query import copy_facts

if TYPE_CHECKING:
    from similarity.cli.search_request import Request
    from similarity.gallery import Gallery
    from similarity.query.copies import Copy
    from similarity.query.encoder import EncodedQuery
    from similarity.search import Hit

    # What was found of each hit, by the id of its picture.
    Found = Mapping[str, Copy | None]

NO_PIXELS = "words have no pixels: give a picture"


def search(gallery: "Gallery", query: "EncodedQuery", request: "Request") -> "tuple[list[Hit], Found | None]":
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


def tell(found: "Found | None") -> str:
    """Return the verdict on a query of which a second look has found copies, without a full stop."""
    return copy_facts.tell([copy for copy in (found or {}).values() if copy is not None and copy.is_proven])


def has_proven(found: "Found | None") -> bool:
    """Whether a second look has found the query's very picture."""
    return any(copy is not None and copy.is_proven for copy in (found or {}).values())
