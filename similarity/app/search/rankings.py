"""Rankings: all results of a query in the order that the visitor sees, kept until something else is asked for.

A grid of a thousand results is drawn many times, with more tiles or another selection, of one and the same search.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import streamlit as st

from similarity.app.components import tiles
from similarity.app.components.tiles import Listing
from similarity.app.search import copies, ranked, turns
from similarity.app.search.copies import Found
from similarity.app.search.query_parts import Example
from similarity.app.search.turns import Asked
from similarity.app.serving.access import may_manage
from similarity.app.shell.parameters import PAGE_SIZES, Link
from similarity.evaluation.confidence.estimate import Withheld
from similarity.gallery import Gallery
from similarity.search import Hit
from similarity.vectors.arrays import Vectors

RANKING = "last_ranking"


@dataclass(frozen=True, slots=True)
class Ranking:
    """The results of a query.

    Attributes:
        name: of what was asked for, and where.
        asked: the query in the turn that was searched with.
        similar: the results, the most similar first.
        ordered: the same in the order that the visitor sees.
        found: what a second look found of them.
        is_moved: whether copies come before more similar pictures.
        is_due: whether the second look is still to come: results are shown before it, since it takes its time.
    """

    name: str
    asked: Asked
    similar: Sequence[Hit]
    ordered: Sequence[Hit]
    found: Found
    is_moved: bool = False
    is_due: bool = False

    @property
    def is_final(self) -> bool:
        """Whether nothing more will be known of its results; else they are not kept."""
        return self.asked.chances is None or self.asked.chances.withheld is not Withheld.MEASURING


def rank(gallery: Gallery, like: Sequence[Example], unlike: Sequence[Example], vector: Vectors, link: Link) -> Ranking:
    """Return the ranking of a query, searched for unless it is the last one of this session.

    A second look for copies may be due then: draw the results, and call `look_again`.

    Raises:
        SearchError: a filter makes no sense. StoreError: the gallery's store cannot be asked.
    """
    name = _name(gallery, vector, link)
    last: Ranking | None = st.session_state.get(RANKING)
    if last is not None and last.name == name:
        return last
    asked = turns.choose(gallery, like, unlike, vector, link)
    similar = ranked.search(gallery, asked.vector, link, asked.like, unlike)
    ranking = Ranking(name, asked, similar, ranked.in_order(gallery, similar, link.sort), Found())
    if not copies.can_be_among(similar, link):
        return _keep(ranking)
    if not ranking.is_final:
        return _with_copies(gallery, ranking, link)
    return _keep(replace(ranking, found=copies.known_at_once(similar, asked.like), is_due=True))


def look_again(gallery: Gallery, ranking: Ranking, link: Link) -> bool:
    """Look at the results of a ranking a second time, if that is due; returns whether the page has to show more."""
    if not ranking.is_due:
        return False
    shown = _places(ranking), ranking.found.proven
    after = _keep(_with_copies(gallery, ranking, link))
    return (_places(after), after.found.proven) != shown


def _with_copies(gallery: Gallery, ranking: Ranking, link: Link) -> Ranking:
    hits, found = copies.put_first(gallery, ranking.similar, ranking.asked.like, link)
    # Copies that are the most similar anyway are not moved.
    is_moved = bool(found.proven) and any(one.score < other.score for one, other in pairwise(hits))
    ranking.found.is_made, ranking.found.copies = found.is_made, found.copies
    return replace(ranking, ordered=ranked.in_order(gallery, hits, link.sort), is_moved=is_moved, is_due=False)


def _places(ranking: Ranking) -> list[str]:
    return [hit.item.id for hit in ranking.ordered]


def _keep(ranking: Ranking) -> Ranking:
    if ranking.is_final:
        st.session_state[RANKING] = ranking
    return ranking


def listing(ranking: Ranking, link: Link, start: int) -> Listing:
    """Return what the grid shows of a ranking from a place on, from 0."""
    total, chances = len(ranking.ordered), ranking.asked.chances
    shown = replace(
        link, like=link.like[:1], unlike=(), turned=None, precision=None, generation=None, k=1, page=1, open=""
    )
    # A copy may be marked where the grid has long drawn its results, or move them.
    is_another = ranking.is_moved or bool(link.sort and ranking.found.proven)
    return Listing(
        name=f"{ranking.name} {chances.withheld if chances else None} {may_manage()} {is_another}",
        query=_digest(shown),
        total=total,
        start=start,
        at=first_place(link, total),
        ratios=[tiles.ratio(hit.item) for hit in ranking.ordered],
    )


def first_place(link: Link, total: int) -> int:
    """Return the place that an address with a page of results leads to, from 0."""
    return min((link.page - 1) * link.k, max(0, total - 1) // link.k * link.k)


def _name(gallery: Gallery, vector: Vectors, link: Link) -> str:
    asked = replace(link, k=PAGE_SIZES[0], page=1, open="")
    return _digest(gallery.directory, gallery.state, vector.tobytes(), asked, may_manage())


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
