"""What a `search` on the command line asks for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from similarity.cli.query_arguments import QueryArguments
from similarity.query.conditions import parse
from similarity.query.options import DEFAULTS, SearchOptions

if TYPE_CHECKING:
    from similarity.gallery import Gallery


@dataclass(frozen=True, slots=True)
class Request:
    """A search with all options of the command line."""

    query: QueryArguments
    gallery: str
    k: int
    options: SearchOptions = DEFAULTS
    exclude_query: bool = False
    precision: float | None = None
    explain: bool = False
    where: Sequence[str] = ()
    sort: str | None = None
    copies: bool = False
    turned: bool = False
    objects: bool = False

    def of(self, gallery: "Gallery") -> "Request":
        """The request with its conditions as this gallery understands them."""
        columns = gallery.facets.names if self.where else ()
        return replace(self, options=replace(self.options, where=parse(self.where, columns)))
