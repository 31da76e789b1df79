"""A search with a second look: proven copies of the query first, those of a turned query among them."""

from dataclasses import replace

from similarity.query.copies import CANDIDATES, Copy, put_copies_first
from similarity.query.encoder import EncodedQuery
from similarity.query.options import DEFAULTS, SearchOptions
from similarity.query.searcher import Searcher
from similarity.query.turns import TURNS, encode_turns
from similarity.search import Hit

# A hit, and what a second look found of it: None if it is another picture, or was not looked at.
Seen = tuple[Hit, Copy | None]


def search_with_copies(
    searcher: Searcher,
    query: EncodedQuery,
    k: int = 10,
    options: SearchOptions = DEFAULTS,
    *,
    exclude_query: bool = False,
    candidates: int = CANDIDATES,
) -> list[Seen]:
    """Search, and look at the first hits a second time.

    If none of them is a copy, the first hits of the query in its other turns are looked at, too: local features do not
    mind a turn, but a network may see the source of a turned picture beyond all candidates. Of these hits only proven
    copies are returned.

    Args:
        searcher: of the gallery.
        query: with a picture.
        candidates: how many hits to look at; of the three turned queries as many together.

    Returns:
        Up to k hits after the offset, proven copies before all others, and what was found of each.

    Raises:
        SearchError: no picture is part of the query, or an option makes no sense.
    """
    offset, options = options.offset, replace(options, offset=0)
    hits = searcher.search(query, max(candidates, offset + k), options, exclude_query=exclude_query)
    first, others = hits[:candidates], hits[candidates:]
    seen: list[Seen] = list(zip(first, searcher.find_copies(query, first), strict=True))
    if not any(_is_proven(copy) for _, copy in seen):
        turned = _search_in_turns(searcher, query, candidates // len(TURNS), options, exclude_query=exclude_query)
        seen += _find_further(searcher, query, turned, first)
    known = {hit.item.id for hit, _ in seen}
    seen += [(hit, None) for hit in others if hit.item.id not in known]
    ordered = put_copies_first([hit for hit, _ in seen], [copy for _, copy in seen])
    # Each search was without repeats, and so must the hits of all be.
    kept = {hit.item.id for hit in searcher.without_repeats([hit for hit, _ in ordered], options)}
    shown = [pair for pair in ordered if pair[0].item.id in kept]
    return [(replace(hit, rank=rank), copy) for rank, (hit, copy) in enumerate(shown, 1)][offset : offset + k]


def _find_further(searcher: Searcher, query: EncodedQuery, hits: list[Hit], seen: list[Hit]) -> list[Seen]:
    """Return those hits that are proven copies, of all that were not seen before."""
    known = {hit.item.id for hit in seen}
    unseen = [hit for hit in hits if hit.item.id not in known]
    found = zip(unseen, searcher.find_copies(query, unseen), strict=True)
    return [(hit, copy) for hit, copy in found if _is_proven(copy)]


def _search_in_turns(
    searcher: Searcher, query: EncodedQuery, k: int, options: SearchOptions, *, exclude_query: bool
) -> list[Hit]:
    """Return the first k hits of a query in each of its other turns, each picture once."""
    hits: dict[str, Hit] = {}
    for turned in encode_turns(searcher, query):
        for hit in searcher.search(turned, max(1, k), options, exclude_query=exclude_query):
            hits.setdefault(hit.item.id, hit)
    return list(hits.values())


def _is_proven(copy: Copy | None) -> bool:
    return copy is not None and copy.is_proven
