"""Explanations of the hits of a `search`: heat maps on the sheet."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from PIL import Image

    from similarity.query.explain import Explanation, Heat


def check(sheet: Path | None, *, as_json: bool) -> None:
    """Raise BadParameter if there is neither a sheet nor JSON to show an explanation in."""
    if not (sheet or as_json):
        raise typer.BadParameter(
            "give a file for the pictures with --sheet, or use --json for numbers", param_hint="--explain"
        )


def draw_heat(
    query: "Image.Image", pictures: Sequence[bytes], reasons: "Sequence[Explanation | None]"
) -> tuple["Image.Image", list[bytes], str]:
    """Draw heat maps for a sheet; returns the query with that towards the first hit, the hits, and a heading."""
    from similarity.images.decoding import decode, thumbnail

    def overlay(picture: bytes, reason: "Explanation | None") -> bytes:
        return thumbnail(_with(decode(picture, "The thumbnail"), reason.result)) if reason else picture

    shown = [overlay(picture, reason) for picture, reason in zip(pictures, reasons, strict=True)]
    first = reasons[0] if reasons else None
    return (_with(query, first.query), shown, "Query, towards rank 1") if first else (query, shown, "Query")


def _with(picture: "Image.Image", heat: "Heat") -> "Image.Image":
    """Return a picture with a heat map over it."""
    from similarity.exports.heat import overlay_heat

    return overlay_heat(picture, heat.cells, heat.box)
