"""The route of searches in several galleries at once."""

import time
from collections.abc import Sequence

from fastapi import APIRouter, HTTPException, Request, Response

from similarity.api import waiting
from similarity.api.answers import GalleriesSearchFacts, Json
from similarity.api.bodies import GalleriesBody
from similarity.api.callers import NOT_FOR_IT, Admitted, Caller
from similarity.api.opening import open_named
from similarity.api.pictures import are_heavy, counted_fetch
from similarity.api.reading import parse_json, say_body, say_json
from similarity.api.searches import respond, seen_facets
from similarity.galleries import Galleries, expand, is_pattern
from similarity.service.answers.to_json import fused_to_json
from similarity.service.turns import shared_turns
from similarity.storage.inventory import list_galleries

MOST_AT_ONCE = 32  # galleries that patterns may fit
router = APIRouter(tags=["search"])


@router.post("/search", response_model=GalleriesSearchFacts, openapi_extra=say_body(**say_json(GalleriesBody)))
async def search_galleries(request: Request, caller: Admitted) -> Response:
    """Search several galleries at once; one that does not answer is left out, and named."""
    data = await request.body()
    return await waiting.run(respond, _search, data, caller)


def _search(data: bytes, caller: Caller) -> Json:
    body = parse_json(GalleriesBody, data)
    galleries = Galleries.open_with(open_named, _choose(body.galleries, caller))
    fetch = counted_fetch(caller)
    with shared_turns().counting(caller.visitor):
        examples = body.read_examples(fetch)
        question = galleries.read(examples, fetch)
    is_heavy = any(are_heavy(gallery, examples) for gallery in galleries.galleries.values())
    with shared_turns().take(caller.visitor, heavy=is_heavy):
        began = time.perf_counter()
        hits = galleries.search(
            question,
            body.k,
            body.search_options,
            conditions=body.where,
            exclude_query=body.exclude_query,
            facets=lambda gallery: seen_facets(gallery, caller),
        )
    hits.left_out = {name: caller.redact_sentence(reason) for name, reason in hits.left_out.items()}
    took_ms = round(1000 * (time.perf_counter() - began), 1)
    return fused_to_json(body.like[0].title, galleries.galleries, hits, took_ms, caller.seen)


def _choose(names: Sequence[str], caller: Caller) -> list[str]:
    """Return the galleries that names and patterns stand for; a pattern, for those that the caller may search."""
    if any(not is_pattern(name) and not caller.may_read(name) for name in names):
        raise HTTPException(403, NOT_FOR_IT)
    readable = [path.name for path in list_galleries() if caller.may_read(path.name)]
    chosen = expand(names, readable)
    if len(chosen) > MOST_AT_ONCE:
        raise HTTPException(422, f"Up to {MOST_AT_ONCE} galleries are searched at once; these are {len(chosen)}.")
    return chosen
