"""Measured rates, and how they scale.

    exact scan       time grows with the bytes that are read: 4 for each number in `flat`, 1 in `flat-sq8`
    inverted lists   their number is about four times the root of the count, and a query visits about the same number
                     for any count: time = a + b root(count)
    building them    time = a + b multiplications: a PCA is fitted on 32,768 vectors and applied to all, each vector is
                     compared with all centres, k-means does so 8 times for 40 vectors a list, and 200 queries are
                     compared with all vectors to measure recall
    embedding        time grows with the pictures, and is shared evenly by cores

Measurements of two or more sizes give a and b; with one size, a is 0.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from similarity.bench.capacity.milvus_rates import MilvusRates, fit_milvus
from similarity.errors import SearchError
from similarity.search import choose_recipe
from similarity.search.faiss.training import FOR_TRANSFORM, ROUNDS
from similarity.search.recipes import AUTO, COMPONENTS, FLAT, FOR_LIST, INVERTED, SCAN
from similarity.search.tuning import QUERIES
from similarity.vectors.effort import Effort
from similarity.vectors.refinement import is_large

# The benchmarks whose reports give rates.
REPORTS = "`bench search`, `bench embedding`, `bench query` or `bench milvus`"


@dataclass(frozen=True, slots=True)
class Rates:
    """The measured rates of a machine.

    Attributes:
        source: the source of the numbers, for people.
        cores: number of cores that share the work.
        images_per_s: embedded from files, thumbnails included, by model,
        query_ms, queries_per_s: from a picture's bytes to the hits of a small gallery, alone, and by all cores at once;
            by model.
        flat_bytes_per_ms, scan_bytes_per_ms: bytes that a query of an exact index scans.
        inverted_ms: a and b of a query among inverted lists.
        flat_build_s, scan_build_s: for each million of numbers.
        inverted_build_s: a and b of building them.
        recall: recall@10 of inverted lists.
        base_mb: memory of a process without an index.
        milvus: those of a Milvus server.
    """

    source: str
    cores: int
    images_per_s: Mapping[str, float]
    query_ms: Mapping[str, float]
    queries_per_s: Mapping[str, float]
    flat_bytes_per_ms: float
    scan_bytes_per_ms: float
    inverted_ms: tuple[float, float]
    flat_build_s: float
    scan_build_s: float
    inverted_build_s: tuple[float, float]
    recall: float
    base_mb: float
    milvus: MilvusRates

    def check_model(self, model: str) -> None:
        """Raise SearchError if a model was not measured."""
        names = [name for name in self.images_per_s if name in self.query_ms]
        if model not in names:
            raise SearchError(
                f"The speed of {model} was not measured: choose from {', '.join(names)}, or give `--measured` the "
                f"output of `bench embedding` and `bench query` with `--model {model} --json`."
            )

    def search_ms(self, recipe: str, count: int, dim: int) -> float:
        """Return the median time of a single query, in milliseconds."""
        if recipe == FLAT:
            return 4 * count * dim / self.flat_bytes_per_ms
        if recipe == SCAN:
            return count * dim / self.scan_bytes_per_ms
        return self.inverted_ms[0] + self.inverted_ms[1] * math.sqrt(count)

    def build_s(self, recipe: str, count: int, dim: int) -> float:
        """Return the seconds to build an index."""
        if recipe in (FLAT, SCAN):
            each = self.flat_build_s if recipe == FLAT else self.scan_build_s
            return each * count * dim / 1e6
        return float(np.dot(self.inverted_build_s, steps(count, dim)))


def steps(count: int, dim: int) -> tuple[float, float]:
    """Return the terms of the time to build inverted lists: a constant, and billions of multiplications."""
    lists, components = lists_of(choose_recipe(INVERTED, count, dim).name), min(dim, COMPONENTS[0])
    sample = min(count, max(FOR_TRANSFORM, FOR_LIST * lists))
    comparisons = components * lists * (count + ROUNDS * sample) + QUERIES * count * dim
    projections = dim * components * (count + sample) + FOR_TRANSFORM * dim**2 if components < dim else 0
    return 1.0, (comparisons + projections) / 1e9


def lists_of(recipe: str) -> int:
    """Return the number of lists of a recipe; 0 for an exact one."""
    part = next((part for part in recipe.split(",") if part.startswith("IVF")), "IVF0")
    return int(part.removeprefix("IVF"))


def neighbours_limit(count: int, dim: int, cores: int) -> list[str]:
    """Return what a plan leaves out: the time to find the neighbours of a large gallery; empty for a small one."""
    if not is_large(count, dim):
        return []
    effort = Effort.of(count, dim, cores)
    return [
        f"Finding the neighbours of a gallery's pictures takes {effort} with {cores} cores, beside the time to build. "
        "It is done by default if that is less than a fifth of the time to embed them."
    ]


def fit_rates(reports: Sequence[Mapping[str, Any]], rates: Rates) -> Rates:
    """Return rates updated by reports of `bench`.

    Args:
        reports: output of `bench search`, `bench embedding`, `bench query` and `bench milvus` with --json.
        rates: the rates for all that the reports do not have.

    Raises:
        SearchError: one is not such a report, or they are of different machines.
    """
    for report in reports:
        if "machine" not in report or not {"recipes", "images_per_s", "queries_per_s_threads", "kinds"} & report.keys():
            raise SearchError(f"That is not a report of {REPORTS} with --json.")
    if len({(report["machine"]["processor"], report["machine"]["cores"]) for report in reports}) > 1:
        raise SearchError("These reports are of different computers: give reports of only one.")
    searches = [report for report in reports if "recipes" in report]
    servers = [report for report in reports if "kinds" in report]
    models = {report["model"]: _rate(report) for report in reports if "images_per_s" in report}
    queries = {report["model"]: report for report in reports if "queries_per_s_threads" in report}
    updated = replace(
        rates,
        source="the reports that were given",
        cores=int(reports[0]["machine"]["cores"]),
        images_per_s={**rates.images_per_s, **models},
        query_ms={**rates.query_ms, **{name: report["p50_ms"] for name, report in queries.items()}},
        queries_per_s={**rates.queries_per_s, **{name: row["queries_per_s_threads"] for name, row in queries.items()}},
    )
    if servers:
        updated = replace(updated, milvus=fit_milvus(servers))
    return _with_search(updated, searches) if searches else updated


def _rate(report: Mapping[str, Any]) -> float:
    return float(report.get("with_thumbnails_images_per_s", report["images_per_s"]))


def _with_search(rates: Rates, reports: Sequence[Mapping[str, Any]]) -> Rates:
    sized = [({row["recipe"]: row for row in report["recipes"]}, report["n"], report["dim"]) for report in reports]
    exact, count, dim = max(sized, key=lambda search: search[1])
    numbers = count * dim
    updated = replace(
        rates,
        flat_bytes_per_ms=4 * numbers / exact[FLAT]["p50_ms"],
        scan_bytes_per_ms=numbers / exact[SCAN]["p50_ms"],
        flat_build_s=exact[FLAT]["build_s"] / numbers * 1e6,
        scan_build_s=exact[SCAN]["build_s"] / numbers * 1e6,
    )
    inverted = [(row, n, d) for rows, n, d in sized if (row := _inverted_row(rows))]
    if not inverted:
        return updated
    return replace(
        updated,
        inverted_ms=_fit([(1.0, math.sqrt(n)) for _, n, _ in inverted], [row["p50_ms"] for row, _, _ in inverted]),
        inverted_build_s=_fit([steps(n, d) for _, n, d in inverted], [row["build_s"] for row, _, _ in inverted]),
        recall=min(row["recall@10"] for row, _, _ in inverted),
    )


def _inverted_row(rows: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The row of inverted lists at the default accuracy."""
    row = rows.get(INVERTED) or rows.get(AUTO)
    return row if row and lists_of(row["index"]) else None


def _fit(terms: Sequence[tuple[float, float]], values: Sequence[float]) -> tuple[float, float]:
    """a and b of value = a term + b term, neither below 0, off by the smallest share; of one value, b alone."""
    # If one of the two would be below 0, the other one is fitted alone, whichever comes closer.
    wanted = np.array(values, float)
    shares = np.array(terms, float) / wanted[:, np.newaxis]
    if len(values) > 1:
        a, b = np.linalg.lstsq(shares, np.ones(len(values)), rcond=None)[0]
        if a >= 0 and b >= 0:
            return float(a), float(b)
    alone = [float(share.sum() / (share**2).sum()) for share in shares.T]
    off = [float(((scale * share - 1) ** 2).sum()) for scale, share in zip(alone, shares.T, strict=True)]
    return (alone[0], 0.0) if len(values) > 1 and off[0] < off[1] else (0.0, alone[1])


# `bench search` at 100,000, 300,000 and a million vectors of 1280, `bench embedding` with photographs of clothing, and
# `bench query`, on a shared virtual machine, which was not quiet all the time. November 2026.
REFERENCE = Rates(
    source="`bench`, two cores of a Xeon (AVX-512 bf16), 2026-11",
    cores=2,
    images_per_s={"efficientnet-lite2": 51.1},
    query_ms={"efficientnet-lite2": 23.3},
    queries_per_s={"efficientnet-lite2": 42.5},
    flat_bytes_per_ms=8192000.0,
    scan_bytes_per_ms=10540000.0,
    inverted_ms=(0.442, 0.0012),
    flat_build_s=0.03047,
    scan_build_s=0.02031,
    inverted_build_s=(5.7, 0.0646),
    recall=0.995,
    base_mb=120.0,
    # `bench milvus` at 100,000, 300,000 and a million vectors of 1280, Milvus 2.3.5, standalone, on the same computer.
    milvus=MilvusRates(
        source="`bench milvus`, Milvus 2.3.5 on two cores, 2026-11",
        cores=2,
        send_s=0.098,
        build_core_s=1.175,
        query_ms=(1.99, 0.00375),
        query_core_ms=(1.57, 0.00731),
        base_mb=521.0,
        recall=0.99,
    ),
)
