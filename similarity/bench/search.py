"""Speed and recall of each index, on synthetic vectors or those of a gallery."""

import itertools
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np

from similarity.bench.indexes import QUERIES, TRUTH, K
from similarity.bench.libraries import installed
from similarity.bench.machine import describe_machine
from similarity.bench.made_vectors import BLOCK, Nearest, world_blocks
from similarity.bench.synthetic import World
from similarity.errors import SearchError, SimilarityError
from similarity.gallery import open_gallery
from similarity.processes import run_module
from similarity.progress import OnProgress, Progress, Reporter
from similarity.search import AUTO, Recipe, choose_recipe
from similarity.search.recipes import FLAT, INVERTED, SCAN
from similarity.vectors.arrays import Vectors
from similarity.vectors.memmap import StoredVectors, write_vectors

# Exact indexes are measured with at most this many vectors; times for more are extrapolated.
EXACT_AT_MOST = 200_000
MAX_QUERIES = 1_000
# One in HELD_OUT of a gallery's pictures is taken out as a query.
HELD_OUT = 20
# Milliseconds up to which a query is considered fast.
FAST_MS = 50.0
FILE = "vectors.npy"


@dataclass(frozen=True, slots=True)
class Case:
    """A row of the table.

    Attributes:
        name: its name in the table.
        recipe: the recipe of the index.
        accuracy: the accuracy of an approximate index.
    """

    name: str
    recipe: str
    accuracy: str = "balanced"

    @property
    def is_exact(self) -> bool:
        """Whether its time grows in proportion to the number of vectors."""
        return Recipe(self.recipe, "").is_exact


def bench_search(
    n: int = 100_000, dim: int = 1280, *, gallery: str | None = None, progress: OnProgress | None = None
) -> dict[str, Any]:
    """Build and measure every index that suits the vectors.

    Args:
        n: number of synthetic vectors.
        dim: their length.
        gallery: a gallery whose vectors are used instead.

    Raises:
        SearchError: there are too few vectors. GalleryError: there is no such gallery.
    """
    with tempfile.TemporaryDirectory(prefix="similarity-bench-") as place:
        folder = Path(place)
        blocks, queries, n = of_gallery(gallery) if gallery else of_world(n, dim)
        if n < K or not len(queries):
            raise SearchError(f"{n} vectors are too few to measure: take at least {K}.")
        dim = queries.shape[1]
        report = Reporter(n, progress, task="Making vectors")
        _write(folder, blocks, queries, (n, dim), report)
        chosen = choose_recipe(AUTO, n, dim)
        cases = _cases(chosen.name, n, dim)
        rows = _measure(folder, cases, n, progress)
    return {
        "n": n,
        "dim": dim,
        "vectors": gallery or "made up",
        "queries": len(queries),
        "recipes": rows,
        "auto": {"recipe": chosen.name, "reason": chosen.reason},
        "recommendation": _recommend(rows, chosen),
        "machine": describe_machine(),
    }


def _measure(folder: Path, cases: Sequence[Case], n: int, progress: OnProgress | None) -> list[dict[str, Any]]:
    """Build and measure each case in a process of its own; cases that share an index build it once."""
    report_progress = progress or (lambda _: None)
    rows: list[dict[str, Any]] = []
    done: dict[tuple[str, ...], dict[str, Any]] = {}
    for case in cases:
        report_progress(Progress(f"Measuring {case.name}"))
        where = folder / "some" if case.is_exact else folder
        for task in (("build", case.recipe), ("measure", case.recipe, case.accuracy)):
            if task not in done:
                done[task] = run_task(where, *task)
        measured = done["build", case.recipe] | done["measure", case.recipe, case.accuracy]
        rows.append(_row(case, measured, n if case.is_exact else 0))
    return rows


def of_world(n: int, dim: int) -> tuple[Iterator[Vectors], Vectors, int]:
    """Return synthetic vectors in blocks, queries, and the number of vectors."""
    world = World(dim)
    return world_blocks(world, n), world.block(MAX_QUERIES, 0), n


def of_gallery(name: str) -> tuple[Iterator[Vectors], Vectors, int]:
    """Return the vectors of a gallery in blocks but for some, these as queries, and the number of the others."""
    vectors = open_gallery(name).embeddings
    held_out = np.arange(HELD_OUT // 2, len(vectors), HELD_OUT)[:MAX_QUERIES]
    searched = np.setdiff1d(np.arange(len(vectors)), held_out)
    blocks = (vectors[searched[start : start + BLOCK]] for start in range(0, len(searched), BLOCK))
    return blocks, vectors[held_out], len(searched)


def _write(folder: Path, blocks: Iterator[Vectors], queries: Vectors, shape: tuple[int, int], report: Reporter) -> None:
    """Write all vectors for approximate indexes, the first ones for exact indexes, and the exact results of both."""
    sample = folder / "some"
    sample.mkdir()
    nearest = Nearest(queries)

    def comparing(part: Iterator[Vectors]) -> Iterator[Vectors]:
        for block in part:
            nearest.compare(block)
            report.advance(len(block))
            yield block

    count = min(shape[0], EXACT_AT_MOST)
    write_vectors(sample / FILE, (count, shape[1]), comparing(itertools.islice(blocks, -(-count // BLOCK))))
    first = (block for _, block in StoredVectors(sample / FILE).blocks())
    for place, rest in ((sample, None), (folder, itertools.chain(first, comparing(blocks)))):
        if rest is not None:
            write_vectors(place / FILE, shape, rest, "float16")
        np.save(place / TRUTH, nearest.rows)
        np.save(place / QUERIES, queries)


def _cases(auto: str, n: int, dim: int) -> list[Case]:
    cases = [Case(FLAT, FLAT), Case(SCAN, SCAN), Case(AUTO, auto)]
    try:
        inverted = choose_recipe(INVERTED, n, dim).name
    except SearchError:  # too few
        return cases
    balanced = [] if inverted == auto else [Case(INVERTED, inverted)]
    cases += [Case(f"{INVERTED}, fast", inverted, "fast"), *balanced, Case(f"{INVERTED}, high", inverted, "high")]
    others = installed() if n <= EXACT_AT_MOST else []
    return cases + [Case(name, name) for name in others]


def run_task(folder: Path, task: str, recipe: str, *accuracy: str) -> dict[str, Any]:
    """Build or measure an index in a process of its own; raises SimilarityError if that fails."""
    return result_of(recipe, run_module("similarity.bench.indexes", task, recipe, folder, folder / FILE, *accuracy))


def result_of(recipe: str, done: CompletedProcess[str]) -> dict[str, Any]:
    """Return what a process has printed about an index; raises SimilarityError if it failed."""
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise SimilarityError(f"The index {recipe} could not be measured ({last}).")
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def _row(case: Case, measured: dict[str, Any], n: int) -> dict[str, Any]:
    """Return a row of the report; values measured with fewer than n vectors are extrapolated, and marked."""
    row = {"recipe": case.name, "index": case.recipe} | measured
    factor = n / EXACT_AT_MOST
    if factor > 1:
        row["extrapolated_from"] = EXACT_AT_MOST
        for name, value in measured.items():
            if name.endswith(("_ms", "_mb")) or name == "build_s":
                row[name] = round(value * factor, 2)
            elif name.startswith("queries_per_s"):
                row[name] = round(value / factor, 1)
    return row


def _recommend(rows: list[dict[str, Any]], auto: Recipe) -> str:
    """Return a sentence that recommends an index for these vectors."""
    by_name = {row["recipe"]: row for row in rows}
    flat, chosen = by_name[FLAT], by_name[AUTO]
    if auto.name == FLAT:
        return f"Take auto: it is flat, the reference, and answers in {chosen['p50_ms']} ms."
    faster = flat["p50_ms"] / max(chosen["p50_ms"], 0.001)
    speed = f"{auto.name} answers in {chosen['p50_ms']} ms, {faster:.1f} times as fast as flat"
    if not auto.is_exact:
        claim = f"finds {chosen['recall@10']:.1%} of the ten nearest"
        return f"Take auto: {speed}, {claim}, and takes {chosen['resident_mb']} MB in all."
    if chosen["p50_ms"] > FAST_MS:
        return f"Auto is exact: {speed}. Take ivf if that is too slow."
    return f"Take auto: {speed}, and it is exact."
