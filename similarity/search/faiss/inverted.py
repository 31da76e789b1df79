"""The approximate index: similar vectors lie in one list, and a query is compared with those of the nearest lists.

What is compared there are short codes, of principal components as a rule; the best by their codes are rescored with the
stored embeddings. How many lists are visited is measured on the gallery's own pictures, see `tuning.py`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from similarity.errors import SearchError
from similarity.progress import OnProgress
from similarity.search.accuracy import Accuracy
from similarity.search.contract import Rows, Selection, check, choice, nothing
from similarity.search.faiss.batching import Batcher
from similarity.search.faiss.files import read_faiss, write_faiss
from similarity.search.faiss.filtered import Few, prepare
from similarity.search.faiss.training import Lists, build_lists, updated_lists
from similarity.search.faiss_library import cores, faiss, in_one_thread, scanning
from similarity.search.recipes import INVERTED
from similarity.search.rescoring import rescore
from similarity.search.tuning import SHORTLIST, Tuning, tune
from similarity.vectors.arrays import Vectors
from similarity.vectors.memmap import StoredVectors

# So many times k vectors are compared at least, however few lists are needed for the first ten.
DEPTH = 20


class InvertedIndex:
    """Answers in a moment among millions; a part of the exact answers is missing, which `facts` says the size of."""

    def __init__(self, lists: Lists, vectors: StoredVectors, tuning: Tuning) -> None:
        """Take over lists that hold these embeddings."""
        self._lists, self._vectors, self.tuning = lists, vectors, tuning
        self._assigned: Rows | None = None
        self._together: dict[int, Batcher[Rows]] = {}  # by lists to visit

    @classmethod
    def build(cls, recipe: str, vectors: StoredVectors, progress: OnProgress | None = None) -> "InvertedIndex":
        """Make it of all embeddings of a file; raises SearchError if the recipe is none for them."""
        made = cls(build_lists(recipe, vectors, progress), vectors, Tuning(len(vectors)))
        made.tuning = tune(made.answer, made.count_of_lists, vectors, made.tuning, progress)
        return made

    def updated(self, vectors: StoredVectors, origins: Rows, progress: OnProgress | None = None) -> "InvertedIndex":
        """The index of a gallery after a change, without learning anew; this one stays as it is.

        Args:
            vectors: all embeddings as they are now.
            origins: for each of them the row that it was here, or `training.NEW`.
        """
        lists = updated_lists(self._lists, vectors, origins, progress)
        stay = int((origins >= 0).sum())
        made = InvertedIndex(lists, vectors, self.tuning.after(len(vectors) - stay + len(self) - stay))
        if made.tuning.is_outdated(len(vectors)):
            made.tuning = tune(made.answer, made.count_of_lists, vectors, made.tuning, progress)
        return made

    @classmethod
    def load(cls, path: Path, facts: Mapping[str, Any], vectors: StoredVectors) -> "InvertedIndex":
        """Read what `save` wrote; raises ValueError, LookupError or TypeError if it does not belong to the others."""
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
        """How many lists there are."""
        return int(self._lists.ivf.nlist)

    def __len__(self) -> int:
        """How many vectors there are."""
        return len(self._vectors)

    def search(
        self, queries: Vectors, k: int, *, among: Selection | None = None, accuracy: Accuracy = "balanced"
    ) -> tuple[Vectors, Rows]:
        """See `VectorIndex.search`."""
        queries = check(queries, k, self.dim)
        return self.answer(queries, k, self.tuning.probes[accuracy], SHORTLIST[accuracy], among)

    def answer(
        self, queries: Vectors, k: int, probes: int, shortlist: int, among: Selection | None = None
    ) -> tuple[Vectors, Rows]:
        """See `VectorIndex.search`.

        Args:
            queries: float32 (m, dim).
            k: how many; there are fewer where there are fewer to choose from.
            probes: how many lists to visit.
            shortlist: how many to rescore.
        """
        k = min(k, choice(among, len(self)))
        if not (k and len(queries)):
            return nothing(queries, k)
        per_list = max(1, len(self) // self.count_of_lists)
        probes = min(self.count_of_lists, max(probes, -(-DEPTH * k // per_list)))
        wanted = max(shortlist, 2 * k)
        with in_one_thread():
            candidates = self._candidates(queries, wanted, probes, among)
            found = [rescore(self._vectors, *one, k) for one in zip(queries, candidates, strict=True)]
        scores, rows = zip(*found, strict=True)
        if min(map(len, rows)) < k:  # codes that are no numbers are never found
            raise SearchError("The index does not find all of its pictures: make it anew with `rebuild`.")
        return np.array(scores, np.float32), np.array(rows, np.int64)

    def save(self, path: Path) -> None:
        """Write it to a file; raises OSError."""
        write_faiss(self._lists.index, path)

    def _candidates(self, queries: Vectors, wanted: int, probes: int, among: Selection | None) -> Sequence[Rows]:
        """For each query the rows that are worth rescoring."""
        small = self._lists.transform(queries)
        if among is not None:
            selected = among.prepared(self, lambda rows: prepare(self._lists, rows, self._where()))
            if isinstance(selected, Few):
                return [selected.rows] * len(queries)
            budget = probes * max(1, len(self) // self.count_of_lists)
            return [selected.visit(one[np.newaxis], wanted, budget) for one in small]
        if len(queries) > 1:
            return self._visit(small, wanted, probes)
        together = self._together.setdefault(probes, Batcher())
        return [together(small, wanted, lambda some, most: self._visit(some, most, probes))[:wanted]]

    def _visit(self, small: Vectors, wanted: int, probes: int) -> list[Rows]:
        """The best by their codes in the nearest lists; in more of them where those do not hold enough."""
        if len(small) == 1:
            return self._visit_in_one_thread(small, wanted, probes)
        shares = np.array_split(small, min(len(small), cores()))
        tasks = [scanning().submit(self._visit_in_one_thread, share, wanted, probes) for share in shares]
        return [rows for task in tasks for rows in task.result()]

    def _visit_in_one_thread(self, small: Vectors, wanted: int, probes: int) -> list[Rows]:
        params = faiss.SearchParametersIVF(nprobe=probes)
        _, found = self._lists.ivf.search(small, min(wanted, len(self)), params=params)
        rows = [row[row >= 0] for row in found]
        more = min(self.count_of_lists, 2 * probes)
        if more > probes:
            for place, row in enumerate(found):
                if row[-1] < 0:
                    rows[place] = self._visit_in_one_thread(small[place : place + 1], wanted, more)[0]
        return rows

    def _where(self) -> Rows:
        """The list that each row is in."""
        if self._assigned is None:
            assigned = np.full(len(self), -1)
            for number in range(self.count_of_lists):
                assigned[self._lists.entries(number)[0]] = number
            self._assigned = assigned
        return self._assigned
