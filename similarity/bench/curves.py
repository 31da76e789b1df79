"""VIBE's protocol: how many queries a second an index answers on one core, by the share of the 100 nearest it finds.

python -m similarity.bench.curves RECIPE FOLDER VECTORS

measures one index, which `similarity.bench.indexes build` has put into the folder, in a process of its own.
"""

import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from similarity.bench.indexes import QUERIES, TRUTH
from similarity.bench.libraries import LIBRARIES
from similarity.search import Rows, load_index
from similarity.search.faiss.inverted import InvertedIndex
from similarity.search.faiss_library import faiss
from similarity.vectors.arrays import Vectors
from similarity.vectors.memmap import StoredVectors

# The number of results, and the shares of the nearest that VIBE compares indexes at.
K, RECALLS = 100, (0.95, 0.99)
# How much graphs search; and the recall from which on more is not tried.
EFFORTS, ENOUGH = (100, 150, 200, 300, 400, 600, 800, 1200, 1600), 0.998
# Times that all queries are asked, one by one, and the seconds after which no more are.
ROUNDS, SECONDS = 3, 5.0

# One query, float32 (1, dim), to the K best rows, int64 (1, K).
Find = Callable[[Vectors], Rows]


def main() -> None:
    """Measure as the command line says, and print the result as JSON."""
    recipe, folder, vectors = sys.argv[1:]
    keep_to_one_core()
    sys.stdout.write(json.dumps(measure(recipe, Path(folder), Path(vectors))) + "\n")


def measure(recipe: str, folder: Path, file: Path) -> dict[str, Any]:
    """Load an index and measure its curve: points of setting, recall and queries a second."""
    queries, truth = np.load(folder / QUERIES), np.load(folder / TRUTH)
    points: list[dict[str, float]] = []
    for setting, find in _settings(recipe, folder, file):
        points.append({"setting": setting} | _point(find, queries, truth))
        if points[-1]["recall"] >= ENOUGH:
            break
    best = {f"queries_per_s@{recall}": _best(points, recall) for recall in RECALLS}
    return {"points": points} | best


def keep_to_one_core() -> None:
    """Keep this process to one core, where the system can; where it cannot, FAISS at least uses one thread."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    faiss.omp_set_num_threads(1)


def _settings(recipe: str, folder: Path, file: Path) -> Iterator[tuple[int, Find]]:
    """Yield the settings of an index, from the fastest to the most accurate one, with a search by each."""
    path, vectors = folder / recipe, StoredVectors(file)
    if recipe in LIBRARIES:
        find_more = LIBRARIES[recipe].load(path, vectors.dim)
        yield from ((effort, lambda query, effort=effort: find_more(query, K, effort)) for effort in EFFORTS)
        return
    index = load_index(recipe, path, json.loads((folder / f"{recipe}.json").read_text()), vectors)
    if not isinstance(index, InvertedIndex):
        yield 0, lambda query: index.search(query, K)[1]
        return
    probes = 1
    while True:
        yield probes, lambda query, probes=probes: index.answer(query, K, probes, 2 * K)[1]  # type: ignore[misc]
        if probes == index.count_of_lists:
            return
        probes = min(2 * probes, index.count_of_lists)


def _point(find: Find, queries: Vectors, truth: Rows) -> dict[str, float]:
    """Ask all queries one by one; returns recall, and the median of the rounds' queries a second."""
    find(queries[:1])
    rates: list[float] = []
    rows: list[Rows] = []
    for _ in range(ROUNDS):
        rows, started = [], time.perf_counter()
        for number in range(len(queries)):
            rows.append(find(queries[number : number + 1])[0])
            if time.perf_counter() - started > SECONDS:
                break
        rates.append(len(rows) / (time.perf_counter() - started))
    shares = [len(set(row) & set(exact[:K])) / min(K, len(exact)) for row, exact in zip(rows, truth, strict=False)]
    return {"recall": round(float(np.mean(shares)), 4), "queries_per_s": round(statistics.median(rates), 1)}


def _best(points: list[dict[str, float]], recall: float) -> float | None:
    """Return the most queries a second at this recall or above; None if no setting finds as much."""
    return max((point["queries_per_s"] for point in points if point["recall"] >= recall), default=None)


if __name__ == "__main__":
    main()
