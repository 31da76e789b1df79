"""A source's items to embeddings: reading and decoding run ahead in threads while the network works."""

import hashlib
import itertools
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from similarity.embedding import Embedder
from similarity.engines import Pixels
from similarity.errors import FetchError, ImageError
from similarity.images import decode, thumbnail
from similarity.sources import Item, Skipped, Source
from similarity.vectors import Vectors

BATCH = 32
# How many pictures may be read and decoded ahead of the network, which bounds the memory they take.
AHEAD = 3 * BATCH

# Called with the number of items dealt with so far, skipped ones included, and the number in all.
Progress = Callable[[int, int], object]


@dataclass(frozen=True, slots=True)
class Embedded:
    """An item with what its file turned out to be.

    Attributes:
        item: with its width, height, size, mtime and sha256.
        vector: float32 (dim,), of unit length.
        thumbnail: a small JPEG.
    """

    item: Item
    vector: Vectors
    thumbnail: bytes


@dataclass(frozen=True, slots=True)
class _Prepared:
    item: Item
    pixels: Pixels
    thumbnail: bytes


def embed_source(
    source: Source, embedder: Embedder, *, progress: Progress | None = None
) -> Iterator[Embedded | Skipped]:
    """Embed every item of a source, in its order; a file that cannot be used costs only itself."""
    total, done = len(source.items), 0
    pool = ThreadPoolExecutor(source.readers, thread_name_prefix="read")
    try:
        for batch in _batches(_prepared_ahead(source, embedder, pool)):
            yield from _embed_batch(batch, embedder)
            done += len(batch)
            if progress:
                progress(done, total)
    finally:
        pool.shutdown(cancel_futures=True)


def _prepared_ahead(source: Source, embedder: Embedder, pool: ThreadPoolExecutor) -> Iterator[_Prepared | Skipped]:
    """The items in order, prepared by the pool, never more than AHEAD of them waiting."""
    waiting: deque[Future[_Prepared | Skipped]] = deque()
    for item in source.items:
        waiting.append(pool.submit(_prepare, source, item, embedder))
        if len(waiting) >= AHEAD:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _prepare(source: Source, item: Item, embedder: Embedder) -> _Prepared | Skipped:
    """Read and decode one item, in a thread of the pool."""
    try:
        file = source.read(item)
        image = decode(file.data, item.path)
    except ImageError as error:
        return Skipped(source.whereabouts(item), error.reason)
    except FetchError as error:
        return Skipped(source.whereabouts(item), str(error))
    known = replace(
        item,
        width=image.width,
        height=image.height,
        size=len(file.data),
        mtime=file.mtime,
        sha256=hashlib.sha256(file.data).hexdigest(),
    )
    return _Prepared(known, embedder.prepare(image), thumbnail(image))


def _batches(results: Iterator[_Prepared | Skipped]) -> Iterator[list[_Prepared | Skipped]]:
    while batch := list(itertools.islice(results, BATCH)):
        yield batch


def _embed_batch(batch: list[_Prepared | Skipped], embedder: Embedder) -> Iterator[Embedded | Skipped]:
    prepared = [result for result in batch if isinstance(result, _Prepared)]
    vectors = iter(embedder.embed_pixels(np.stack([one.pixels for one in prepared])) if prepared else ())
    for result in batch:
        if isinstance(result, Skipped):
            yield result
        else:
            yield Embedded(result.item, next(vectors), result.thumbnail)
