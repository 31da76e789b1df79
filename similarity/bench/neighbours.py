"""Time, memory and recall of finding the neighbours of a large gallery, on synthetic vectors."""

import itertools
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from similarity.bench.machine import describe_machine, peak_rss_mb
from similarity.bench.synthetic import World
from similarity.errors import SearchError
from similarity.paths import EMBEDDINGS
from similarity.progress import OnProgress, Reporter
from similarity.search import AUTO, Rows, build_index, choose_recipe
from similarity.search.neighbours import (
    candidates_of,
    find_neighbours,
    nearest_of_all,
    update_neighbours,
    without_moved,
)
from similarity.vectors.arrays import Nearest, Vectors
from similarity.vectors.centred import CentredRows
from similarity.vectors.effort import Effort
from similarity.vectors.memmap import StoredVectors, write_vectors
from similarity.vectors.refined import CANDIDATES, NEAREST, Refined
from similarity.vectors.refinement import refine

BLOCK, SAMPLE, ADDED = 4_000, 1_000, 1_000
# An index of fewer has too few lists to measure.
FEWEST = 1_000
# Numbers of the blocks of queries, and of pictures that are added.
QUERIES, NEW = 0, 1 << 20


def bench_neighbours(count: int = 200_000, dim: int = 1280, *, progress: OnProgress | None = None) -> dict[str, Any]:
    """Find the neighbours of synthetic vectors, refine with them, add some, and compare with exact neighbours.

    Args:
        count: number of vectors.
        dim: their length.

    Raises:
        SearchError: there are too few vectors.
    """
    if count < FEWEST:
        raise SearchError(f"{count} vectors are too few to measure: take at least {FEWEST:,}.")
    world = World(dim)
    with tempfile.TemporaryDirectory(prefix="similarity-bench-") as place:
        folder, more = Path(place), Path(place, "more")
        more.mkdir()
        stored = _write(folder, _blocks(world, count), (count, dim), Reporter(count, progress, task="Making vectors"))
        started, computed = time.perf_counter(), time.process_time()
        refined = refine(folder, stored, "neighbours", find=lambda centred: find_neighbours(centred, progress=progress))
        facts = {"find_s": time.perf_counter() - started, "find_core_s": time.process_time() - computed}
        facts |= {"apply_s": _read_all(refined), "peak_rss_mb": peak_rss_mb()}
        facts |= {"recall": _recall_of_sample(_centred(stored, refined), _nearest(refined))}
        facts |= _measure_queries(refined, world.block(SAMPLE, QUERIES), progress)
        grown = itertools.chain((block for _, block in stored.blocks()), [world.block(ADDED, NEW)])
        facts |= _measure_addition(refined, _write(more, grown, (count + ADDED, dim)))
    return {
        "count": count,
        "dim": dim,
        "expected": asdict(Effort.of(count, dim)),
        **{name: round(value, 4) for name, value in facts.items()},
        "machine": describe_machine(),
    }


def _blocks(world: World, count: int) -> Iterator[Vectors]:
    return (world.block(min(BLOCK, count - start), 1 + start // BLOCK) for start in range(0, count, BLOCK))


def _write(
    folder: Path, blocks: Iterator[Vectors], shape: tuple[int, int], report: Reporter | None = None
) -> StoredVectors:
    def reported() -> Iterator[Vectors]:
        for block in blocks:
            yield block
            if report:
                report.advance(len(block))

    write_vectors(folder / EMBEDDINGS, shape, reported())
    return StoredVectors(folder / EMBEDDINGS)


def _centred(stored: StoredVectors, refined: StoredVectors) -> StoredVectors:
    """Return the embeddings of a file around the centre of refined vectors."""
    return stored.compared_by(Refined(stored.rows, _centre(refined)))


def _centre(refined: StoredVectors) -> Vectors:
    if refined.centre is None:
        raise ValueError("vectors without a centre")
    return refined.centre


def _nearest(refined: StoredVectors) -> Nearest:
    if refined.nearest is None:
        raise ValueError("vectors without neighbours")
    return refined.nearest


def _read_all(vectors: StoredVectors) -> float:
    """Return the seconds to compute all refined vectors once, as building an index does."""
    started = time.perf_counter()
    for _ in vectors.blocks():
        pass
    return time.perf_counter() - started


def _recall_of_sample(centred: StoredVectors, nearest: Nearest) -> float:
    """Return the share of exact neighbours that were found, for a sample of rows."""
    rows = np.random.default_rng(0).choice(len(centred), min(SAMPLE, len(centred)), replace=False)
    return _recall(nearest[rows], nearest_of_all(centred, centred[rows]))


def _recall(found: Rows | Nearest, exact: Nearest) -> float:
    return float((found[:, :, np.newaxis] == exact[:, np.newaxis]).any(axis=1).mean())


def _measure_queries(refined: StoredVectors, queries: Vectors, progress: OnProgress | None) -> dict[str, float]:
    """Measure how well the index of refined vectors finds the neighbours of queries, and milliseconds to refine one."""
    started = time.perf_counter()
    index = build_index(choose_recipe(AUTO, *refined.shape).name, refined, progress)
    index_s = time.perf_counter() - started
    find, rows = candidates_of(index), CentredRows(refined.rows, _centre(refined))
    asked = rows.apply(queries)
    found, _ = rows.best_of(asked, find(asked, CANDIDATES), NEAREST)
    alone = refined.with_candidates(find)
    started = time.perf_counter()
    for query in queries[: SAMPLE // 10]:
        alone.refine(query[np.newaxis])
    query_ms = (time.perf_counter() - started) / len(queries[: SAMPLE // 10]) * 1000
    recall = _recall(found, nearest_of_all(_centred(refined, refined), asked)[:, :NEAREST])
    return {"index_s": index_s, "query_recall": recall, "query_ms": query_ms}


def _measure_addition(refined: StoredVectors, grown: StoredVectors) -> dict[str, float]:
    """Measure the seconds to add pictures, how many others are moved by them, and the recall afterwards."""
    before, centred = _nearest(refined), _centred(grown, refined)
    origins = np.concatenate([np.arange(len(refined)), np.full(len(grown) - len(refined), -1)])
    started = time.perf_counter()
    after = update_neighbours(centred, before, origins)
    add_s = time.perf_counter() - started
    if after is None:
        raise SearchError("Finding all neighbours anew takes less time than adding some: take more vectors.")
    moved = int((without_moved(origins, before, after, NEAREST)[: len(refined)] < 0).sum())
    return {"add_s": add_s, "add_moved": moved, "add_recall": _recall_of_sample(centred, after)}
