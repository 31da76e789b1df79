"""The pipeline from a source's items to embeddings: threads read and decode ahead of the network."""

import hashlib
import itertools
from collections import deque
from collections.abc import Callable, Container, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from similarity.embedding.backbones import Preprocessing
from similarity.embedding.embedder import Embedder
from similarity.embedding.engines import Pixels
from similarity.embedding.feature_maps import FeatureMap
from similarity.embedding.map_placing import place
from similarity.embedding.regions import embed_regions, stream_with_maps
from similarity.embedding.views import merge, windows
from similarity.errors import FetchError, ImageError
from similarity.images.decoding import decode_scaled, read_exif, thumbnail
from similarity.images.exif import without_place
from similarity.progress import REPORT_EVERY, OnProgress, Reporter
from similarity.sources import Item, Skipped, Source
from similarity.vectors.arrays import Vectors

S = TypeVar("S")
T = TypeVar("T")

# Maximum number of pictures that are read and decoded ahead of the network, which bounds memory.
AHEAD = 96


@dataclass(frozen=True, slots=True)
class Embedded:
    """An embedded item.

    Attributes:
        item: the item, with width, height, size, mtime, sha256 and exif.
        vector: float32 (dim,), of unit length.
        thumbnail: a small JPEG; empty without thumbnails.
        parts: the embeddings of its regions, float32 (regions, dim), of unit length, if they were asked for.
    """

    item: Item
    vector: Vectors
    thumbnail: bytes
    parts: Vectors | None = None


@dataclass(frozen=True, slots=True)
class Recognised:
    """An item whose content is embedded already.

    Attributes:
        item: the item, with size, mtime, sha256 and exif.
    """

    item: Item


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A decoded item: `pixels` is what the network is given, uint8 (windows, crop, crop, 3), of a picture of `size`."""

    item: Item
    pixels: Pixels
    thumbnail: bytes
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Extras:
    """What is kept of a picture beside its vector, if a gallery wants it.

    Attributes:
        gps: where it was taken.
        parts: the embeddings of its regions; the model must have them, see `regions.py`.
    """

    gps: bool = False
    parts: bool = False


NO_EXTRAS = Extras()
# Makes the context in which an item is decoded, in a thread of the pool.
Around = Callable[[Item], AbstractContextManager[object]]
Result = Embedded | Recognised | Skipped
_Read = _Prepared | Recognised | Skipped


def embed_source(
    source: Source,
    embedder: Embedder,
    *,
    items: Sequence[Item] | None = None,
    known: Container[str] = frozenset(),
    thumbnails: bool = True,
    extras: Extras = NO_EXTRAS,
    around: Around = lambda _: nullcontext(),
    progress: OnProgress | None = None,
) -> Generator[Result]:
    """Embed items of a source, in order; a file that cannot be used is skipped.

    No content is embedded twice: of files with the same content, the first is embedded and the others are recognised.

    Args:
        items: the items to embed; by default all of the source.
        known: the SHA-256 of contents that are embedded already.
        thumbnails: whether to make a thumbnail of each picture.
        extras: what else to keep of each picture.
        around: makes the context in which an item is decoded; it is called in the thread that decodes.
        progress: called with the progress, also while nothing can be read; what it raises ends the work.
    """
    items = source.items if items is None else items
    report = Reporter(len(items), progress)

    def read(item: Item) -> _Read:
        return _reduced(_prepare(source, item, embedder, known, thumbnails, around), extras.gps)

    with reader_pool(source) as pool:
        prepared = ahead(pool, items, read, on_wait=lambda: report.advance(0))
        batches, to_embed = itertools.tee(_batches(_once(_counted(prepared, report)), embedder.batch))
        pixels = (_stack(batch, embedder.backbone.preprocessing) for batch in to_embed)
        embedded = (
            stream_with_maps(embedder, pixels) if extras.parts else ((one, ()) for one in embedder.embed_stream(pixels))
        )
        for (vectors, maps), batch in zip(embedded, batches, strict=True):
            yield from _join(batch, vectors, maps, embedder)
            if done := sum(not isinstance(result, Skipped) for result in batch):
                report.advance(done)


@contextmanager
def reader_pool(source: Source) -> Iterator[ThreadPoolExecutor]:
    """Threads that read; tasks that have not begun are dropped at the end."""
    pool = ThreadPoolExecutor(source.readers, thread_name_prefix="read")
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def ahead(
    pool: ThreadPoolExecutor,
    items: Iterable[S],
    work: Callable[[S], T],
    *,
    on_wait: Callable[[], object] = lambda: None,
) -> Iterator[T]:
    """Results in order, computed by the pool, never more than AHEAD of them waiting.

    Args:
        on_wait: called again and again while the next result takes long; what it raises ends the work.
    """
    waiting: deque[Future[T]] = deque()

    def first() -> T:
        future = waiting.popleft()
        while not future.done() and not wait([future], REPORT_EVERY).done:
            on_wait()
        return future.result()

    for item in items:
        waiting.append(pool.submit(work, item))
        if len(waiting) >= AHEAD:
            yield first()
    while waiting:
        yield first()


def identify(
    source: Source, items: Sequence[Item], known: Container[str], *, side: int
) -> Iterator[Recognised | Skipped]:
    """Read items of a source, in order, for their hashes; one that cannot be decoded is skipped.

    Args:
        known: the SHA-256 of contents that were decoded before, and need not be again.
        side: pixels of the shorter side that an embedder would decode.
    """

    def look(item: Item) -> Recognised | Skipped:
        read = _read(source, item)
        if isinstance(read, Skipped):
            return read
        file, data = read
        if file.sha256 not in known:
            try:
                decode_scaled(data, item.path, side=side)
            except ImageError as error:
                return Skipped(source.whereabouts(item), error.reason, source.name)
        return Recognised(file)

    with reader_pool(source) as pool:
        yield from ahead(pool, items, look)


def _read(source: Source, item: Item) -> tuple[Item, bytes] | Skipped:
    """Read an item's file: the item with size, time and hash, and the bytes."""
    try:
        file = source.read(item)
    except ImageError as error:
        return Skipped(source.whereabouts(item), error.reason, source.name)
    except FetchError as error:
        return Skipped(source.whereabouts(item), str(error), source.name)
    sha256 = hashlib.sha256(file.data).hexdigest()
    return replace(item, size=len(file.data), mtime=file.mtime, sha256=sha256), file.data


def _prepare(
    source: Source, item: Item, embedder: Embedder, known: Container[str], thumbnails: bool, around: Around
) -> _Read:
    """Read an item, and decode it if its content is new; runs in a thread of the pool."""
    read = _read(source, item)
    if isinstance(read, Skipped):
        return read
    file, data = read
    if file.sha256 in known:
        return Recognised(replace(file, exif=read_exif(data)))
    try:
        with around(item):
            decoded = embedder.decode(data, item.path)
    except ImageError as error:
        return Skipped(source.whereabouts(item), error.reason, source.name)
    small = thumbnail(decoded.image) if thumbnails else b""
    sized = replace(file, width=decoded.width, height=decoded.height, exif=decoded.exif)
    return _Prepared(sized, embedder.prepare_views(decoded.image), small, decoded.image.size)


def _reduced(read: _Read, gps: bool) -> _Read:
    """Forget where a picture was taken, unless that was asked for."""
    if gps or isinstance(read, Skipped) or not read.item.exif:
        return read
    return replace(read, item=replace(read.item, exif=without_place(read.item.exif)))


def _counted(results: Iterable[_Read], report: Reporter) -> Iterator[_Read]:
    """Count skipped items as they come; all report, so that whoever cancels need not wait for a batch to be full."""
    for result in results:
        report.advance(isinstance(result, Skipped))
        yield result


def _once(results: Iterator[_Read]) -> Iterator[_Read]:
    """Keep only the first of several pictures with the same content for embedding."""
    seen: set[str] = set()
    for result in results:
        if isinstance(result, _Prepared) and result.item.sha256 in seen:
            yield Recognised(result.item)
            continue
        if isinstance(result, _Prepared):
            seen.add(result.item.sha256)
        yield result


def _batches(results: Iterator[_Read], size: int) -> Iterator[list[_Read]]:
    """Group results into batches of up to `size` windows, with results that need no embedding between them."""
    batch: list[_Read] = []
    filled = 0
    for result in results:
        more = len(result.pixels) if isinstance(result, _Prepared) else 0
        if filled + more > size:
            yield batch
            batch, filled = [], 0
        batch.append(result)
        filled += more
        if filled == size or len(batch) == AHEAD:
            yield batch
            batch, filled = [], 0
    if batch:
        yield batch


def _stack(batch: list[_Read], how: Preprocessing) -> Pixels:
    """Return the windows of a batch's pictures, uint8 (0..size, crop, crop, 3)."""
    pixels = [result.pixels for result in batch if isinstance(result, _Prepared)]
    return np.concatenate(pixels) if pixels else np.empty((0, how.crop, how.crop, 3), np.uint8)


def _join(batch: list[_Read], vectors: Vectors, maps: Sequence[FeatureMap], embedder: Embedder) -> Iterator[Result]:
    """Join the results of a batch with their vectors, and with their parts if there are maps."""
    row = 0
    for result in batch:
        if isinstance(result, _Prepared):
            count = len(result.pixels)
            parts = _parts(maps[row : row + count], result.size, embedder) if maps else None
            yield Embedded(result.item, merge(vectors[row : row + count]), result.thumbnail, parts)
            row += count
        else:
            yield result


def _parts(maps: Sequence[FeatureMap], size: tuple[int, int], embedder: Embedder) -> Vectors:
    """Embed the regions of a picture by the maps of its windows."""
    return embed_regions(place(maps, windows(size, embedder.backbone.preprocessing, embedder.view), size).cells)
