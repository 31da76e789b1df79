"""The answer to a search: hits in the wanted order, with everything that is known of them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from similarity.evaluation.confidence.estimate import Chances
from similarity.evaluation.confidence.verdict import Verdict, find_verdict
from similarity.fetch.web import fetch
from similarity.gallery import Gallery
from similarity.query.encoder import EncodedQuery
from similarity.query.filters import Facets
from similarity.search import Hit
from similarity.service.answers import copies, explanations, objects, turns
from similarity.service.answers.explanations import Reasons
from similarity.service.answers.objects import ObjectHits
from similarity.service.answers.request import SearchRequest
from similarity.service.answers.turns import Outcome
from similarity.sources import Item


@dataclass(frozen=True, slots=True)
class Answer:
    """The hits of a request, in the order that it wants.

    Attributes:
        request: with its conditions as the gallery understands them.
        gallery: that was searched.
        outcome: of the search, in the order of scores.
        hits: in the wanted order.
        reasons: their explanations, if requested.
        objects: the objects in the query with their hits, if requested.
    """

    request: SearchRequest
    gallery: Gallery
    outcome: Outcome
    hits: Sequence[Hit]
    reasons: Reasons | None
    objects: Sequence[ObjectHits] | None

    @property
    def chances(self) -> Chances | None:
        """The probabilities of the hits, if they are known."""
        return self.outcome.chances

    @property
    def has_copy(self) -> bool:
        """Whether a second look has found the query's very picture among the hits."""
        return bool(copies.proven(self.outcome.copies))

    @property
    def verdict(self) -> Verdict | None:
        """What is known of the hits by their scores; None if one is the query's very picture, which says more."""
        if self.has_copy:
            return None
        hits = sorted(self.hits, key=lambda hit: hit.rank)
        return find_verdict(hits, self.chances, self.request.precision)


@dataclass(frozen=True, slots=True)
class View:
    """A gallery as somebody may see it.

    Attributes:
        facets: its columns and values.
        see: returns one of its items.
        fetch: fetches the address of one of its pictures.
    """

    facets: Facets
    see: Callable[[Item], Item]
    fetch: Callable[[str], bytes] = fetch


def find_answer(gallery: Gallery, request: SearchRequest, view: View | None = None) -> Answer:
    """Search, and find out all that the request wants to know of the hits; the query is encoded once.

    Args:
        view: what whoever asks may see: conditions and order say nothing beyond it. Everything by default.

    Raises:
        SearchError: an option makes no sense, or does not suit the query. ImageError: a picture of the query cannot be
            read. ModelError, GalleryError: the gallery's model cannot be loaded, or not do what is asked.
    """
    view = view or everything(gallery)
    request = request.of(view.facets)
    with_regions = request.explain and request.has_picture
    prepare(gallery, request)
    started = time.perf_counter()
    query = gallery.encode(request.examples, with_regions=with_regions)
    encoding_ms = 1000 * (time.perf_counter() - started)
    return answer_with(gallery, query, request, view, encoding_ms)


def answer_with(
    gallery: Gallery, query: EncodedQuery, request: SearchRequest, view: View | None = None, encoding_ms: float = 0.0
) -> Answer:
    """Answer a request whose query has been encoded and whose conditions are the gallery's; else as `find_answer`.

    Args:
        encoding_ms: how long encoding took.
    """
    view = view or everything(gallery)
    outcome = turns.search(gallery, query, request)
    outcome = replace(outcome, took_ms=round(encoding_ms + outcome.took_ms, 1))
    hits = _in_order(outcome.hits, request.sort, view)
    reasons = explanations.find(gallery, outcome.query, hits, fetch=view.fetch) if request.explain else None
    found = objects.find(gallery, outcome.query, request)
    if found is not None:
        found = [replace(one, hits=_in_order(one.hits, request.sort, view)) for one in found]
    return Answer(request, gallery, outcome, hits, reasons, found)


def everything(gallery: Gallery) -> View:
    """Return a gallery as its owner sees it."""
    return View(gallery.facets, lambda item: item)


def _in_order(hits: Sequence[Hit], by: str | None, view: View) -> Sequence[Hit]:
    """Return hits in the order of a column, as it is seen."""
    return [hits[place] for place in view.facets.sort([view.see(hit.item) for hit in hits], by)] if by else hits


def prepare(gallery: Gallery, request: SearchRequest) -> None:
    """Load what a request needs, so that its time is that of a search alone; raises as `find_answer`."""
    if not request.needs_model:
        return
    embedder = gallery.embedder
    if request.explain and request.has_picture:
        embedder.load_feature_maps()
