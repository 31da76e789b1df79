"""Options of a search: which pictures may be its results, and which of these are returned."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, TypedDict, Unpack

from similarity.search.accuracy import Accuracy, Where


class SearchKeywords(TypedDict, total=False):
    """Keyword arguments of `Gallery.search`: fields of `SearchOptions`, two of which have an older name as well."""

    where: Where | None
    exclude_ids: Collection[str]
    min_score: float
    distinct: bool
    one_per_product: bool
    parts: bool
    offset: int
    accuracy: Accuracy
    query_contents: Collection[str]
    but: Collection[str]
    minimum: float


# Older names of keyword arguments, which go on working.
OLDER_NAMES = {"but": "exclude_ids", "minimum": "min_score"}


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """Options of a search, with their defaults.

    Attributes:
        where: conditions that results must meet; up to k such pictures are found, if there are that many.
        exclude_ids: ids of pictures to leave out.
        min_score: the lowest score.
        distinct: return only the best of copies of one picture: turned, mirrored, resized or saved again.
        offset: number of best results to skip, to page through results; ranks start after it.
        accuracy: fast, balanced or high, for an approximate index.
        query_contents: SHA-256 of the query's own files, in hex; pictures with these bytes are first among equals.
        one_per_product: return only the best of each product: of those with the same value in the column `product`, or
            of look-alikes where a gallery has none, and then of copies, too. With `distinct`, copies are left out of
            named products, too.
        parts: search in parts of pictures, too: the score of a result is that of its best part if that is higher; the
            gallery must have been indexed with them.
    """

    where: Where | None = None
    exclude_ids: Collection[str] = ()
    min_score: float = -1.0
    distinct: bool = False
    offset: int = 0
    accuracy: Accuracy = "balanced"
    query_contents: Collection[str] = ()
    one_per_product: bool = False
    parts: bool = False

    @property
    def is_filtered(self) -> bool:
        """Whether anything but the similarity decides which pictures come first."""
        return bool(self.where or self.exclude_ids or self.distinct or self.one_per_product or self.min_score > -1)

    def updated(self, **keywords: Unpack[SearchKeywords]) -> "SearchOptions":
        """Return the options with some changes; raises TypeError for an unknown one."""
        if not keywords:
            return self
        fields: dict[str, Any] = {OLDER_NAMES.get(name, name): value for name, value in keywords.items()}
        return replace(self, **fields)

    def without(self, ids: Collection[str]) -> "SearchOptions":
        """Return the options with further ids to exclude."""
        return replace(self, exclude_ids=[*self.exclude_ids, *ids])

    def asked_with(self, contents: Collection[str]) -> "SearchOptions":
        """Return the options for a query of files with these SHA-256, which are then first among equals."""
        return replace(self, query_contents=[*self.query_contents, *contents]) if contents else self


DEFAULTS = SearchOptions()
