"""Benchmark of the second look's errors: pairs of different pictures, each other's nearest, that it calls the same."""

import random
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

from similarity.bench.machine import describe_machine
from similarity.errors import FetchError, ImageError, SearchError
from similarity.gallery import Gallery, open_gallery
from similarity.images.decoding import THUMBNAIL_SIDE
from similarity.progress import OnProgress, Reporter
from similarity.query.copies import Copy, QueryKeypoints
from similarity.query.gallery_copies import look_again
from similarity.search import Rows
from similarity.sources import Item
from similarity.sources.originals import read_original

# Pairs that are listed besides those called the same: the surest of the others.
NEXT = 50

Found = tuple[Item, Item, Copy]


def bench_copy_pairs(
    gallery: str | Gallery, *, pairs: int = 100_000, seed: int = 0, progress: OnProgress | None = None
) -> dict[str, Any]:
    """Look a second time at the pictures nearest to pictures of a gallery, with other contents.

    Local features of the gallery's pictures are stored beside their thumbnails; otherwise it stays as it is.

    Args:
        pairs: how many to look at. All pictures are compared with as many of their nearest; in a gallery of more
            pictures than that, some with the nearest one.
        seed: another one draws others.

    Returns:
        How many pairs there were, those called the same picture, and the surest of the others, each with the ids of
        the picture that was the query and of the other, the probability and the number of matches. Some show the same
        picture in truth: which do is for a person to say.

    Raises:
        SearchError: the gallery has fewer than two pictures that can be read and differ.
    """
    opened, started = gallery if isinstance(gallery, Gallery) else open_gallery(gallery), time.perf_counter()
    reporter, looked, found = Reporter(pairs, progress, task="Comparing"), 0, list[Found]()
    for item, others in islice(_nearest(opened, pairs, seed), pairs):
        others = others[: pairs - looked]
        try:
            query = QueryKeypoints.of(read_original(item).decode(side=THUMBNAIL_SIDE))
        except (ImageError, FetchError):
            continue
        found += _look(opened, query, item, others)
        looked += len(others)
        reporter.advance(len(others))
        if looked >= pairs:
            break
    if not looked:
        raise SearchError(f"{opened.name} has fewer than two pictures that differ: there is nothing to compare.")
    found.sort(key=lambda pair: -pair[2].inliers)
    same = [pair for pair in found if pair[2].is_proven]
    return {
        "gallery": opened.name,
        "pairs": looked,
        "seed": seed,
        "called_the_same": [_describe(pair) for pair in same],
        "next": [_describe(pair) for pair in found[len(same) : len(same) + NEXT]],
        "seconds": round(time.perf_counter() - started, 1),
        "machine": describe_machine(),
    }


def _nearest(gallery: Gallery, pairs: int, seed: int) -> Iterator[tuple[Item, list[Item]]]:
    """Yield pictures in random order with the nearest others that have another content."""
    count = min(-(-pairs // len(gallery)), len(gallery) - 1)
    for row in random.Random(seed).sample(range(len(gallery)), len(gallery)):
        item, near = gallery.items[row], _rows(gallery, row, count)
        yield item, [other for other in (gallery.items[one] for one in near) if other.sha256 != item.sha256]


def _rows(gallery: Gallery, row: int, count: int) -> list[int]:
    found: Rows = gallery.nearest_rows(gallery.vectors[row], count + 1)
    return [int(other) for other in found if other != row][:count]


def _look(gallery: Gallery, query: QueryKeypoints, item: Item, others: list[Item]) -> list[Found]:
    """Return what a transform fits, with what was found."""
    copies = look_again(gallery, query, others)
    return [(item, other, copy) for other, copy in zip(others, copies, strict=True) if copy is not None]


def _describe(pair: Found) -> dict[str, Any]:
    query, other, copy = pair
    return {"query": query.id, "id": other.id, "probability": round(copy.probability, 4), "inliers": copy.inliers}
