"""Counts of the present results by the values of a column, as they would be without a filter on that column."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from similarity.app.search import ranked
from similarity.app.search.query_parts import Example
from similarity.app.search.ranked import MAX_RESULTS
from similarity.app.search.rankings import Ranking
from similarity.app.serving.access import item_for_visitor, redactor
from similarity.app.shell.parameters import Link
from similarity.errors import SimilarityError
from similarity.gallery import Gallery
from similarity.query.filters import Facets

CACHED = "tally"


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of pictures by the values of a column.

    Attributes:
        count: takes a column and returns the number of pictures for each of its values that any of them has; of
            results, in the order of the first with each.
        most: if not 0, no more pictures than these are counted: the most similar.
    """

    count: Callable[[str], Mapping[str, int]]
    most: int = 0


def of_results(gallery: Gallery, ranking: Ranking, link: Link, unlike: Sequence[Example]) -> Tally:
    """Count the results of a search; they are counted once, and searched again only for a column with a filter."""
    if st.session_state.get(CACHED, ("", {}))[0] != ranking.name:
        st.session_state[CACHED] = ranking.name, {}
    counts: dict[str, Mapping[str, int]] = st.session_state[CACHED][1]

    asked = ranking.asked

    def count(column: str) -> Mapping[str, int]:
        if column not in counts:
            found = ranking.ordered
            if column in link.where:
                try:
                    found = ranked.search(gallery, asked.vector, _without(link, column), asked.like, unlike)
                except SimilarityError:  # it is said of the search itself
                    return {}
            redact = redactor()
            rows = Facets([item_for_visitor(hit.item, redact) for hit in found]).value_rows(column)
            counts[column] = {value: len(rows[value]) for value in sorted(rows, key=lambda value: rows[value][0])}
        return counts[column]

    return Tally(count, MAX_RESULTS if len(ranking.ordered) >= MAX_RESULTS else 0)


def of_gallery(gallery: Gallery, facets: Facets, link: Link) -> Tally:
    """Count the pictures of a gallery that meet the filters."""

    def count(column: str) -> Mapping[str, int]:
        meets = np.zeros(len(gallery), bool)
        meets[facets.rows(facets.known(_without(link, column).where))] = True
        return {value: int(meets[rows].sum()) for value, rows in facets.value_rows(column).items()}

    return Tally(count)


def _without(link: Link, column: str) -> Link:
    return replace(link, where={name: values for name, values in link.where.items() if name != column})
