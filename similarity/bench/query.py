"""Time of a query, from the bytes of a picture to its hits, and of the whole command in a fresh process."""

import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from similarity.bench.machine import describe_machine
from similarity.bench.scratch_home import scratch_home
from similarity.embedding.precision import Precision
from similarity.errors import SimilarityError
from similarity.gallery import Gallery
from similarity.images.decoding import read_file
from similarity.processes import run_module
from similarity.progress import OnProgress, Progress
from similarity.storage.inventory import find_gallery

QUERIES = 200
THREADS = 8
COLD_STARTS = 5
NAME = "bench"

T = TypeVar("T")


def bench_query(
    folder: Path, *, model: str = "auto", precision: Precision = "auto", progress: OnProgress | None = None
) -> dict[str, Any]:
    """Index a folder, then search it with up to 200 of its own pictures, one at a time and from 8 threads at once.

    Raises:
        SourceError: there is no picture that can be read. ModelError: the model is not available.
    """
    report_progress = progress or (lambda _: None)
    with scratch_home(model) as (choice, real):
        gallery = Gallery.build(folder, find_gallery(NAME), model=choice, precision=precision, progress=report_progress)
        paths = [item.path for item in gallery.items]
        files = [read_file(path)[0] for path in paths[:: max(1, -(-len(paths) // QUERIES))]]
        report_progress(Progress("Searching"))
        time_all(gallery.search, files, threads=THREADS)  # warms up
        alone, _ = time_all(gallery.search, files, threads=1)
        together, per_second = time_all(gallery.search, files, threads=THREADS)
        report_progress(Progress("Searching in fresh processes"))
        cold = [_search_in_a_fresh_process(paths[0]) for _ in range(1 + COLD_STARTS)][1:]
        return {
            "model": choice.backbone.name,
            "weights": "pretrained" if real else "random",
            "precision": gallery.manifest.precision,
            "gallery_pictures": len(gallery),
            "queries": len(files),
            "p50_ms": percentile(alone, 50),
            "p95_ms": percentile(alone, 95),
            "threads": THREADS,
            "p50_ms_threads": percentile(together, 50),
            "p95_ms_threads": percentile(together, 95),
            "queries_per_s_threads": round(per_second, 1),
            "cold_start_ms": round(statistics.median(cold)),
            "cold_start_ms_all": [round(seconds) for seconds in cold],
            "machine": describe_machine(),
        }


def time_all(work: Callable[[T], object], cases: Sequence[T], *, threads: int) -> tuple[list[float], float]:
    """Return the time of each piece of work, in milliseconds, and how many are done a second by some threads."""

    def timed(case: T) -> float:
        started = time.perf_counter()
        work(case)
        return 1000 * (time.perf_counter() - started)

    started = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        taken = list(pool.map(timed, cases))
    return taken, len(cases) / (time.perf_counter() - started)


def _search_in_a_fresh_process(path: str) -> float:
    """The wall time of the command, in milliseconds."""
    started = time.perf_counter()
    done = run_module("similarity", "search", path, "--gallery", NAME, "--json")
    if done.returncode:
        raise SimilarityError(f"The search in a new process failed: {done.stderr.strip()}")
    return 1000 * (time.perf_counter() - started)


def percentile(values: Sequence[float], percent: int) -> float:
    """Return a percentile of some values, rounded to a tenth."""
    if len(values) == 1:
        return round(values[0], 1)
    return round(statistics.quantiles(values, n=100, method="inclusive")[percent - 1], 1)
