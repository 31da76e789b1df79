"""A collection of Milvus: an entity for each picture, with a key, its embedding and its tags."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from similarity.errors import CollectionError, StoreError
from similarity.search import Rows
from similarity.search.milvus.addresses import address
from similarity.search.milvus.client import ANSWER, WRITE, client, pymilvus, translate_errors
from similarity.search.milvus.conditions import DIGITS, KEY, MOST_TAGS, TAGS, VECTOR
from similarity.search.milvus.waiting import wait_while
from similarity.search.stores import Store
from similarity.vectors.arrays import Vectors

METRIC = "IP"
# The id of its gallery is in a collection's properties, and for people in its description as well.
PROPERTY, DESCRIPTION = "similarity.gallery", re.compile(r"of the similarity gallery ([0-9a-f]{32})")
# Code of Milvus for a collection that is not loaded.
NOT_LOADED = 101
# States of an index.
BUSY, FAILED = {"Unissued", "InProgress", "Retry"}, "Failed"
# Largest number of results that Milvus returns.
MOST_RESULTS = 16_384
# Bytes of embeddings per request, of which a server accepts 64 MB, and keys per request.
BATCH, KEYS = 8 << 20, 10_000


@dataclass
class Collection:
    """A collection by its name. Safe to share between threads.

    Attributes:
        remedy: the remedy if it is gone, as the end of a sentence.
        gallery: the id of its gallery, which is stored in it; empty for one of an earlier version.
    """

    store: Store
    name: str
    remedy: str = ""
    gallery: str = ""
    _loaded_by: Any = field(default=None, init=False, repr=False, compare=False)

    @property
    def _client(self) -> Any:
        return client(self.store)

    @property
    def _loaded(self) -> Any:
        """The client, once the collection is in the server's memory."""
        connected = self._client
        if self._loaded_by is not connected:
            connected.load_collection(self.name, timeout=WRITE)
            self._loaded_by = connected
        return connected

    def create(self, dim: int) -> None:
        """Create the collection, empty, for embeddings of this length; it must be indexed before it is searched."""
        types = pymilvus().DataType
        with self._translate_errors():
            of = {"description": f"Embeddings of the similarity gallery {self.gallery}"} if self.gallery else {}
            schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False, **of)
            schema.add_field(KEY, types.INT64, is_primary=True)
            schema.add_field(VECTOR, types.FLOAT_VECTOR, dim=dim)
            schema.add_field(TAGS, types.ARRAY, element_type=types.VARCHAR, max_length=DIGITS, max_capacity=MOST_TAGS)
            how = {"properties": {PROPERTY: self.gallery}} if self.gallery else {}
            self._client.create_collection(self.name, schema=schema, consistency_level="Bounded", timeout=WRITE, **how)

    def put(self, keys: Rows, vectors: Vectors, tags: Sequence[list[str]]) -> None:
        """Add entities, or replace those with the same keys, so that a failed batch can be sent again."""
        size = max(1, BATCH // (4 * vectors.shape[1]))
        for start in range(0, len(keys), size):
            part = slice(start, start + size)
            lines = [
                {KEY: key, VECTOR: vector, TAGS: tagged}
                for key, vector, tagged in zip(keys[part].tolist(), vectors[part], tags[part], strict=True)
            ]
            with self._translate_errors():
                self._client.upsert(self.name, lines, timeout=WRITE)

    def index(self, index_type: str, parameters: dict[str, int]) -> None:
        """Build the index, once, before the first search. Entities that are put later are indexed too; see `settle`."""
        with self._translate_errors():
            self._flush()
            index = self._client.prepare_index_params()
            index.add_index(VECTOR, index_type=index_type, metric_type=METRIC, params=parameters)
            # Waited for here: the library would wait without end, and as long for a server that has gone away.
            self._client.create_index(self.name, index, timeout=WRITE, sync=False)
            self._wait_for_index()
            self._client.load_collection(self.name, timeout=WRITE, _async=True)
            wait_while(self._is_loading)

    def drop_index(self) -> None:
        """Drop the index, so that another one can be built."""
        with self._translate_errors():
            self._client.release_collection(self.name, timeout=WRITE)
            self._client.drop_index(self.name, VECTOR, timeout=WRITE)
            self._loaded_by = None

    def flush(self) -> None:
        """Have all that was put written to the server's store."""
        with self._translate_errors():
            self._flush()

    def settle(self) -> None:
        """Flush the entities that were put, and wait until they are indexed."""
        with self._translate_errors():
            self._flush()
            self._wait_for_index()

    def search(
        self, queries: Vectors, limit: int, condition: str, parameters: dict[str, int], *, up_to_date: bool = False
    ) -> list[Rows]:
        """Return the keys of the best results for each query, int64 (up to limit,), best first.

        Args:
            limit: at most MOST_RESULTS.
            condition: a filter; empty for none.
            up_to_date: wait until the last change is visible, which takes a fifth of a second.
        """
        how = {
            "anns_field": VECTOR,
            "filter": condition,
            "limit": limit,
            "search_params": {"metric_type": METRIC, "params": parameters},
            "consistency_level": "Strong" if up_to_date else "Bounded",
            "timeout": ANSWER,
        }
        with self._translate_errors():
            try:
                answers = self._loaded.search(self.name, list(queries), **how)
            except pymilvus().MilvusException as error:
                if error.code != NOT_LOADED:
                    raise
                self._loaded_by = None  # the server was restarted
                answers = self._loaded.search(self.name, list(queries), **how)
        return [np.array(hits.ids, np.int64) for hits in answers]

    def delete(self, condition: str) -> None:
        """Delete entities by a filter."""
        with self._translate_errors():
            self._loaded.delete(self.name, filter=condition, timeout=WRITE)

    def delete_keys(self, keys: Rows) -> None:
        """Delete entities by their keys."""
        for start in range(0, len(keys), KEYS):
            self.delete(f"{KEY} in {keys[start : start + KEYS].tolist()}")

    def count(self) -> int:
        """Number of entities."""
        with self._translate_errors():
            answer = self._loaded.query(
                self.name, filter="", output_fields=["count(*)"], consistency_level="Strong", timeout=ANSWER
            )
        return int(answer[0]["count(*)"])

    def present(self, keys: Rows) -> Iterator[Rows]:
        """Yield those of some keys that it holds, a batch at a time."""
        for start in range(0, len(keys), KEYS):
            condition = f"{KEY} in {keys[start : start + KEYS].tolist()}"
            with self._translate_errors():
                # An iterator of the library would not wait for the last change, nor give up in time.
                lines = self._loaded.query(
                    self.name, filter=condition, output_fields=[KEY], consistency_level="Strong", timeout=ANSWER
                )
            yield np.fromiter((line[KEY] for line in lines), np.int64, len(lines))

    def check(self, dim: int) -> None:
        """Check that it exists, belongs to its gallery and has embeddings of this length; raises CollectionError."""
        facts = self._facts()
        if _gallery_id(facts) != self.gallery:
            raise CollectionError(f"The collection {self.name} is not of this gallery{self.remedy}.")
        stored = next((int(field["params"]["dim"]) for field in facts["fields"] if field["name"] == VECTOR), None)
        if stored != dim:
            has = "no embeddings" if stored is None else f"embeddings of {stored} numbers"
            raise CollectionError(f"The collection {self.name} has {has}, and the gallery of {dim}{self.remedy}.")

    def gallery_id(self) -> str:
        """The id of the gallery that it carries, or an empty text; raises CollectionError if it does not exist."""
        return _gallery_id(self._facts())

    def drop(self) -> None:
        """Drop the collection, if it exists."""
        with self._translate_errors():
            self._client.drop_collection(self.name, timeout=WRITE)

    def _facts(self) -> dict[str, Any]:
        with self._translate_errors():
            return dict(self._client.describe_collection(self.name, timeout=ANSWER))

    def _flush(self) -> None:
        """Flush, in a thread: the library itself would not give up for minutes if the server went away meanwhile.

        The thread ends with the connection, which is closed after an error.
        """
        pool = ThreadPoolExecutor(1, "flush")
        try:
            pool.submit(self._client.flush, self.name, timeout=WRITE).result(WRITE)
        finally:
            pool.shutdown(wait=False)

    def _wait_for_index(self) -> None:
        """Wait until all segments are indexed; those that are not are scanned, which is exact but slow."""

        def is_pending() -> bool:
            facts = self._client.describe_index(self.name, VECTOR, timeout=ANSWER) or {}
            if facts.get("state") == FAILED:
                raise StoreError(
                    f"Milvus at {address(self.store)} could not build the index of the collection {self.name}: see its "
                    f"log, then try again."
                )
            return facts.get("state") in BUSY or int(facts.get("pending_index_rows", 0)) > 0

        wait_while(is_pending)

    def _is_loading(self) -> bool:
        return bool(self._client.get_load_state(self.name, timeout=ANSWER)["state"].name == "Loading")

    def _translate_errors(self) -> Any:
        return translate_errors(self.store, self.name, self.remedy)


def _gallery_id(facts: dict[str, Any]) -> str:
    described = DESCRIPTION.search(facts.get("description") or "")
    return str((facts.get("properties") or {}).get(PROPERTY) or (described[1] if described else ""))


def reach(store: Store) -> None:
    """Check that a store responds; raises StoreError."""
    with translate_errors(store):
        client(store).list_collections(timeout=ANSWER)
