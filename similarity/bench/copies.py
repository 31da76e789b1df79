"""Benchmark of the second look: how often altered pictures find their source first, without and with it."""

import random
import statistics
import time
from collections.abc import Iterator, Sequence
from typing import Any

from PIL import Image

from similarity.bench.alterations import ALTERATIONS, COLLAGE
from similarity.bench.machine import describe_machine
from similarity.errors import FetchError, ImageError, SearchError
from similarity.gallery import Gallery, open_gallery
from similarity.progress import OnProgress, Reporter
from similarity.query.copies import CANDIDATES
from similarity.query.encoder import EncodedQuery
from similarity.query.second_look import search_with_copies
from similarity.sources import Item
from similarity.sources.originals import read_original

# Candidates of the second look that is timed.
TIMED = 50


def bench_copies(
    gallery: str | Gallery, *, count: int = 150, seed: int = 0, progress: OnProgress | None = None
) -> dict[str, Any]:
    """Alter pictures of a gallery in each way, and search it with them.

    Local features of the gallery's pictures are stored beside their thumbnails; otherwise it stays as it is.

    Args:
        count: how many pictures to draw.
        seed: another one draws others.

    Returns:
        For each alteration the share of queries whose source is first, without and with the second look, and among its
        candidates; the share called a copy of their source; the other pictures that were called one; and the
        milliseconds of the second look.

    Raises:
        SearchError: fewer than two pictures of the gallery can be read. ModelError: its model cannot be loaded.
    """
    opened, started = gallery if isinstance(gallery, Gallery) else open_gallery(gallery), time.perf_counter()
    pictures = list(_draw(opened, count, seed))
    if len(pictures) < 2:
        raise SearchError(f"{opened.name} has fewer than two pictures that can be read: there is nothing to measure.")
    reporter = Reporter(len(pictures) * len(ALTERATIONS), progress, task="Searching")
    found, took_ms = _measure(opened, pictures, seed, reporter)
    return {
        "gallery": opened.name,
        "pictures": len(pictures),
        "seed": seed,
        "alterations": [{"name": name, **_shares(rows)} for name, rows in found.items()],
        "others_called_copies": _others(found),
        "candidates_timed": min(TIMED, len(opened)),
        "p50_ms": round(statistics.median(took_ms), 1),
        "seconds": round(time.perf_counter() - started, 1),
        "machine": describe_machine(),
    }


def _measure(
    gallery: Gallery, pictures: Sequence[tuple[Item, Image.Image]], seed: int, reporter: Reporter
) -> tuple[dict[str, list[dict[str, Any]]], list[float]]:
    """Search with all alterations of pictures; returns what was found of each, and milliseconds of second looks."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in ALTERATIONS}
    took_ms: list[float] = []
    for place, (item, image) in enumerate(pictures):
        for number, (name, alter) in enumerate(ALTERATIONS.items()):
            other, beside = pictures[place - 1]
            query = gallery.encode(alter(image, beside, random.Random(f"{seed} {item.sha256} {name}")))
            found[name].append(_search(gallery, [item, other] if name == COLLAGE else [item], query))
            if (number - place) % len(ALTERATIONS) == 0:  # each alteration in turn: to time all would take a third more
                took_ms.append(_time(gallery, query))
            reporter.advance(1)
    return found, took_ms


def _others(found: dict[str, list[dict[str, Any]]]) -> list[list[Any]]:
    """Return the pairs of a source and another picture that was called a copy of it, each once."""
    return [list(pair) for pair in sorted({pair for rows in found.values() for row in rows for pair in row["others"]})]


def _draw(gallery: Gallery, count: int, seed: int) -> Iterator[tuple[Item, Image.Image]]:
    """Yield pictures of a gallery with their pixels; those that cannot be read are passed over."""
    rows = random.Random(seed).sample(range(len(gallery)), len(gallery))
    for row in rows:
        if count < 1:
            return
        try:
            item = gallery.items[row]
            yield item, read_original(item).decode()
            count -= 1
        except (ImageError, FetchError):
            continue


def _search(gallery: Gallery, sources: Sequence[Item], query: EncodedQuery) -> dict[str, Any]:
    """Search with an altered picture, which shows its sources: one, or both halves of a collage."""
    contents = {source.sha256 for source in sources}
    hits = gallery.search(query, CANDIDATES)
    pairs = search_with_copies(gallery, query, CANDIDATES)
    proven = [hit.item for hit, copy in pairs if copy is not None and copy.is_proven]
    return {
        "without": hits[0].item.sha256 in contents,
        "with": pairs[0][0].item.sha256 in contents,
        "among": any(hit.item.sha256 in contents for hit in hits),
        "proven": any(found.sha256 in contents for found in proven),
        "others": [(sources[0].id, found.id) for found in proven if found.sha256 not in contents],
    }


def _time(gallery: Gallery, query: EncodedQuery) -> float:
    """Return the milliseconds of a second look at the first hits, of which local features are stored."""
    hits = gallery.search(query, TIMED)
    gallery.find_copies(query, hits)  # stores local features that are missing
    started = time.perf_counter()
    gallery.find_copies(query, hits)
    return 1000 * (time.perf_counter() - started)


def _shares(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Return the shares of an alteration."""
    names = ("without", "with", "among", "proven")
    return {name: round(statistics.fmean(row[name] for row in rows), 4) for name in names}
