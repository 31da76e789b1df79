"""The index of a gallery in Milvus, which keeps the `VectorIndex` contract.

A key consists of the generation that added a vector and its number there, and is never reused. Generations share the
collection: vectors that a later one added, or that were removed since an earlier one, are ignored. So a change that
fails, or is undone, leaves results as they were.

The index of the collection matches the recipe: FLAT for exact ones, IVF_FLAT or IVF_SQ8 for others, without PCA. It has
as many lists, or fewer on a server, where each segment has lists of its own. The number of lists to visit is measured,
as for FAISS.
"""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from similarity.errors import CollectionError
from similarity.fetch.web import is_url
from similarity.progress import OnProgress, Reporter
from similarity.search import Accuracy, Rows, Selection
from similarity.search.contract import candidate_count, empty_result, validate_queries
from similarity.search.milvus.addresses import address
from similarity.search.milvus.bulk_insert import Batch, fill
from similarity.search.milvus.collection import MOST_RESULTS, Collection
from similarity.search.milvus.conditions import KEY, condition, tags
from similarity.search.milvus.index_types import index_type, lists_for, visitable_lists
from similarity.search.milvus.installation import owns
from similarity.search.milvus.keys import first_key, new_keys, order_of, rows_of
from similarity.search.milvus.ledger import record_collection
from similarity.search.milvus.ownership import new_name
from similarity.search.rescoring import rescore, rescore_many
from similarity.search.stores import Indexed, Store
from similarity.search.tuning import SAME, SHORTLIST, Tuning, tune
from similarity.sources import Item
from similarity.sources.base import items_at
from similarity.vectors.arrays import Vectors
from similarity.vectors.mapped import BLOCK
from similarity.vectors.memmap import StoredVectors
from similarity.vectors.npy_files import read_array

# Extra results that show whether equal scores continue; factor by which the limit grows if they do not suffice.
TIES, MORE = 4, 4
# Up to this many candidates are compared here, without the approximate index.
MAX_EXACT = 512
# Queries in one request, so that its response stays small.
TOGETHER = 64

# Scores float32 and rows int64, both (m,), best first.
_Scored = tuple[Vectors, Rows]


class MilvusIndex:
    """Candidates of a collection, rescored with the embeddings in the gallery's folder. Safe to share between threads.

    Attributes:
        keys: the keys of the vectors in the collection, int64 (n,).
    """

    def __init__(
        self, collection: Collection, recipe: str, keys: Rows, vectors: StoredVectors, tuning: Tuning | None = None
    ) -> None:
        """Wrap a collection.

        Args:
            tuning: the tuning of an approximate index.
        """
        self.collection, self.keys, self.tuning = collection, keys, tuning
        self._vectors, self._lists = vectors, visitable_lists(recipe, collection.store)
        self._is_checked = False
        self._order = order_of(keys)

    @classmethod
    def build(
        cls, store: Store, recipe: str, vectors: StoredVectors, of: Indexed, progress: OnProgress | None = None
    ) -> "MilvusIndex":
        """Build a collection of all embeddings of a file.

        Raises:
            SearchError: Milvus does not have this kind of index. StoreError: it cannot be made.
        """
        kind, parameters = index_type(recipe)
        if parameters and is_url(store.uri):
            parameters = {"nlist": min(parameters["nlist"], lists_for(*vectors.shape))}
        name = new_name(of.directory)
        collection = Collection(store, name, _remedy(of.directory), record_collection(of.directory, store, name))
        collection.create(vectors.dim)
        index = cls(collection, recipe, new_keys(of.generation, len(vectors)), vectors)
        fill(collection, index._batches(np.arange(len(vectors)), of.items, progress))
        collection.index(kind, parameters)
        if parameters:
            index.tuning = tune(index.answer, index._lists, vectors, Tuning(len(vectors)), progress)
        return index

    def updated(
        self, recipe: str, vectors: StoredVectors, of: Indexed, origins: Rows, progress: OnProgress | None = None
    ) -> "MilvusIndex":
        """Return the index after a change, in the same collection; this one is not changed.

        Args:
            vectors: all embeddings after the change.
            origins: for each of them its row in this index, if vector and tags are unchanged, or -1.
        """
        self._check_once()
        is_new = origins < 0
        keys = np.where(is_new, 0, self.keys[origins])
        keys[is_new] = new_keys(of.generation, int(is_new.sum()))
        # Remains of an interrupted change.
        self.collection.delete(f"{KEY} >= {first_key(of.generation)}")
        changes = int(is_new.sum()) + len(self) - int((~is_new).sum())
        index = MilvusIndex(self.collection, recipe, keys, vectors, self.tuning and self.tuning.after(changes))
        for batch in index._batches(np.flatnonzero(is_new), of.items, progress):
            self.collection.put(*batch)
        self.collection.settle()
        if index.tuning and index.tuning.is_outdated(len(index)):
            index.tuning = tune(index.answer, index._lists, vectors, index.tuning, progress)
        return index

    @classmethod
    def load(
        cls, store: Store, recipe: str, path: Path, facts: Mapping[str, Any], vectors: StoredVectors
    ) -> "MilvusIndex":
        """Read a saved index; the server is contacted at the first query.

        Raises:
            OSError, ValueError, LookupError, TypeError: the file is damaged, or of other embeddings.
        """
        keys = read_array(path, (len(vectors),), np.int64)
        directory = path.parents[2]
        collection = Collection(store, str(facts["collection"]), _remedy(directory), str(facts.get("gallery", "")))
        tuning = Tuning.from_facts(facts) if index_type(recipe)[1] else None
        return cls(collection, recipe, keys, vectors, tuning)

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._vectors.dim

    @property
    def facts(self) -> dict[str, Any]:
        """See `VectorIndex`."""
        facts = {"collection": self.collection.name, "gallery": self.collection.gallery}
        return facts | (self.tuning.facts if self.tuning else {})

    @property
    def drift(self) -> str:
        """See `VectorIndex`: empty, since Milvus retrains its lists by itself."""
        return ""

    def is_own(self, directory: Path) -> bool:
        """Whether the collection was made for the gallery in this folder, which may then change it.

        A collection of an earlier version does not name its gallery, and that of a copied gallery is the original's.
        """
        return bool(self.collection.gallery) and owns(directory, self.collection.gallery)

    def __len__(self) -> int:
        """Number of vectors."""
        return len(self.keys)

    def save(self, path: Path) -> None:
        """Write the keys to a file; raises OSError."""
        with path.open("wb") as file:
            np.lib.format.write_array(file, self.keys, version=(1, 0), allow_pickle=False)

    def verify(self) -> None:
        """Check that the collection has every vector; raises StoreError."""
        self.collection.check(self.dim)
        if missing := self.missing_ids():
            raise self._missing_error(len(missing))

    def missing_ids(self) -> set[int]:
        """Keys of this index that the collection does not hold; raises StoreError."""
        missing = set(self.keys.tolist())
        for keys in self.collection.present(self.keys):
            missing.difference_update(keys.tolist())
        return missing

    def search(
        self, queries: Vectors, k: int, *, among: Selection | None = None, accuracy: Accuracy = "balanced"
    ) -> tuple[Vectors, Rows]:
        """See `VectorIndex.search`.

        Raises:
            StoreAwayError: Milvus cannot be reached. CollectionError: the collection is gone, or has changed.
        """
        queries = validate_queries(queries, k, self.dim)
        if self.tuning is None:
            return self.answer(queries, k, 0, 0, among)
        return self.answer(queries, k, self.tuning.probes[accuracy], SHORTLIST[accuracy], among)

    def answer(
        self, queries: Vectors, k: int, probes: int, shortlist: int, among: Selection | None = None
    ) -> tuple[Vectors, Rows]:
        """Search with a given effort; otherwise as `search`.

        Args:
            probes: number of lists to visit; 0 for an exact index.
            shortlist: minimum number of candidates to rescore.
        """
        available = candidate_count(among, len(self))
        count = min(k, available)
        if not (count and len(queries)):
            return empty_result(queries, count)
        expression = condition(among, self.keys)
        if expression is None or count > MOST_RESULTS or (probes and available <= MAX_EXACT):
            results = self._rescore_all(queries, count, among)
        else:
            # Visit more lists under a condition, so that as many candidates are seen as without one.
            probes = min(self._lists, probes * max(1, len(self) // available))
            parts = [queries[start : start + TOGETHER] for start in range(0, len(queries), TOGETHER)]
            request = _Request(expression, min(MOST_RESULTS, max(count + TIES, shortlist)), probes)
            results = [result for part in parts for result in self._search_collection(part, count, request, among)]
        scores, rows = zip(*results, strict=True)
        return np.array(scores, np.float32), np.array(rows, np.int64)

    def _search_collection(
        self, queries: Vectors, count: int, request: "_Request", among: Selection | None
    ) -> list[_Scored]:
        """Return scores and rows of the best `count` for each query; the limit grows until they are certain."""
        self._check_once()
        while True:
            answers = self.collection.search(queries, request.limit, request.expression, **request.how)
            results = [self._rescore(query, keys) for query, keys in zip(queries, answers, strict=True)]
            is_all = [len(keys) < request.limit for keys in answers]
            if all(map(partial(self._is_settled, count), results, is_all)):
                return [(scores[:count], rows[:count]) for scores, rows in results]
            if not all(is_all) and request.limit == MOST_RESULTS:  # too many scores are equal
                return self._rescore_all(queries, count, among)
            if not all(is_all):
                request = replace(request, limit=min(MOST_RESULTS, MORE * request.limit))
            elif request.probes < self._lists:
                request = replace(request, probes=min(self._lists, 2 * request.probes))
            elif not request.up_to_date:
                request = replace(request, up_to_date=True)
            else:
                raise self._missing_error()

    def _is_settled(self, count: int, result: _Scored, is_all: bool) -> bool:
        """Whether the candidates certainly contain the best; Milvus may round scores differently."""
        scores, _ = result
        if len(scores) < count:
            return False
        return is_all or self.tuning is not None or bool(scores[count - 1] > scores[-1] + SAME)

    def _rescore(self, query: Vectors, keys: Rows) -> _Scored:
        rows = rows_of(keys, self.keys, self._order)
        return rescore(self._vectors, query, rows, len(rows))

    def _rescore_all(self, queries: Vectors, count: int, among: Selection | None) -> list[_Scored]:
        """Search the stored embeddings exactly, for queries that Milvus cannot answer."""
        rows = np.arange(len(self)) if among is None else among.rows
        return [rescore_many(self._vectors, query, rows, count) for query in queries]

    def _batches(self, rows: Rows, items: Sequence[Item], progress: OnProgress | None) -> Iterator[Batch]:
        """Yield keys, vectors and tags of rows; reports those that were dealt with."""
        report = Reporter(len(rows), progress, task="Sending to Milvus")
        for start in range(0, len(rows), BLOCK):
            part = rows[start : start + BLOCK]
            yield self.keys[part], self._vectors[part], [tags(item) for item in items_at(items, part.tolist())]
            report.advance(len(part))

    def _check_once(self) -> None:
        """Check the collection, before the first query only."""
        if not self._is_checked:
            self.collection.check(self.dim)
            self._is_checked = True

    def _missing_error(self, count: int = 0) -> CollectionError:
        missing = f"{count:,} of the vectors" if count else "Vectors"
        name, where = self.collection.name, address(self.collection.store)
        return CollectionError(
            f"{missing} of the gallery are not in the collection {name} of {where}{self.collection.remedy}."
        )


@dataclass(frozen=True, slots=True)
class _Request:
    """A request to Milvus: the filter, the limit, the number of lists to visit, and whether to see the last change."""

    expression: str
    limit: int
    probes: int
    up_to_date: bool = False

    @property
    def how(self) -> dict[str, Any]:
        """Options of `Collection.search`."""
        return {"parameters": {"nprobe": self.probes} if self.probes else {}, "up_to_date": self.up_to_date}


def _remedy(directory: Path) -> str:
    return f": make it again with `python -m similarity rebuild --gallery {shlex.quote(str(directory))}`"
