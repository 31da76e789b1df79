"""Explanations of the hits of a `search`: heat on the sheet, numbers in JSON."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from similarity.cli import terminal

if TYPE_CHECKING:
    from PIL import Image

    from similarity.gallery import Gallery
    from similarity.query.encoder import EncodedQuery
    from similarity.query.explain import Explanation, Heat
    from similarity.search import Hit

# One for each hit; None where its picture cannot be read any more.
Reasons = Sequence["Explanation | None"]


def check(sheet: Path | None, *, as_json: bool) -> None:
    """Raise BadParameter if there is neither a sheet nor JSON to show an explanation in."""
    if not (sheet or as_json):
        raise typer.BadParameter("say where to draw it with --sheet, or --json for numbers", param_hint="--explain")


def find(gallery: "Gallery", query: "EncodedQuery", hits: Sequence["Hit"]) -> Reasons:
    """An explanation of each hit against the first picture of the query; prints a note about hits without one.

    Raises:
        SearchError: the query is words alone. ModelError: the model does not look at regions.
    """
    from similarity.errors import FetchError, ImageError, SearchError

    if query.look is None:
        raise SearchError("Words have no regions to explain a score with: show it a picture, or leave --explain away.")
    if len(query.examples.like) + len(query.examples.unlike) > 1:
        terminal.say(f"Explained is how similar results are to {query.files[0].name} alone.", as_="Note")
    reasons: list[Explanation | None] = []
    for hit in hits:
        try:
            reasons.append(gallery.explain(query.look, hit.item.id))
        except (ImageError, FetchError) as error:
            terminal.say(f"Rank {hit.rank} cannot be explained. {error}", as_="Note")
            reasons.append(None)
    if not all(reason.is_exact for reason in reasons if reason):
        terminal.say(next(reason.note for reason in reasons if reason), as_="Note")
    return reasons


def heated(query: "Image.Image", pictures: Sequence[bytes], reasons: Reasons) -> tuple["Image.Image", list[bytes], str]:
    """Pictures of a sheet with heat on them: the query's towards the first hit, those of the hits, and a heading."""
    from similarity.images.decoding import decode, thumbnail

    def laid_over(picture: bytes, reason: "Explanation | None") -> bytes:
        return thumbnail(_with(decode(picture, "The thumbnail"), reason.result)) if reason else picture

    shown = [laid_over(picture, reason) for picture, reason in zip(pictures, reasons, strict=True)]
    first = reasons[0] if reasons else None
    return (_with(query, first.query), shown, "Query, towards rank 1") if first else (query, shown, "Query")


def to_json(reason: "Explanation | None") -> dict[str, Any] | None:
    """Rows of numbers: what the regions of the result contribute, and those of the query."""
    if reason is None:
        return None
    facts: dict[str, Any] = {"is_exact": reason.is_exact, "own": round(reason.own, 5)}
    for name, heat in (("", reason.result), ("query_", reason.query)):
        rows = [[round(float(cell), 6) for cell in row] for row in heat.cells]
        facts |= {f"{name}cells": rows, f"{name}neighbours": round(heat.neighbours, 6)}
        facts[f"{name}box"] = [
            round(edge, 4) for edge in (heat.box.left, heat.box.top, heat.box.right, heat.box.bottom)
        ]
    return facts


def _with(picture: "Image.Image", heat: "Heat") -> "Image.Image":
    """A picture with heat over it."""
    from similarity.exports.heat import overlay_heat

    return overlay_heat(picture, heat.cells, heat.box)
