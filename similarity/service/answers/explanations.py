"""Explanations of hits: the contributions of regions to each score."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from similarity.errors import FetchError, ImageError, SearchError
from similarity.fetch.web import fetch
from similarity.gallery import Gallery
from similarity.query.encoder import EncodedQuery
from similarity.query.explain import Explanation
from similarity.search import Hit


@dataclass(frozen=True, slots=True)
class Reasons:
    """The explanations of hits.

    Attributes:
        explanations: one for each hit; None if its picture can no longer be read.
        notes: sentences about what they do not cover.
    """

    explanations: Sequence[Explanation | None]
    notes: Sequence[str]


def find(
    gallery: Gallery, query: EncodedQuery, hits: Sequence[Hit], *, fetch: Callable[[str], bytes] = fetch
) -> Reasons:
    """Explain the score of each hit with the first picture of the query.

    Args:
        fetch: fetches the bytes of the address of a hit.

    Raises:
        SearchError: the query has no picture. ModelError: the network has no feature map.
    """
    if query.look is None:
        raise SearchError(
            "Words and vectors have no regions to explain a score with: search with a picture, or leave out --explain."
        )
    notes: list[str] = []
    if len(query.examples.like) + len(query.examples.unlike) > 1:
        notes.append(f"The explanation is about {query.first_name} alone, not the other examples.")
    found: list[Explanation | None] = []
    for hit in hits:
        try:
            found.append(gallery.explain(query.look, hit.item.id, fetch=fetch))
        except (ImageError, FetchError) as error:
            notes.append(f"Rank {hit.rank} cannot be explained. {error}")
            found.append(None)
    notes += [reason.note for reason in found if reason and not reason.is_exact][:1]
    return Reasons(found, notes)


def to_json(reason: Explanation | None) -> dict[str, Any] | None:
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
