"""Ranking: from a query's vector to hits, with conditions, without copies of better ones, and in pages."""

import math
import operator
from collections.abc import Collection, Sequence
from dataclasses import astuple
from functools import cached_property
from pathlib import Path
from typing import SupportsFloat, get_args

import numpy as np

from similarity.errors import SearchError
from similarity.query.conditions import to_conditions
from similarity.query.distinct import PRODUCT, ProvenCopies, first_of_each, without_copies, without_near_identical
from similarity.query.filters import Facets
from similarity.query.near_pairs import BLOCK
from similarity.query.options import DEFAULTS, SearchOptions
from similarity.query.part_search import PartSearch
from similarity.search import Accuracy, Hit, Rows, Selection, Where
from similarity.sources.base import existing_first
from similarity.storage.generations import Generation
from similarity.vectors.arrays import Vectors

# Selections of rows that stay prepared.
MAX_SELECTIONS = 16
# Scores that differ by no more are equal: the same pixels in another place of a batch differ by up to 1e-6.
SAME_SCORE = 1e-5


class Ranker:
    """Ranks the pictures of one generation. Safe to share between threads."""

    def __init__(self, directory: Path, generation: Generation, copies: ProvenCopies) -> None:
        """Rank pictures of a generation of the gallery in a folder."""
        self._directory, self._generation, self._copies = directory, generation, copies
        self._selections: dict[object, Selection] = {}

    @cached_property
    def facets(self) -> Facets:
        """The values of labels and metadata."""
        return Facets(self._generation.items)

    def row(self, item_id: str) -> int:
        """Return the row of the picture with an id, its own or a copy's, or a SHA-256; raises SearchError."""
        if (row := self._generation.items.find_any(item_id)) is None:
            raise SearchError(f"The picture {item_id!r} is not in the gallery {self._directory.name}.")
        return row

    def nearest_rows(self, vector: Vectors, k: int) -> Rows:
        """Return the rows of the pictures nearest to a vector, best first."""
        rows: Rows = self._generation.index.search(vector[np.newaxis], min(k, len(self._generation.items)))[1][0]
        return rows[rows >= 0]

    def rank(self, vector: Vectors, k: int, options: SearchOptions) -> list[Hit]:
        """Return the best pictures; see `Gallery.search_vector`."""
        return self.rank_many(np.asarray(vector, np.float32)[np.newaxis], k, [options])[0]

    def rank_many(self, vectors: Vectors, k: int, options: Sequence[SearchOptions]) -> list[list[Hit]]:
        """Return the best pictures for each of several vectors, of which the index is asked in one call.

        Args:
            vectors: float32 (m, dim).
            k: number of results of each.
            options: of each; all with the same conditions, accuracy and offset.
        """
        if not options:
            return []
        k, first = whole(k, "The number of results", least=1), options[0]
        offset = whole(first.offset, "The number of results to skip", least=0)
        if not isinstance(first.min_score, SupportsFloat) or math.isnan(first.min_score):
            raise SearchError(f"The lowest score must be a number, not {first.min_score!r}.")
        if first.accuracy not in get_args(Accuracy):
            raise SearchError(f"The accuracy {first.accuracy!r} is not one of {', '.join(get_args(Accuracy))}.")
        among = self._among(first.where, first.exclude_ids)
        found = zip(*self._nearest(vectors, offset + k, first, among), strict=True)
        return [
            self._hits(vector, one, offset, *self._best(vector, offset + k, nearest, one, among))
            for vector, nearest, one in zip(vectors, found, options, strict=True)
        ]

    def _hits(self, vector: Vectors, options: SearchOptions, offset: int, scores: Vectors, rows: Rows) -> list[Hit]:
        """Return the hits of a vector, without the first `offset`, of all scores and rows."""
        items = map(existing_first, self._generation.items.at(rows[offset:]))
        # Embeddings in half precision are not quite of unit length.
        parts = self.parts.find_parts(vector, rows[offset:]) if options.parts else [None] * len(rows[offset:])
        found = zip(np.clip(scores[offset:], -1, 1).tolist(), items, parts, strict=True)
        return [Hit(rank, score, item, part) for rank, (score, item, part) in enumerate(found, offset + 1)]

    def without_repeats(self, hits: Sequence[Hit], options: SearchOptions) -> list[Hit]:
        """Leave out hits that repeat an earlier one, if the options want none; the ranks stay."""
        if not hits or not (options.distinct or options.one_per_product):
            return list(hits)
        rows = np.array([self.row(hit.item.id) for hit in hits], np.int64)
        return [hits[place] for place in self._without_repeats(rows, len(rows), options)]

    def near_identical(self, item_id: str, most: int) -> list[Hit]:
        """Pictures nearly identical to one; see `Gallery.near_identical`."""
        row, vectors = self.row(item_id), self._generation.vectors
        hits = [(hit, self.row(hit.item.id)) for hit in self.rank(vectors[row], most + 1, DEFAULTS)]
        others, rows = [hit for hit, other in hits if other != row], [other for _, other in hits if other != row]
        copies = self._copies.of(row, rows)
        return [hit for hit, other in zip(others, rows, strict=True) if other in copies]

    def _nearest(
        self, vectors: Vectors, depth: int, options: SearchOptions, among: Selection | None
    ) -> tuple[Vectors, Rows]:
        """Return scores and rows of the pictures nearest to each of several vectors; see `VectorIndex.search`."""
        if not options.parts:
            return self._generation.index.search(vectors, depth, among=among, accuracy=options.accuracy)
        each = [self.parts.search(one[np.newaxis], depth, among=among, accuracy=options.accuracy) for one in vectors]
        scores, rows = zip(*each, strict=True)
        return np.concatenate(scores), np.concatenate(rows)

    def _best(
        self,
        vector: Vectors,
        wanted: int,
        nearest: tuple[Vectors, Rows],
        options: SearchOptions,
        among: Selection | None,
    ) -> tuple[Vectors, Rows]:
        """Return scores and rows of the best `wanted` pictures, or of fewer if fewer qualify.

        Args:
            nearest: scores and rows of the nearest pictures, as many as are wanted.
        """
        depth = wanted
        while True:
            scores, rows = self._query_first(vector, *nearest, options, among)
            chosen = np.flatnonzero(scores >= options.min_score)
            is_all = len(rows) < depth or len(chosen) < len(rows)
            if options.distinct or options.one_per_product:
                chosen = chosen[self._without_repeats(rows[chosen], wanted, options)]
            if len(chosen) >= wanted or is_all:
                return scores[chosen], rows[chosen]
            depth *= 4  # too many of those were left out
            (more,), (places,) = self._nearest(vector[np.newaxis], depth, options, among)
            nearest = more, places

    @cached_property
    def parts(self) -> PartSearch:
        """The search in parts of pictures; raises SearchError if there are none."""
        return PartSearch(self._directory, self._generation)

    def _without_repeats(self, rows: Rows, wanted: int, options: SearchOptions) -> Rows:
        """Return the places of rows that are the best of their product, or no copies of an earlier one.

        Pictures of one product are those of one value of a column, or look-alikes without it; so are copies, except
        where the column alone is asked for.
        """
        if not options.one_per_product:
            return without_copies(rows, wanted, self._copies)
        has_column = PRODUCT in self.facets.names
        if has_column and not options.distinct:
            return first_of_each(self._products[rows], wanted)
        places = without_copies(rows, len(rows), self._copies)
        if has_column:
            chosen = first_of_each(self._products[rows[places]], wanted)
        else:
            new, vectors = rows[places], self._generation.embeddings
            blocks = (vectors[new[start : start + BLOCK]] for start in range(0, len(new), BLOCK))
            chosen = without_near_identical(blocks, wanted)
        return places[chosen]

    @cached_property
    def _products(self) -> Rows:
        """The number of the product of each row, int64 (n,); each without one has a number of its own."""
        numbers: Rows = -1 - np.arange(len(self._generation.items))
        for number, rows in enumerate(self.facets.value_rows(PRODUCT).values()):
            numbers[rows] = number
        return numbers

    def _query_first(
        self, vector: Vectors, scores: Vectors, rows: Rows, options: SearchOptions, among: Selection | None
    ) -> tuple[Vectors, Rows]:
        """Return scores and rows with the query's own files first among equals, if others filled the places, too."""
        found = [self._generation.items.find(content) for content in options.query_contents]
        own = [row for row in found if row is not None and (among is None or row in among.rows)]
        for row in reversed(own):
            if len(rows) and rows[0] == row and not options.parts:
                continue  # it is first already
            is_known = not options.parts and row in rows  # those of parts are other scores
            score = float(scores[rows == row][0] if is_known else self._generation.vectors[row] @ vector)
            equal = np.flatnonzero(scores <= score + SAME_SCORE)
            if len(equal):
                count, place = len(rows), int(equal[0])
                is_other = rows != row
                before = is_other[:place].sum()
                # It takes the score of its place, so that scores never increase.
                scores = np.insert(scores[is_other], before, max(scores[place], score))[:count]
                rows = np.insert(rows[is_other], before, row)[:count]
        return scores, rows

    def _among(self, where: Where | None, exclude_ids: Collection[str]) -> Selection | None:
        """Return the rows to choose from, None for all; the latest selections are cached."""
        if not (where or exclude_ids):
            return None
        asked = (astuple(condition) for condition in to_conditions(where or {}, ()))
        key = (frozenset(asked), frozenset(exclude_ids))
        if (selection := self._selections.get(key)) is None:
            rows = self.facets.rows(where) if where else np.arange(len(self._generation.items))
            excluded = [self.row(item_id) for item_id in exclude_ids]
            values = self.facets.values_of(where) if where else {}
            selection = Selection(rows[~np.isin(rows, excluded)] if excluded else rows, values, excluded)
            if len(self._selections) >= MAX_SELECTIONS:
                self._selections.clear()
            self._selections[key] = selection
        return selection


def whole(number: object, name: str, *, least: int) -> int:
    """A whole number of Python's or NumPy's; raises SearchError for anything else, and below the least."""
    try:
        whole = operator.index(number)  # type: ignore[arg-type]
    except TypeError:
        raise SearchError(f"{name} must be a whole number, not {number!r}.") from None
    if whole < least:
        raise SearchError(f"{name} must be at least {least}, not {whole}.")
    return whole
