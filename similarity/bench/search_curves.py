"""Curves of speed by recall for each index, by VIBE's protocol: the 100 nearest, on one core; see `curves.py`."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from similarity.bench.curves import RECALLS, K
from similarity.bench.indexes import QUERIES, TRUTH
from similarity.bench.libraries import installed
from similarity.bench.machine import describe_machine
from similarity.bench.made_vectors import Nearest
from similarity.bench.search import EXACT_AT_MOST, FILE, MAX_QUERIES, of_gallery, of_world, result_of, run_task
from similarity.bench.vibe import open_data_set
from similarity.errors import SearchError
from similarity.processes import run_module
from similarity.progress import OnProgress, Progress, Reporter
from similarity.search import Rows, choose_recipe
from similarity.search.recipes import FLAT, INVERTED, SCAN
from similarity.vectors.arrays import Vectors
from similarity.vectors.memmap import write_vectors


@dataclass(frozen=True, slots=True)
class Vectored:
    """Vectors to search, and queries.

    Attributes:
        name: where they are from.
        blocks: the vectors, in order.
        truth: the nearest rows of each query, if they are known.
    """

    name: str
    count: int
    blocks: Iterator[Vectors]
    queries: Vectors
    truth: Rows | None = None


def bench_curves(
    n: int = 100_000,
    dim: int = 1280,
    *,
    gallery: str | None = None,
    vibe: Path | None = None,
    progress: OnProgress | None = None,
) -> dict[str, Any]:
    """Measure the curve of every index that suits the vectors.

    Args:
        n: number of synthetic vectors.
        dim: their length.
        gallery: a gallery whose vectors are used instead.
        vibe: a data set of VIBE whose vectors, queries and nearest rows are used instead.

    Raises:
        SearchError: there are too few vectors, or the file is no such data set. GalleryError: there is no such gallery.
    """
    report_progress = progress or (lambda _: None)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="similarity-bench-")))
        given = _given(stack, n, dim, gallery, vibe)
        if given.count < K or not len(given.queries):
            raise SearchError(f"{given.count} vectors are too few to measure: take at least {K}.")
        _write(folder, given, progress)
        rows = []
        for recipe in _recipes(given.count, given.queries.shape[1]):
            report_progress(Progress(f"Measuring {recipe}"))
            built = run_task(folder, "build", recipe)
            done = run_module("similarity.bench.curves", recipe, folder, folder / FILE)
            rows.append({"recipe": recipe} | built | result_of(recipe, done))
    return {
        "n": given.count,
        "dim": given.queries.shape[1],
        "vectors": given.name,
        "queries": len(given.queries),
        "k": K,
        "recalls": list(RECALLS),
        "curves": rows,
        "machine": describe_machine(),
    }


def _given(stack: ExitStack, n: int, dim: int, gallery: str | None, vibe: Path | None) -> Vectored:
    if vibe:
        data = stack.enter_context(open_data_set(vibe))
        few = slice(MAX_QUERIES)
        return Vectored(vibe.name, data.shape[0], data.blocks(), data.queries[few], data.truth[few, :K])
    blocks, queries, count = of_gallery(gallery) if gallery else of_world(n, dim)
    return Vectored(gallery or "made up", count, blocks, queries)


def _write(folder: Path, given: Vectored, progress: OnProgress | None) -> None:
    """Write the vectors in half precision, as approximate indexes have them, and the nearest of each query."""
    nearest = Nearest(given.queries, K)
    report = Reporter(given.count, progress, task="Making vectors")

    def compared() -> Iterator[Vectors]:
        for block in given.blocks:
            if given.truth is None:
                nearest.compare(block)
            report.advance(len(block))
            yield block

    write_vectors(folder / FILE, (given.count, given.queries.shape[1]), compared(), "float16")
    np.save(folder / TRUTH, nearest.rows if given.truth is None else given.truth)
    np.save(folder / QUERIES, given.queries)


def _recipes(n: int, dim: int) -> list[str]:
    recipes = [FLAT, SCAN, *installed()] if n <= EXACT_AT_MOST else []
    try:
        return [*recipes, choose_recipe(INVERTED, n, dim).name]
    except SearchError:  # too few
        return recipes
