"""A source's items to embeddings: reading and decoding run ahead in threads while the network works."""

import hashlib
import itertools
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from similarity.embedding import Embedder, preprocess
from similarity.engines import Pixels
from similarity.errors import FetchError, ImageError
from similarity.images import decode_scaled, thumbnail
from similarity.models import Preprocessing
from similarity.sources import Item, Skipped, Source
from similarity.vectors import Vectors

T = TypeVar("T")

# How often progress is told, in seconds: drawing it costs time too.
TELL_EVERY = 0.1
# How many pictures may be read and decoded ahead of the network, which bounds the memory they take.
AHEAD = 96
# How many pictures tell an int8 network its ranges.
CALIBRATION_PICTURES = 300


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a long task is.

    Attributes:
        task: what is going on, as a person reads it.
        done: items dealt with, skipped ones included.
        total: items in all; 0 where nothing is counted.
        seconds: since the first item was taken up.
    """

    task: str
    done: int = 0
    total: int = 0
    seconds: float = 0.0

    @property
    def images_per_second(self) -> float:
        """So far."""
        return self.done / self.seconds if self.seconds else 0.0

    @property
    def seconds_left(self) -> float:
        """If it goes on like this; 0 as long as nothing is known."""
        return (self.total - self.done) * self.seconds / self.done if self.done else 0.0


OnProgress = Callable[[Progress], object]


@dataclass(frozen=True, slots=True)
class Embedded:
    """An item with what its file turned out to be.

    Attributes:
        item: with its width, height, size, mtime and sha256.
        vector: float32 (dim,), of unit length.
        thumbnail: a small JPEG, or nothing if none was asked for.
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
    source: Source, embedder: Embedder, *, thumbnails: bool = True, progress: OnProgress | None = None
) -> Iterator[Embedded | Skipped]:
    """Embed every item of a source, in its order; a file that cannot be used costs only itself.

    Args:
        thumbnails: whether to make one of each picture.
        progress: told how far it is.
    """
    report = _Reporter(len(source.items), progress)
    with _pool(source) as pool:
        prepared = _ahead(pool, source.items, lambda item: _prepare(source, item, embedder, thumbnails))
        batches, to_embed = itertools.tee(_batches(prepared, embedder.batch))
        pixels = (_stack(batch, embedder.backbone.preprocessing) for batch in to_embed)
        for vectors, batch in zip(embedder.embed_stream(pixels), batches, strict=True):
            yield from _joined(batch, vectors)
            report.advance(len(batch))


def read_pixels(source: Source, how: Preprocessing, count: int) -> Pixels:
    """Pictures from all over a source, as a network takes them: uint8 (0..count, crop, crop, 3)."""
    step = max(1, -(-len(source.items) // count))

    def read(item: Item) -> Pixels | None:
        try:
            return preprocess(decode_scaled(source.read(item).data, item.path, side=how.resize).image, how)
        except (ImageError, FetchError):
            return None  # it is reported when it is indexed

    with _pool(source) as pool:
        found = [pixels for pixels in _ahead(pool, source.items[::step], read) if pixels is not None]
    return np.stack(found) if found else np.empty((0, how.crop, how.crop, 3), np.uint8)


class _Reporter:
    """Tells how far it is, ten times a second and at the end."""

    def __init__(self, total: int, tell: OnProgress | None) -> None:
        self._total = total
        self._tell = tell
        self._done = 0
        self._started = time.perf_counter()
        self._told = 0.0

    def advance(self, count: int) -> None:
        """So many more items have been dealt with."""
        self._done += count
        seconds = time.perf_counter() - self._started
        if self._tell and (seconds - self._told >= TELL_EVERY or self._done == self._total):
            self._told = seconds
            self._tell(Progress("Indexing", self._done, self._total, seconds))


@contextmanager
def _pool(source: Source) -> Iterator[ThreadPoolExecutor]:
    """Threads that read; what they have not begun is dropped at the end."""
    pool = ThreadPoolExecutor(source.readers, thread_name_prefix="read")
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _ahead(pool: ThreadPoolExecutor, items: Sequence[Item], work: Callable[[Item], T]) -> Iterator[T]:
    """Results in order, computed by the pool, never more than AHEAD of them waiting."""
    waiting: deque[Future[T]] = deque()
    for item in items:
        waiting.append(pool.submit(work, item))
        if len(waiting) >= AHEAD:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _prepare(source: Source, item: Item, embedder: Embedder, thumbnails: bool) -> _Prepared | Skipped:
    """Read and decode one item, in a thread of the pool."""
    try:
        file = source.read(item)
        decoded = embedder.decode(file.data, item.path)
    except ImageError as error:
        return Skipped(source.whereabouts(item), error.reason)
    except FetchError as error:
        return Skipped(source.whereabouts(item), str(error))
    known = replace(
        item,
        width=decoded.width,
        height=decoded.height,
        size=len(file.data),
        mtime=file.mtime,
        sha256=hashlib.sha256(file.data).hexdigest(),
    )
    small = thumbnail(decoded.image) if thumbnails else b""
    return _Prepared(known, embedder.prepare(decoded.image), small)


def _batches(results: Iterator[_Prepared | Skipped], size: int) -> Iterator[list[_Prepared | Skipped]]:
    """Batches with `size` pictures each, the last excepted, and whatever was skipped between them."""
    batch: list[_Prepared | Skipped] = []
    pictures = 0
    for result in results:
        batch.append(result)
        pictures += isinstance(result, _Prepared)
        if pictures == size:
            yield batch
            batch, pictures = [], 0
    if batch:
        yield batch


def _stack(batch: list[_Prepared | Skipped], how: Preprocessing) -> Pixels:
    """The pixels of a batch's pictures, uint8 (0..size, crop, crop, 3)."""
    pixels = [result.pixels for result in batch if isinstance(result, _Prepared)]
    return np.stack(pixels) if pixels else np.empty((0, how.crop, how.crop, 3), np.uint8)


def _joined(batch: list[_Prepared | Skipped], vectors: Vectors) -> Iterator[Embedded | Skipped]:
    """A batch's results with their vectors."""
    rows = iter(vectors)
    for result in batch:
        if isinstance(result, Skipped):
            yield result
        else:
            yield Embedded(result.item, next(rows), result.thumbnail)
