"""Many queries at once, at the rate of indexing: read and decoded ahead of the network, embedded in batches."""

import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from similarity.embedding.embedder import Embedder
from similarity.embedding.engines import Pixels
from similarity.embedding.pipeline import AHEAD, ahead
from similarity.embedding.views import merge
from similarity.errors import SearchError, SimilarityError
from similarity.exports.results import to_rows
from similarity.fetch.web import is_url
from similarity.images.picture import QueryFile
from similarity.paths import split_name, without_end
from similarity.query.hits import Hits, to_frame
from similarity.query.inputs import Examples, ItemId, Picture, ReadQuery, Text, Vector, decode_query, read_once
from similarity.sources import Item, Source
from similarity.sources.locations import DOWNLOADS_AT_ONCE, is_remote
from similarity.text.plain import short
from similarity.vectors.arrays import Vectors

if TYPE_CHECKING:
    import pandas as pd

# Queries that are refined and searched with together: one by one they take ten times as long beside the network.
AT_ONCE = 32
# Queries that a notebook shows, and hits of each.
SHOWN, SHOWN_HITS = 20, 6
# Columns of a table in which pictures are looked for unless one is named.
COLUMNS = ("path", "image", "file", "picture", "url")


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The hits of one of many queries.

    Attributes:
        query: its name: a path, an address, or its number, from 0.
        hits: best first.
        error: why it could not be searched with; None if it was.
    """

    query: str
    hits: Hits
    error: SimilarityError | None = None


class QueryResults(list[QueryResult]):
    """The results of many queries, in their order."""

    @property
    def errors(self) -> dict[str, SimilarityError]:
        """Why queries could not be searched with, by their names."""
        return {one.query: one.error for one in self if one.error is not None}

    def to_pandas(self) -> "pd.DataFrame":
        """Return a table with a row for each hit of each query; a query without hits has none."""
        rows = [
            {"query": one.query, **row}
            for one in self
            for row in to_rows(one.hits, [hit.item.path for hit in one.hits])
        ]
        return to_frame(rows, ["query", "rank", "score", "label", "id", "path"])

    def _repr_html_(self) -> str:
        """Return the first hits of the first queries, as a notebook shows them."""
        from similarity.exports.notebook import NOTHING, Part, draw_grid

        parts = [
            Part(
                tiles := one.hits.tiles(SHOWN_HITS),
                split_name(without_end(one.query))[1],
                str(one.error or ("" if tiles else NOTHING)),
            )
            for one in self[:SHOWN]
        ]
        return draw_grid(parts, len(self) - len(parts))


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """A picture that a source lists, which is read when its turn comes.

    Attributes:
        source: that lists it.
        item: the picture, named by its id.
    """

    source: Source
    item: Item

    @property
    def name(self) -> str:
        """Its id, which in a folder or a CSV is its path as it is written there."""
        return self.item.id

    def read(self) -> QueryFile:
        """Read its file; raises ImageError or FetchError if that cannot be done."""
        return QueryFile(self.source.read(self.item).data, self.name)


ManyQuery = Picture | ItemId | Listed


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A query that was read and decoded.

    Attributes:
        name: its path, address or id, or its number, from 0.
        query: the same, read; None if it cannot be.
        pixels: the network's input, uint8 (windows, crop, crop, 3); None for a picture of the gallery, which needs no
            network, and for one that cannot be read.
        error: why it cannot be read.
    """

    name: str
    query: ReadQuery | None = None
    pixels: Pixels | None = None
    error: SimilarityError | None = None


def pictures_of(queries: Any, column: str | None = None) -> Iterator[ManyQuery]:
    """Return the pictures of a table, of a column of one, or of anything else that has them one after the other.

    A picture is asked for when its turn comes, so that a dataset or a generator need not fit into memory.

    Args:
        queries: paths, addresses, bytes, images, arrays or ids of pictures of the gallery; a source; a DataFrame; or a
            Hugging Face dataset or a column of one, whose pictures are images, or mappings with `bytes` or `path`.
        column: of a table; by default the first of COLUMNS that it has.

    Raises:
        SearchError: it is none of these, or has no such column.
    """
    if isinstance(queries, Source):
        return (Listed(queries, item) for item in queries.items)
    if isinstance(queries, str | bytes) or not isinstance(queries, Iterable):
        raise SearchError("Many queries are given as a list, a DataFrame or a column of a dataset.")
    columns = getattr(queries, "column_names", getattr(queries, "columns", None))
    names = [str(name) for name in (() if columns is None else columns)]
    if names:
        named = column or next((name for name in COLUMNS if name in names), None)
        if named not in names:
            raise SearchError(f"Name the column of the pictures: there are {', '.join(map(short, names))}.")
        queries = _column_of(queries, named)
    elif column is not None:
        raise SearchError("A column can be named of a table only.")
    return map(_picture_of, queries)


def _column_of(table: Any, name: str) -> Iterable[Any]:
    """Return a column of a table; of a dataset row by row, since as a whole it would decode all pictures at once."""
    if hasattr(table, "select_columns"):
        return (row[name] for row in table.select_columns([name]))
    return cast("Iterable[Any]", table[name])


def count_of(queries: Any) -> int:
    """Return how many queries there are; 0 if that is not known."""
    if isinstance(queries, Source):
        return len(queries.items)
    return len(queries) if isinstance(queries, Sized) else 0


def _picture_of(query: Any) -> Picture:
    """Return a picture as datasets have it: as it is, or in a mapping with its bytes or its path."""
    if not isinstance(query, Mapping):
        return cast(Picture, query)
    data, path = query.get("bytes"), query.get("path")
    if isinstance(data, bytes | bytearray | memoryview):
        return QueryFile(bytes(data), str(path or "The picture"))
    return cast(Picture, path)


def embed_many(embedder: Embedder, queries: Iterable[ManyQuery]) -> Iterator[tuple[list[Prepared], Vectors]]:
    """Embed pictures in order, some at a time.

    Yields:
        Some queries, and the embeddings of those that have pixels, float32 (m, dim), rows of unit length.
    """
    rest = iter(queries)
    first = deque(islice(rest, AHEAD))
    readers = DOWNLOADS_AT_ONCE if any(map(_is_elsewhere, first)) else os.cpu_count() or 1
    queries = chain((first.popleft() for _ in range(len(first))), rest)  # which holds none back
    with _pool(readers) as pool:
        prepared = ahead(pool, enumerate(queries), lambda one: _prepare(embedder, *one))
        started: deque[list[Prepared]] = deque()  # where `tee` would keep 57 batches that are done

        def start() -> Iterator[Pixels]:
            for batch in _batches(prepared, embedder.batch):
                started.append(batch)
                yield _stack(batch, embedder)

        done: list[Prepared] = []
        found: list[Vectors] = []
        for vectors in embedder.embed_stream(start()):
            batch = started.popleft()
            done += batch
            found.append(_join(batch, vectors))
            if len(done) >= AT_ONCE:
                yield done, np.concatenate(found)
                done, found = [], []
        if done:
            yield done, np.concatenate(found)


def _join(batch: Sequence[Prepared], vectors: Vectors) -> Vectors:
    """Return the embedding of each picture of a batch, of the vectors of its windows."""
    ends = np.cumsum([len(one.pixels) for one in batch if one.pixels is not None])
    joined = [merge(vectors[start:end]) for start, end in zip([0, *ends], ends, strict=False)]
    return np.stack(joined) if joined else vectors[:0]


def together(threads: int = AT_ONCE) -> AbstractContextManager[ThreadPoolExecutor]:
    """Return threads that search, which an index answers together; see `faiss.batching`."""
    return _pool(threads)


@contextmanager
def _pool(threads: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that read or search; tasks that have not begun are dropped at the end."""
    pool = ThreadPoolExecutor(threads, thread_name_prefix="many")
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _is_elsewhere(query: ManyQuery) -> bool:
    """Whether a query has to be fetched, which is waiting mostly."""
    return is_remote(query.item.path) if isinstance(query, Listed) else isinstance(query, str) and is_url(query)


def _prepare(embedder: Embedder, number: int, query: ManyQuery) -> Prepared:
    """Read and decode a query; runs in a thread of the pool."""
    if isinstance(query, ItemId):
        return Prepared(query.id, query)
    name = os.fsdecode(query) if isinstance(query, str | os.PathLike) else str(getattr(query, "name", number))
    try:
        if isinstance(query, Text | Vector | Examples):
            raise SearchError("Each of many queries is a picture: search with words and examples one at a time.")
        read = query.read() if isinstance(query, Listed) else read_once(query)
        image = decode_query(read, side=embedder.backbone.preprocessing.resize)
    except SimilarityError as error:
        return Prepared(name, error=error)
    return Prepared(name, read, embedder.prepare_views(image))


def _batches(queries: Iterator[Prepared], size: int) -> Iterator[list[Prepared]]:
    """Group queries into batches of up to `size` windows, with those that cannot be embedded between them."""
    batch: list[Prepared] = []
    filled = 0
    for one in queries:
        more = 0 if one.pixels is None else len(one.pixels)
        if batch and (filled + more > size or len(batch) == AHEAD):
            yield batch
            batch, filled = [], 0
        batch.append(one)
        filled += more
    if batch:
        yield batch


def _stack(batch: Sequence[Prepared], embedder: Embedder) -> Pixels:
    """Return the windows of a batch's pictures, uint8 (0..size, crop, crop, 3)."""
    crop = embedder.backbone.preprocessing.crop
    pixels = [one.pixels for one in batch if one.pixels is not None]
    return np.concatenate(pixels) if pixels else np.empty((0, crop, crop, 3), np.uint8)
