"""Copies among the hits of a `search`: the second look, its cells and its JSON."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from similarity.cli.search import Request
    from similarity.gallery import Gallery
    from similarity.images.picture import Box
    from similarity.query.copies import Copy
    from similarity.query.encoder import EncodedQuery
    from similarity.search import Hit

    # What was found of each hit, by the id of its picture.
    Found = Mapping[str, Copy | None]

NO_PIXELS = "words have no pixels: give a picture"
FOUND = "This very picture is in the gallery."
# Degrees below which a picture is upright, and the share of a picture from which it is shown whole.
UPRIGHT, WHOLE = 2.0, 0.95


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


def has_proven(found: "Found | None") -> bool:
    """Whether a second look has found the query's very picture."""
    return any(copy is not None and copy.is_proven for copy in (found or {}).values())


def to_json(copy: "Copy | None") -> dict[str, Any] | None:
    """Return what was found of a hit as JSON has it; boxes are left, top, right and bottom, as shares of a picture."""
    if copy is None:
        return None
    return {
        "probability": round(copy.probability, 4),
        "rotation": round(copy.rotation, 1),
        "mirrored": copy.mirrored,
        "query_box": _corners(copy.query_box),
        "result_box": _corners(copy.result_box),
    }


def as_cell(copy: "Copy | None") -> str:
    """Return the cell of a table: `same picture` and what was done to it; empty for another picture."""
    if copy is None or not copy.is_proven:
        return ""
    turn = round(copy.rotation)
    changes = [
        *(["mirrored"] if copy.mirrored else []),
        *([f"turned {turn}°"] if abs(copy.rotation) >= UPRIGHT else []),
        *(["cropped"] if _is_part(copy.result_box) else []),
        *(["part of the query"] if _is_part(copy.query_box) else []),
    ]
    return f"same picture: {', '.join(changes)}" if changes else "same picture"


def _is_part(box: "Box") -> bool:
    return (box.right - box.left) * (box.bottom - box.top) < WHOLE * WHOLE


def _corners(box: "Box") -> list[float]:
    return [round(share, 4) for share in (box.left, box.top, box.right, box.bottom)]
