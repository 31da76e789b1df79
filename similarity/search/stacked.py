"""Several indexes as one, such as those of a set of galleries: each is asked, and the best of all are the results."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from similarity.progress import OnProgress
from similarity.search.accuracy import Accuracy
from similarity.search.contract import (
    Rows,
    Selection,
    VectorIndex,
    candidate_count,
    empty_result,
    validate_queries,
)
from similarity.search.faiss.flat import FlatIndex, stack_flat
from similarity.search.faiss.inverted import InvertedIndex
from similarity.search.faiss.joined_lists import join_inverted
from similarity.search.faiss.scan import ScanIndex
from similarity.search.faiss.stacked_scan import StackedScan
from similarity.search.tuning import Tuning, tune
from similarity.vectors.arrays import Vectors
from similarity.vectors.memmap import StoredVectors
from similarity.vectors.stacked import Places


class StackedIndex:
    """Indexes of parts of a whole; its results are exact if theirs are. Safe to share between threads."""

    def __init__(self, indexes: Sequence[VectorIndex], places: Places, facts: Mapping[str, Any] | None = None) -> None:
        """Stack indexes; raises ValueError if they are of other vectors than their places say.

        Args:
            indexes: of one length of vectors, at least one.
            places: of all of their rows.
            facts: those of the whole, see `joint_tuning`; indexes with inverted lists are searched at once with them.
        """
        self._indexes, self._places = tuple(indexes), places
        fits = all(len(index) == len(rows) for index, rows in zip(indexes, places.of, strict=True))
        if not fits or len({index.dim for index in indexes}) > 1:
            raise ValueError("indexes that do not belong together")
        self._facts = dict(facts or {})
        self._at_once = _at_once(self._indexes, places, self._facts)
        self._order = np.concatenate(places.of)

    @property
    def facts(self) -> dict[str, Any]:
        """See `VectorIndex`: those of the whole; empty if each index has its own alone."""
        return self._facts

    @property
    def drift(self) -> str:
        """See `VectorIndex`."""
        if isinstance(self._at_once, InvertedIndex):
            return self._at_once.drift
        return next((index.drift for index in self._indexes if index.drift), "")

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._indexes[0].dim

    def __len__(self) -> int:
        """Number of vectors."""
        return len(self._places.part)

    def search(
        self, queries: Vectors, k: int, *, among: Selection | None = None, accuracy: Accuracy = "balanced"
    ) -> tuple[Vectors, Rows]:
        """See `VectorIndex.search`; of equal scores the lower row of the whole is first."""
        queries = validate_queries(queries, k, self.dim)
        count = min(k, candidate_count(among, len(self)))
        if not (count and len(queries)):
            return empty_result(queries, count)
        if among is None and isinstance(self._at_once, InvertedIndex):
            return self._at_once.search(queries, count, accuracy=accuracy)
        if among is None and self._at_once is not None:
            scores, rows = self._at_once.search(queries, min(count + 1, len(self)), accuracy=accuracy)
            # Of equal scores around the last one, those of the lowest rows of the whole are wanted.
            is_whole = scores.shape[1] > count or count == len(self)
            if is_whole and (scores.shape[1] == count or (scores[:, count - 1] > scores[:, count]).all()):
                return _best(scores, self._order[rows], count)
        return self._search_each(queries, count, among, accuracy)

    def _search_each(
        self, queries: Vectors, count: int, among: Selection | None, accuracy: Accuracy
    ) -> tuple[Vectors, Rows]:
        selections = among.prepared(self, self._split) if among is not None else [None] * len(self._indexes)
        results, numbers = [], []
        for index, of, selection in zip(self._indexes, self._places.of, selections, strict=True):
            if selection is None or len(selection):
                found, inner = index.search(queries, count, among=selection, accuracy=accuracy)
                results.append(found)
                numbers.append(np.where(inner >= 0, of[inner], -1))
        return _best(np.concatenate(results, axis=1), np.concatenate(numbers, axis=1), count)

    def save(self, path: Path) -> None:
        """Raise NotImplementedError: it has no file, and each of its indexes has its own."""
        raise NotImplementedError(f"{path}: each index is saved by itself.")

    def _split(self, rows: Rows) -> list[Selection]:
        """Return for each index which of these rows it has."""
        part, inner = self._places.part[rows], self._places.row[rows]
        return [Selection(inner[part == number]) for number in range(len(self._indexes))]


def joint_tuning(
    indexes: Sequence[VectorIndex],
    places: Places,
    vectors: StoredVectors,
    before: Tuning,
    progress: OnProgress | None = None,
) -> Tuning | None:
    """Measure how many lists a search of all indexes visits; None if they have none, or were not trained as one.

    Args:
        places: of all rows.
        vectors: those of all rows.
        before: the tuning so far.
    """
    lists = [index for index in indexes if isinstance(index, InvertedIndex)]
    if len(lists) < len(indexes):
        return None
    try:
        joined = join_inverted(lists, places, before)
    except ValueError:
        return None
    return tune(joined.answer, joined.count_of_lists, vectors, before, progress)


def _at_once(
    indexes: Sequence[VectorIndex], places: Places, facts: Mapping[str, Any]
) -> FlatIndex | StackedScan | InvertedIndex | None:
    """Return what searches all indexes of one kind at once; None if there is no way.

    Exact ones number rows one after the other, and inverted lists as the whole does.
    With two cores, 1,192 x 1280 in eight take 3.5 ms one by one, and 1.2 ms so.
    """
    flat = [index for index in indexes if isinstance(index, FlatIndex)]
    scans = [index for index in indexes if isinstance(index, ScanIndex)]
    lists = [index for index in indexes if isinstance(index, InvertedIndex)]
    if len(flat) == len(indexes):
        return stack_flat(flat)
    if len(scans) == len(indexes):
        return StackedScan(scans)
    if facts and len(lists) == len(indexes):
        with suppress(ValueError):
            return join_inverted(lists, places, Tuning.from_facts(facts))
    return None


def _best(scores: Vectors, rows: Rows, count: int) -> tuple[Vectors, Rows]:
    """Return the best of each line, best first; rows of -1 are last."""
    order = np.lexsort((rows, np.where(rows < 0, np.inf, -scores)), axis=1)[:, :count]
    return np.take_along_axis(scores, order, axis=1), np.take_along_axis(rows, order, axis=1)
