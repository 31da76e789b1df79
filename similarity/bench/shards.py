"""Benchmark of sets: what shards find, and the time that they take, beside one gallery of the same pictures."""

import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from similarity.bench.machine import describe_machine
from similarity.errors import SearchError
from similarity.gallery import Gallery, open_gallery
from similarity.progress import OnProgress, Reporter
from similarity.search import Hit
from similarity.vectors.arrays import Vectors, normalise

# What is added to a picture's embedding for a query that is like it: noise of this length.
NOISE = 0.5
K = 10


def bench_shards(
    gallery: str | Gallery, *, shards: int = 8, count: int = 1_000, seed: int = 0, progress: OnProgress | None = None
) -> dict[str, Any]:
    """Share out a copy of a gallery's pictures among shards, and search both with the same queries; it stays as it is.

    Args:
        shards: how many, at least 2.
        count: how many queries, made of its embeddings by adding noise.
        seed: another one makes others.

    Returns:
        Without refinement and with the gallery's own: the share of queries with the same first ten in the same order,
        recall@10 of one gallery's, the largest difference of their scores, and the milliseconds of both.

    Raises:
        SearchError: it cannot be a set of so many shards.
    """
    opened, started = gallery if isinstance(gallery, Gallery) else open_gallery(gallery), time.perf_counter()
    if shards == 1:
        raise SearchError("A set that is measured beside one gallery has 2 shards at least, not 1.")
    refinements = dict.fromkeys(("none", opened.manifest.refinement))
    queries, rows = _make_queries(opened.embeddings[:], count, seed), []
    report = Reporter(len(refinements) * count, progress, task="Searching")
    for refinement in refinements:
        with tempfile.TemporaryDirectory(prefix="similarity-bench-") as folder:
            one = opened.rebuild(refinement=refinement, into=Path(folder, "one")).rebalance(1)
            began = time.perf_counter()
            of_shards = one.rebuild(into=Path(folder, "set")).rebalance(shards)
            made_s = round(time.perf_counter() - began, 2)
            rows.append({"refinement": refinement, "made_s": made_s, **_compare(one, of_shards, queries, report)})
    return {
        "gallery": opened.name,
        "pictures": len(opened),
        "recipe": opened.manifest.recipe,
        "shards": shards,
        "queries": count,
        "seed": seed,
        "compared": rows,
        "seconds": round(time.perf_counter() - started, 1),
        "machine": describe_machine(),
    }


def _make_queries(embeddings: Vectors, count: int, seed: int) -> Vectors:
    """Return queries near to pictures, float32 (count, dim), rows of unit length."""
    chance = np.random.default_rng(seed)
    noise = normalise(chance.standard_normal((count, embeddings.shape[1])).astype(np.float32))
    return normalise(embeddings[chance.integers(0, len(embeddings), count)] + NOISE * noise)


def _compare(one: Gallery, of_shards: Gallery, queries: Vectors, report: Reporter) -> dict[str, Any]:
    """Search both with each query, in turns."""
    found: dict[str, list[Sequence[Hit]]] = {"one": [], "shards": []}
    took: dict[str, list[float]] = {"one": [], "shards": []}
    for query in queries:
        for name, gallery in (("one", one), ("shards", of_shards)):
            began = time.perf_counter()
            found[name].append(gallery.search_vector(gallery.refine(query[np.newaxis])[0], K))
            took[name].append(1000 * (time.perf_counter() - began))
        report.advance(1)
    pairs = list(zip(found["one"], found["shards"], strict=True))
    ids = [([hit.item.id for hit in first], [hit.item.id for hit in second]) for first, second in pairs]
    differences = [abs(a.score - b.score) for first, second in pairs for a, b in zip(first, second, strict=True)]
    one_ms, shards_ms = statistics.median(took["one"]), statistics.median(took["shards"])
    return {
        "same_hits": statistics.mean(first == second for first, second in ids),
        "recall@10": statistics.mean(len({*first} & {*second}) / len(first) for first, second in ids),
        "largest_difference": max(differences),
        "one_p50_ms": round(one_ms, 2),
        "shards_p50_ms": round(shards_ms, 2),
        "ratio": round(shards_ms / one_ms, 2),
    }
