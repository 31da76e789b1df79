"""Objects in the query of a `search --objects`: the hits of each, as tables and as JSON."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

from similarity.cli import terminal
from similarity.query.copy_facts import corners

if TYPE_CHECKING:
    from similarity.cli.search_request import Request
    from similarity.gallery import Gallery
    from similarity.images.picture import Box
    from similarity.query.encoder import EncodedQuery
    from similarity.search import Hit

NONE_FOUND = "No single objects stand out in this picture: these are the results for all of it."


@dataclass(frozen=True, slots=True)
class ObjectHits:
    """An object that was found in the query, and the hits of a search with it."""

    box: "Box"
    hits: "Sequence[Hit]"


def check(request: "Request", *, has_sheet: bool) -> None:
    """Raise BadParameter if `--objects` cannot be combined with the rest of a request."""
    if not request.objects:
        return
    query = request.query
    if len(query.like) != 1 or query.unlike or query.texts or query.not_texts:
        raise typer.BadParameter("give one picture, and nothing else", param_hint="--objects")
    others = {
        "--sheet": has_sheet,
        "--explain": request.explain,
        "--copies": request.copies,
        "--turned": request.turned,
    }
    if other := next((name for name, is_given in others.items() if is_given), None):
        raise typer.BadParameter(f"cannot be combined with {other}", param_hint="--objects")


def find(gallery: "Gallery", query: "EncodedQuery", request: "Request") -> list[ObjectHits] | None:
    """Search with each object that is found in a picture, none where one fills it; None if that is not requested."""
    if not request.objects:
        return None
    from similarity.query.inputs import decode_query
    from similarity.query.objects import find_objects

    file = query.files[0]
    side, options = gallery.embedder.backbone.preprocessing.resize, request.options
    if request.exclude_query and gallery.items.find(file.sha256) is not None:
        options = options.without([file.sha256])
    found = []
    for box in find_objects(gallery.embedder, file):
        hits = gallery.search(decode_query(file, side=side, box=box), request.k, options)
        found.append(ObjectHits(box, gallery.sort(hits, request.sort) if request.sort else hits))
    return found


def to_json(found: Sequence[ObjectHits] | None, hit_to_json: "Callable[[Hit], dict[str, Any]]") -> dict[str, Any]:
    """Return what JSON has of the objects, if they were requested; boxes are left, top, right, bottom, as shares."""
    if found is None:
        return {}
    return {"objects": [{"box": corners(one.box), "hits": list(map(hit_to_json, one.hits))} for one in found]}


def show(found: Sequence[ObjectHits] | None) -> bool:
    """Print a table for each object, with its box in per cent, or say that there is none.

    Returns:
        Whether there is any.
    """
    if found is None:
        return False
    if not found:
        terminal.say(NONE_FOUND)
    for number, one in enumerate(found, 1):
        if number > 1:
            terminal.print_line("")
        left, top, right, bottom = (round(100 * edge) for edge in corners(one.box))
        terminal.print_line(
            f"Object {number} of {len(found)}: from {left} % to {right} % across, from {top} % to {bottom} % down"
        )
        rows = [(str(hit.rank), f"{hit.score:.3f}", hit.item.label or "", hit.item.path) for hit in one.hits]
        if rows:
            terminal.print_table(("rank", "score", "label", "path"), rows)
        else:
            terminal.print_line("No picture meets these conditions.")
    return bool(found)
