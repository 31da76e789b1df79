"""Bulk insert: a Milvus server reads vectors from Parquet files, at a place that both it and this program reach.

    SIMILARITY_MILVUS_FILES     a folder that the server sees under the same path, or a place in the server's own store

Requests take as long, and twice the processor time: 300,000 vectors of 1280 in 40 s and 70 s of a core, and in bulk in
37 s and 36 s of a core, on two cores that program and server share.

It is for new collections, since entities that are read twice are there twice. A file is removed once it has been read,
or has failed.
"""

import logging
import os
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from similarity.errors import FetchError, StoreError
from similarity.fetch.web import is_url
from similarity.search import Rows
from similarity.search.milvus.addresses import address
from similarity.search.milvus.client import ANSWER, client, translate_errors
from similarity.search.milvus.collection import Collection
from similarity.search.milvus.conditions import KEY, TAGS, VECTOR
from similarity.search.milvus.waiting import wait_while
from similarity.search.stores import Store
from similarity.sources.object_store import is_object, put_object, remove_object
from similarity.vectors.arrays import Vectors

FILES = "SIMILARITY_MILVUS_FILES"
# Bytes of vectors in a file: those of a segment of the server.
FILE_BYTES = 512 << 20
# States of a file that the server has read, but does not search yet, of one that it searches, and of one that it could
# not read.
READ, SEARCHED, FAILED = "Persisted", "Completed", ("Failed", "Failed and cleaned")

logger = logging.getLogger(__name__)

# Keys int64 (m,), embeddings float32 (m, dim) and tags of m entities.
Batch = tuple[Rows, Vectors, Sequence[list[str]]]


def files_place() -> str:
    """The place that is set; empty if there is none."""
    return os.environ.get(FILES, "").strip().rstrip("/")


def fill(collection: Collection, batches: Iterator[Batch]) -> bool:
    """Put entities into a new collection; returns whether the server read them from files, as only a server does.

    Raises StoreError as `insert_files`.
    """
    if (place := files_place()) and is_url(collection.store.uri):
        insert_files(collection.store, collection.name, place, batches)
        return True
    for batch in batches:
        collection.put(*batch)
    return False


def insert_files(store: Store, collection: str, place: str, batches: Iterator[Batch]) -> None:
    """Have the server read entities from files that are written one after the other.

    Raises:
        StoreError: a file cannot be written there, or the server cannot read it.
    """
    tasks = {}
    for batch in batches:
        with _file(place, chain([batch], batches)) as (file, seen):
            tasks[file] = _begin(store, collection, seen)
            _wait(store, collection, file, tasks[file], READ, SEARCHED)
    for file, task in tasks.items():
        _wait(store, collection, file, task, SEARCHED)


@contextmanager
def _file(place: str, batches: Iterator[Batch]) -> Iterator[tuple[str, str]]:
    """Write entities to a file, until it is large enough; yields its name here and the server's for it."""
    name = f"similarity-{uuid.uuid4().hex}.parquet"
    file = f"{place}/{name}"
    try:
        if not is_object(place):
            path = Path(file).absolute()
            try:
                _write(path, batches)
                yield file, str(path)
            finally:
                _remove(file)
            return
        with tempfile.TemporaryDirectory(prefix="similarity-") as folder:
            _write(Path(folder, name), batches)
            put_object(Path(folder, name), file)
        try:
            yield file, file.partition("://")[2].partition("/")[2]
        finally:
            _remove(file)
    except (OSError, FetchError) as error:
        raise StoreError(f"{place}, the place of files for Milvus ({FILES}), cannot be used ({error}).") from error


def _remove(file: str) -> None:
    """Remove a file that the server has read or could not read, which is what people are to know."""
    try:
        remove_object(file) if is_object(file) else Path(file).unlink(missing_ok=True)
    except (OSError, FetchError) as error:
        logger.warning("%s is not needed any more, and could not be removed: %s", file, error)


def _write(path: Path, batches: Iterator[Batch]) -> None:
    """Write a file of at least FILE_BYTES, or of all that is left."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    written, writer = 0, None
    try:
        for keys, vectors, tags in batches:
            offsets = np.arange(0, vectors.size + 1, vectors.shape[1], dtype=np.int32)
            lists = pa.ListArray.from_arrays(pa.array(offsets), pa.array(vectors.ravel()))
            table = pa.table({KEY: pa.array(keys), VECTOR: lists, TAGS: pa.array(tags, pa.list_(pa.string()))})
            writer = writer or pq.ParquetWriter(path, table.schema, compression="none", use_dictionary=False)
            writer.write_table(table)
            written += vectors.nbytes
            if written >= FILE_BYTES:
                return
    finally:
        if writer:
            writer.close()


def _begin(store: Store, collection: str, seen: str) -> int:
    """Have the server read a file, which it knows as `seen`; returns the number of the task."""
    with translate_errors(store, collection):
        task: int = _connection(store).do_bulk_insert(collection, "", [seen], timeout=ANSWER)
        return task


def _wait(store: Store, collection: str, file: str, task: int, *states: str) -> None:
    """Wait until a task is in one of some states; raises StoreError if it fails."""

    def ask() -> Any:
        with translate_errors(store, collection):
            return _connection(store).get_bulk_insert_state(task, timeout=ANSWER)

    wait_while(lambda: ask().state_name not in states + FAILED)
    if (last := ask()).state_name not in states:
        reason = last.failed_reason or f"it is {last.state_name.lower()}"
        raise StoreError(
            f"Milvus at {address(store)} could not read {file} ({reason}): see that {FILES} is a place that it reads "
            "too, or do not set it."
        )


def _connection(store: Store) -> Any:
    return client(store)._get_connection()  # the library's public way ends with its version 3.1
