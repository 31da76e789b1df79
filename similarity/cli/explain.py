"""Explanations of the hits of a `search`: heat maps on the sheet, numbers in JSON."""

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

# An explanation for each hit; None if its picture can no longer be read.
Reasons = Sequence["Explanation | None"]


def check(sheet: Path | None, *, as_json: bool) -> None:
    """Raise BadParameter if there is neither a sheet nor JSON to show an explanation in."""
    if not (sheet or as_json):
        raise typer.BadParameter(
            "give a file for the pictures with --sheet, or use --json for numbers", param_hint="--explain"
        )


def find(gallery: "Gallery", query: "EncodedQuery", hits: Sequence["Hit"]) -> Reasons:
    """Explain the score of each hit with the first picture of the query; prints a note about hits that cannot be.

    Raises:
        SearchError: the query has no picture. ModelError: the network has no feature map.
    """
    from similarity.errors import FetchError, ImageError, SearchError

    if query.look is None:
        raise SearchError(
            "Words have no regions that could explain a score: search with a picture, or leave out --explain."
        )
    if len(query.examples.like) + len(query.examples.unlike) > 1:
        terminal.say(f"The explanation is about {query.files[0].name} alone, not the other examples.", as_="Note")
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


def draw_heat(
    query: "Image.Image", pictures: Sequence[bytes], reasons: Reasons
) -> tuple["Image.Image", list[bytes], str]:
    """Draw heat maps for a sheet; returns the query with that towards the first hit, the hits, and a heading."""
    from similarity.images.decoding import decode, thumbnail

    def overlay(picture: bytes, reason: "Explanation | None") -> bytes:
        return thumbnail(_with(decode(picture, "The thumbnail"), reason.result)) if reason else picture

    shown = [overlay(picture, reason) for picture, reason in zip(pictures, reasons, strict=True)]
    first = reasons[0] if reasons else None
    return (_with(query, first.query), shown, "Query, towards rank 1") if first else (query, shown, "Query")


def to_json(reason: "Explanation | None") -> dict[str, Any] | None:
    """Return the contributions of the regions of result and query as rows of numbers."""
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
    """Return a picture with a heat map over it."""
    from similarity.exports.heat import overlay_heat

    return overlay_heat(picture, heat.cells, heat.box)
