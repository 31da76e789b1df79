"""The approximate index: similar vectors share a list, and a query is compared with the vectors of the nearest lists.

The lists hold short codes, usually of principal components; the best by their codes are rescored with the stored
embeddings. How many lists to visit is measured on the gallery's own pictures, see `tuning.py`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from similarity.errors import SearchError
from similarity.progress import OnProgress
from similarity.search.accuracy import Accuracy
from similarity.search.contract import Rows, Selection, candidate_count, empty_result, validate_queries
from similarity.search.faiss.batching import Batcher
from similarity.search.faiss.files import read_faiss, write_faiss
from similarity.search.faiss.filtered import ExactSubset, prepare
from similarity.search.faiss.training import Lists, build_lists, updated_lists
from similarity.search.faiss_library import cores, in_one_thread, scanning
from similarity.search.recipes import INVERTED
from similarity.search.rescoring import Readable, rescore
from similarity.search.tuning import SHORTLIST, Tuning, tune
from similarity.vectors.arrays import Vectors
from similarity.vectors.memmap import StoredVectors

# At least DEPTH * k vectors are compared, even if fewer lists suffice for the first ten.
DEPTH = 20


class InvertedIndex:
    """Approximate index, fast among millions of vectors; `facts` has the share of exact results that it finds."""

    def __init__(self, lists: Lists, vectors: Readable, tuning: Tuning) -> None:
        """Wrap lists that hold these embeddings."""
        self._lists, self._vectors, self.tuning = lists, vectors, tuning
        self._assigned: Rows | None = None
        # By number of results, lists to visit and candidates. Threads with a query each would wait for Python's lock.
        self._together: dict[tuple[int, int, int], Batcher[tuple[Vectors, Rows]]] = {}

    @classmethod
    def build(
        cls, recipe: str, vectors: StoredVectors, progress: OnProgress | None = None, trained: Lists | None = None
    ) -> "InvertedIndex":
        """Build the index of all embeddings of a file; raises SearchError if the recipe does not suit them.

        Args:
            trained: lists that were trained before, on these embeddings and others.
        """
        index = cls(build_lists(recipe, vectors, progress, trained), vectors, Tuning(len(vectors)))
        index.tuning = tune(index.answer, index.count_of_lists, vectors, index.tuning, progress)
        return index

    def updated(self, vectors: StoredVectors, origins: Rows, progress: OnProgress | None = None) -> "InvertedIndex":
        """Return the index after a change, without new training; this one is not changed.

        Args:
            vectors: all embeddings after the change.
            origins: for each of them its row in this index, or `training.NEW`.
        """
        lists = updated_lists(self._lists, vectors, origins, progress)
        stay = int((origins >= 0).sum())
        index = InvertedIndex(lists, vectors, self.tuning.after(len(vectors) - stay + len(self) - stay))
        if index.tuning.is_outdated(len(vectors)):
            index.tuning = tune(index.answer, index.count_of_lists, vectors, index.tuning, progress)
        return index

    @classmethod
    def load(cls, path: Path, facts: Mapping[str, Any], vectors: StoredVectors) -> "InvertedIndex":
        """Read a saved index; raises ValueError, LookupError or TypeError if it does not match facts and vectors."""
        lists = Lists(read_faiss(path, INVERTED, (len(vectors), vectors.dim)))
        if not lists.are_ours or not lists.hold_each_once(len(vectors)):
            raise ValueError("not the inverted lists of these embeddings")
        return cls(lists, vectors, Tuning.from_facts(facts))

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._vectors.dim

    @property
    def facts(self) -> dict[str, Any]:
        """See `VectorIndex`."""
        return self.tuning.facts

    @property
    def drift(self) -> str:
        """See `VectorIndex`."""
        return self.tuning.drift(len(self))

    @property
    def count_of_lists(self) -> int:
        """Number of lists."""
        return self._lists.count

    def __len__(self) -> int:
        """Number of vectors."""
        return len(self._vectors)

    def search(
        self, queries: Vectors, k: int, *, among: Selection | None = None, accuracy: Accuracy = "balanced"
    ) -> tuple[Vectors, Rows]:
        """See `VectorIndex.search`."""
        queries = validate_queries(queries, k, self.dim)
        probes, shortlist = self.tuning.probes[accuracy], SHORTLIST[accuracy]
        if len(queries) != 1 or among is not None:
            return self.answer(queries, k, probes, shortlist, among)

        def answer_all(batch: Vectors, _: int) -> list[tuple[Vectors, Rows]]:
            return list(zip(*self.answer(batch, k, probes, shortlist), strict=True))

        together = self._together.setdefault((k, probes, shortlist), Batcher())
        scores, rows = together(queries, k, answer_all)
        return scores[np.newaxis], rows[np.newaxis]

    @property
    def lists(self) -> Lists:
        """The lists."""
        return self._lists

    @property
    def vectors(self) -> Readable:
        """The embeddings."""
        return self._vectors

    def _effort(self, k: int, probes: int, shortlist: int) -> tuple[int, int]:
        """Return how many lists to visit, and how many candidates to rescore."""
        per_list = max(1, len(self) // self.count_of_lists)
        return min(self.count_of_lists, max(probes, -(-DEPTH * k // per_list))), max(shortlist, 2 * k)

    def answer(
        self, queries: Vectors, k: int, probes: int, shortlist: int, among: Selection | None = None
    ) -> tuple[Vectors, Rows]:
        """See `VectorIndex.search`.

        Args:
            queries: float32 (m, dim).
            k: number of results; fewer if there are fewer candidates.
            probes: number of lists to visit.
            shortlist: number of candidates to rescore.
        """
        k = min(k, candidate_count(among, len(self)))
        if not (k and len(queries)):
            return empty_result(queries, k)
        probes, wanted = self._effort(k, probes, shortlist)
        with in_one_thread():
            candidates = self._candidates(queries, wanted, probes, among)
            results = [rescore(self._vectors, *pair, k) for pair in zip(queries, candidates, strict=True)]
        scores, rows = zip(*results, strict=True)
        if min(map(len, rows)) < k:  # codes of NaN are never returned
            raise SearchError("The index does not find all of its pictures: make it again with `rebuild`.")
        return np.array(scores, np.float32), np.array(rows, np.int64)

    def save(self, path: Path) -> None:
        """Write it to a file; raises OSError."""
        write_faiss(self._lists.index, path)

    def _candidates(self, queries: Vectors, wanted: int, probes: int, among: Selection | None) -> Sequence[Rows]:
        """Return the rows to rescore for each query."""
        small = self._lists.transform(queries)
        if among is not None:
            selected = among.prepared(self, lambda rows: prepare(self._lists, rows, self._assignments()))
            if isinstance(selected, ExactSubset):
                return [selected.rows] * len(queries)
            budget = probes * max(1, len(self) // self.count_of_lists)
            return [selected.visit(query[np.newaxis], wanted, budget) for query in small]
        return self._visit(small, wanted, probes)

    def _visit(self, small: Vectors, wanted: int, probes: int) -> list[Rows]:
        """Return the best rows by their codes in the nearest lists, or in more lists if those contain too few."""
        if len(small) == 1:
            return self._visit_in_one_thread(small, wanted, probes)
        shares = np.array_split(small, min(len(small), cores()))
        tasks = [scanning().submit(self._visit_in_one_thread, share, wanted, probes) for share in shares]
        return [rows for task in tasks for rows in task.result()]

    def _visit_in_one_thread(self, small: Vectors, wanted: int, probes: int) -> list[Rows]:
        _, ids = self._lists.search(small, min(wanted, len(self)), probes)
        rows = [row[row >= 0] for row in ids]
        more = min(self.count_of_lists, 2 * probes)
        if more > probes:
            for place, row in enumerate(ids):
                if row[-1] < 0:
                    rows[place] = self._visit_in_one_thread(small[place : place + 1], wanted, more)[0]
        return rows

    def _assignments(self) -> Rows:
        """Return the list of each row."""
        if self._assigned is None:
            assigned = np.full(len(self), -1)
            for number in range(self.count_of_lists):
                assigned[self._lists.entries(number)[0]] = number
            self._assigned = assigned
        return self._assigned
