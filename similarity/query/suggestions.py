"""Suggestions for conditions with a value that no picture has: `label=shoe` where there are boots."""

from collections.abc import Iterator
from difflib import get_close_matches

from similarity.query.conditions import to_conditions
from similarity.query.filters import Facets
from similarity.search.accuracy import Where

# Values that are offered for one that no picture has, and how alike two spellings must be, 0..1.
OFFERED, ALIKE = 3, 0.6


def suggest(facets: Facets, where: Where | None) -> str:
    """Return a sentence for each value of a condition that no picture has, with values that are spelt like it."""
    return " ".join(_suggest(facets, where or {}))


def _suggest(facets: Facets, where: Where) -> Iterator[str]:
    for condition in to_conditions(where, facets.names):
        if condition.operator != "=":
            continue
        known = facets.counts(condition.column)
        for value in condition.values:
            if known and value not in known:
                alike = get_close_matches(value, known, OFFERED, ALIKE)
                # Of the most frequent, where none is spelt like it.
                offered = alike or sorted(known, key=known.__getitem__, reverse=True)[:OFFERED]
                asks = "did you mean" if alike else "there are"
                rest = "?" if alike else " and others." if len(known) > len(offered) else "."
                yield f"No picture has the {condition.column} {value!r}: {asks} {', '.join(offered)}{rest}"
