"""Copies among the hits of a `search`: the second look, and the order that it gives."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from similarity.cli.search import Request
    from similarity.gallery import Gallery
    from similarity.query.copies import Copy
    from similarity.query.encoder import EncodedQuery
    from similarity.search import Hit

    # What was found of each hit, by the id of its picture.
    Found = Mapping[str, Copy | None]


def search(gallery: "Gallery", query: "EncodedQuery", request: "Request") -> "tuple[list[Hit], Found | None]":
    """Search, and look at the first hits a second time if that is requested.

    Returns:
        The hits, of which proven copies come first, and what was found of each; None without a second look.
    """
    k, options, exclude_query = request.k, request.options, request.exclude_query
    if not request.copies:
        return gallery.search(query, k, options, exclude_query=exclude_query), None

    from similarity.query.copies import CANDIDATES, put_copies_first

    offset, options = options.offset, replace(options, offset=0)
    hits = gallery.search(query, max(CANDIDATES, offset + k), options, exclude_query=exclude_query)
    looked_at = gallery.find_copies(query, hits[:CANDIDATES])
    pairs = put_copies_first(hits, [*looked_at, *[None] * (len(hits) - len(looked_at))])[offset : offset + k]
    return [hit for hit, _ in pairs], {hit.item.id: copy for hit, copy in pairs}
