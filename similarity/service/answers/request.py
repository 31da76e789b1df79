"""What a search asks for, whichever door it came in by."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from similarity.query.conditions import parse
from similarity.query.filters import Facets
from similarity.query.inputs import Examples, Text, Vector, needs_model
from similarity.query.options import DEFAULTS, SearchOptions


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A search with all of its options.

    Attributes:
        examples: the query, whose files have been read.
        title: the query's name in the answer.
        k: how many hits are wanted at most.
        options: which pictures may be hits.
        exclude_query: leave out pictures with the same content as a file of the query.
        precision: the share of right hits that those called confident must reach; measures the gallery if need be.
        explain: explain each hit by its regions.
        where: conditions as people write them; see `of`.
        sort: the column that hits are put in the order of.
        copies: look at the hits a second time for copies of the query.
        turned: try the query in its other turns.
        objects: search with each object in the query, too.
    """

    examples: Examples
    title: str
    k: int = 10
    options: SearchOptions = DEFAULTS
    exclude_query: bool = False
    precision: float | None = None
    explain: bool = False
    where: Sequence[str] = ()
    sort: str | None = None
    copies: bool = False
    turned: bool = False
    objects: bool = False

    @property
    def has_picture(self) -> bool:
        """Whether hits are to look like any picture, not only like words or a vector."""
        return any(not isinstance(example, Text | Vector) for example in self.examples.like)

    @property
    def needs_model(self) -> bool:
        """Whether anything of the query has to be embedded for it."""
        is_looked_at = self.explain or self.turned or self.objects
        return is_looked_at or any(map(needs_model, (*self.examples.like, *self.examples.unlike)))

    def of(self, facets: Facets) -> "SearchRequest":
        """Return the request with its conditions as a gallery understands them.

        Args:
            facets: the gallery's columns and values, as whoever asks may see them.

        Raises:
            SearchError: a condition is on no column, or is none.
        """
        if not self.where:
            return self
        where = facets.original(parse(self.where, facets.names))
        return replace(self, options=replace(self.options, where=where))
