"""Turns of the query: tried if that is requested, or if the query looks like nothing as it is."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from similarity.evaluation.confidence.estimate import Chances
from similarity.gallery import Gallery
from similarity.query.encoder import EncodedQuery
from similarity.query.turns import find_best_turn
from similarity.search import Hit
from similarity.service.answers import confidence, copies
from similarity.service.answers.request import SearchRequest

if TYPE_CHECKING:
    from similarity.service.answers.copies import Found


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found with a query in one turn.

    Attributes:
        query: in that turn.
        hits: in order of their scores.
        copies: what a second look found of each; None without one.
        chances: the probabilities of the hits, if they are known.
        took_ms: of all searches, without the probabilities.
        turned: the degrees clockwise that the query is turned by; None if no other turn was tried.
    """

    query: EncodedQuery
    hits: Sequence[Hit]
    copies: "Found | None"
    chances: Chances | None
    took_ms: float
    turned: int | None = None

    def chance_of(self, hit: Hit) -> float | None:
        """Return the probability that a hit is right; None if unknown, and of a proven copy, which it says less of."""
        copy = (self.copies or {}).get(hit.item.id)
        return None if self.chances is None or (copy and copy.is_proven) else self.chances.of(hit)

    @property
    def is_stranger(self) -> bool:
        """Whether the query looks like nothing in the gallery, by its scores and by a second look."""
        return bool(self.chances and self.chances.is_stranger) and not copies.proven(self.copies)


def search(gallery: Gallery, query: EncodedQuery, request: SearchRequest) -> Outcome:
    """Search with a query as it is, or in the turn that looks most like the gallery.

    An answer in another turn is not given if it belongs to nothing either. If the turn was not requested, it must not
    even be doubtful whether it belongs: by chance, one of three further tries comes near more often than one.
    """
    if request.turned:
        found = _search_turned(gallery, query, request)
        if not found.is_stranger:
            return found
        upright = _search(gallery, query, request)
        return replace(upright, took_ms=found.took_ms + upright.took_ms, turned=0)
    upright = _search(gallery, query, request)
    if not (upright.is_stranger and query.has_pixels):
        return upright
    found = _search_turned(gallery, query, request)
    took_ms = upright.took_ms + found.took_ms
    is_doubtful = found.chances is None or found.chances.is_doubtful
    return replace(upright, took_ms=took_ms, turned=0) if is_doubtful else replace(found, took_ms=took_ms)


def _search_turned(gallery: Gallery, query: EncodedQuery, request: SearchRequest) -> Outcome:
    started = time.perf_counter()
    best = find_best_turn(gallery, query)
    trying_ms = 1000 * (time.perf_counter() - started)
    found = _search(gallery, best, request)
    return replace(found, took_ms=found.took_ms + trying_ms, turned=best.turned)


def _search(gallery: Gallery, query: EncodedQuery, request: SearchRequest) -> Outcome:
    started = time.perf_counter()
    hits, found = copies.search(gallery, query, request)
    took_ms = 1000 * (time.perf_counter() - started)
    chances = confidence.find(gallery, query, request.precision, request.options)
    return Outcome(query, hits, found, chances, took_ms)
