"""Building or measuring one index in a separate process, so that memory is its own; also indexes of other libraries.

python -m similarity.bench.indexes build RECIPE FOLDER VECTORS
python -m similarity.bench.indexes measure RECIPE FOLDER VECTORS ACCURACY

The folder holds queries.npy and truth.npy (their exact nearest rows); the index is put there, and facts about it.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from similarity.bench.libraries import LIBRARIES
from similarity.bench.machine import peak_rss_mb
from similarity.search import Accuracy, Rows, Selection, build_index, load_index
from similarity.vectors.arrays import Vectors
from similarity.vectors.memmap import StoredVectors

QUERIES, TRUTH = "queries.npy", "truth.npy"
K, THREADS = 10, 16
# The most single queries and seconds of timing, and the share of rows that a filter leaves.
TIMED, SECONDS, FILTERED = 300, 20.0, 0.01

# Float32 (m, dim) to the K best rows, int64 (m, K).
Find = Callable[[Vectors], Rows]


def main() -> None:
    """Build or measure as the command line says, and print the result as JSON."""
    task, recipe, folder, vectors, *accuracy = sys.argv[1:]
    if task == "build":
        report = build(recipe, Path(folder), Path(vectors))
    else:
        report = measure(recipe, Path(folder), Path(vectors), accuracy[0])  # type: ignore[arg-type]
    sys.stdout.write(json.dumps(report) + "\n")


def build(recipe: str, folder: Path, file: Path) -> dict[str, Any]:
    """Build an index and save it."""
    vectors = StoredVectors(file)
    started = time.perf_counter()
    if recipe in LIBRARIES:
        LIBRARIES[recipe].build(vectors, folder / recipe)
    else:
        index = build_index(recipe, vectors)
        index.save(folder / recipe)
        (folder / f"{recipe}.json").write_text(json.dumps(index.facts))
    seconds = time.perf_counter() - started
    size = _bytes(folder / recipe) / max(1, len(vectors))
    return {"build_s": round(seconds, 1), "bytes_per_vector": round(size), "build_peak_mb": peak_rss_mb()}


def measure(recipe: str, folder: Path, file: Path, accuracy: Accuracy) -> dict[str, Any]:
    """Load an index and measure its searches."""
    queries, truth = np.load(folder / QUERIES), np.load(folder / TRUTH)
    if recipe in LIBRARIES:
        find = LIBRARIES[recipe].load(folder / recipe, queries.shape[1])
        return _measure_searches(lambda batch: find(batch, K, None), queries, truth)
    vectors = StoredVectors(file)
    index = load_index(recipe, folder / recipe, json.loads((folder / f"{recipe}.json").read_text()), vectors)
    report = _measure_searches(lambda batch: index.search(batch, K, accuracy=accuracy)[1], queries, truth)
    selection = Selection(np.flatnonzero(np.random.default_rng(2).random(len(vectors)) < FILTERED))
    if not len(selection):  # with very few vectors
        return report
    times, rows = _one_by_one(lambda batch: index.search(batch, K, among=selection, accuracy=accuracy)[1], queries)
    exact = selection.rows[np.argsort(-(queries[: len(rows)] @ vectors[selection.rows].T), axis=1)[:, :K]]
    report["filtered_p50_ms"] = round(statistics.median(times), 2)
    report["filtered_recall@10"] = round(_recall(rows, exact), 4)
    return report


def _measure_searches(find: Find, queries: Vectors, truth: Rows) -> dict[str, Any]:
    """Measure searches one by one, in one batch, and from many threads."""
    find(queries[:1])
    times, rows = _one_by_one(find, queries)
    resident = psutil.Process().memory_info().rss / 1e6
    started = time.perf_counter()
    together = find(queries)
    batch = len(queries) / (time.perf_counter() - started)
    timed = len(rows)
    alone, _ = _from_threads(find, queries[:timed], 1)
    rate, answers = _from_threads(find, queries[:timed], THREADS)
    return {
        "resident_mb": round(resident),
        "p50_ms": round(statistics.median(times), 2),
        "p95_ms": round(float(np.percentile(times, 95)), 2),
        "recall@10": round(_recall(together, truth), 4),
        "queries_per_s_batch": round(batch, 1),
        "queries_per_s_1_thread": round(alone, 1),
        f"queries_per_s_{THREADS}_threads": round(rate, 1),
        "other_answers_from_threads": int((answers != rows).any(axis=1).sum()),
    }


def _one_by_one(find: Find, queries: Vectors) -> tuple[list[float], Rows]:
    """Time queries one by one, within SECONDS; returns their times in milliseconds, and the rows."""
    times: list[float] = []
    rows = []
    started = time.perf_counter()
    for number in range(min(TIMED, len(queries))):
        before = time.perf_counter()
        rows.append(find(queries[number : number + 1])[0])
        times.append(1000 * (time.perf_counter() - before))
        if time.perf_counter() - started > SECONDS:
            break
    return times, np.array(rows)


def _from_threads(find: Find, queries: Vectors, threads: int) -> tuple[float, Rows]:
    """Run queries from several threads; returns queries a second, and the rows."""
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda _: find(queries[:1]), range(threads)))
        started = time.perf_counter()
        rows = list(pool.map(lambda number: find(queries[number : number + 1])[0], range(len(queries))))
        return len(queries) / (time.perf_counter() - started), np.array(rows)


def _recall(rows: Rows, truth: Rows) -> float:
    return float(
        np.mean([len(set(answer) & set(exact)) / len(exact) for answer, exact in zip(rows, truth, strict=False)])
    )


def _bytes(path: Path) -> int:
    """Size of a file, or of all files of a folder."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files)


if __name__ == "__main__":
    main()
