"""What was measured, and how it grows.

    exact scan       time grows with the bytes that are read: 4 for each number in `flat`, 1 in `flat-sq8`
    inverted lists   there are about four times the root of the count, and a query visits nearly as many whatever the
                     count is: time = a + b root(count)
    building them    time = a count + b (count lists + 320 lists^2): each vector finds its list among all, and k-means
                     has 40 vectors a list go through 8 rounds
    embedding        time grows with the pictures, and cores share it evenly

Two sizes or more give a and b; with one, a is 0.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from similarity.errors import SearchError
from similarity.search import choose_recipe
from similarity.search.recipes import AUTO, FLAT, INVERTED, SCAN

# For each list, the vectors that k-means learns from, times its rounds.
K_MEANS = 320


@dataclass(frozen=True, slots=True)
class Rates:
    """What one machine does.

    Attributes:
        source: where it comes from, for people.
        cores: that share the work.
        images_per_s: embedded from files, thumbnails included, by model,
        query_ms, queries_per_s: from a picture's bytes to the hits of a small gallery, alone, and by all cores at once;
            by model.
        flat_bytes_per_ms, scan_bytes_per_ms: that a query of an exact index goes through.
        inverted_ms: a and b of a query among inverted lists.
        flat_build_s, scan_build_s: for each million of numbers.
        inverted_build_s: a and b of building them.
        recall: of inverted lists, recall@10.
        base_mb: what a process takes that has no index.
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

    def check_model(self, model: str) -> None:
        """Raises SearchError if a model was not measured."""
        known = [name for name in self.images_per_s if name in self.query_ms]
        if model not in known:
            raise SearchError(
                f"Nobody has measured how fast {model} is: choose from {', '.join(known)}, or give `--measured` what "
                f"`bench embedding` and `bench query` print with `--model {model} --json`."
            )

    def search_ms(self, recipe: str, count: int, dim: int) -> float:
        """Median of a query alone."""
        if recipe == FLAT:
            return 4 * count * dim / self.flat_bytes_per_ms
        if recipe == SCAN:
            return count * dim / self.scan_bytes_per_ms
        return self.inverted_ms[0] + self.inverted_ms[1] * math.sqrt(count)

    def build_s(self, recipe: str, count: int, dim: int) -> float:
        """Seconds to make an index."""
        if recipe in (FLAT, SCAN):
            each = self.flat_build_s if recipe == FLAT else self.scan_build_s
            return each * count * dim / 1e6
        return float(np.dot(self.inverted_build_s, steps(count, dim)))


def steps(count: int, dim: int) -> tuple[float, float]:
    """What building inverted lists is made of: millions of numbers that are read, and billions of comparisons."""
    lists = lists_of(choose_recipe(INVERTED, count, dim).name)
    return count * dim / 1e6, (count * lists + K_MEANS * lists**2) / 1e9


def lists_of(recipe: str) -> int:
    """How many lists a recipe has; 0 of an exact one."""
    part = next((part for part in recipe.split(",") if part.startswith("IVF")), "IVF0")
    return int(part.removeprefix("IVF"))


def fitted(reports: Sequence[Mapping[str, Any]], rates: Rates) -> Rates:
    """Rates with what reports of `bench` have measured put in their place.

    Args:
        reports: of `bench search`, `bench embedding` and `bench query`, as they print them with --json.
        rates: for what they do not tell.

    Raises:
        SearchError: one is none of these, or they are of different machines.
    """
    for report in reports:
        if "machine" not in report or not {"recipes", "images_per_s", "queries_per_s_threads"} & report.keys():
            raise SearchError("That is no report of `bench search`, `bench embedding` or `bench query` with --json.")
    if len({(one["machine"]["processor"], one["machine"]["cores"]) for one in reports}) > 1:
        raise SearchError("These reports are of different computers: a plan is made of what one of them does.")
    searches = [report for report in reports if "recipes" in report]
    models = {one["model"]: _rate(one) for one in reports if "images_per_s" in one}
    queries = {one["model"]: one for one in reports if "queries_per_s_threads" in one}
    found = replace(
        rates,
        source="the reports that were given",
        cores=int(reports[0]["machine"]["cores"]),
        images_per_s={**rates.images_per_s, **models},
        query_ms={**rates.query_ms, **{name: one["p50_ms"] for name, one in queries.items()}},
        queries_per_s={**rates.queries_per_s, **{name: one["queries_per_s_threads"] for name, one in queries.items()}},
    )
    return _with_search(found, searches) if searches else found


def _rate(report: Mapping[str, Any]) -> float:
    return float(report.get("with_thumbnails_images_per_s", report["images_per_s"]))


def _with_search(rates: Rates, reports: Sequence[Mapping[str, Any]]) -> Rates:
    sized = [({row["recipe"]: row for row in one["recipes"]}, one["n"], one["dim"]) for one in reports]
    exact, count, dim = max(sized, key=lambda one: one[1])
    numbers = count * dim
    found = replace(
        rates,
        flat_bytes_per_ms=4 * numbers / exact[FLAT]["p50_ms"],
        scan_bytes_per_ms=numbers / exact[SCAN]["p50_ms"],
        flat_build_s=exact[FLAT]["build_s"] / numbers * 1e6,
        scan_build_s=exact[SCAN]["build_s"] / numbers * 1e6,
    )
    inverted = [(row, n, d) for rows, n, d in sized if (row := _inverted(rows))]
    if not inverted:
        return found
    return replace(
        found,
        inverted_ms=_fit([(1.0, math.sqrt(n)) for _, n, _ in inverted], [row["p50_ms"] for row, _, _ in inverted]),
        inverted_build_s=_fit([steps(n, d) for _, n, d in inverted], [row["build_s"] for row, _, _ in inverted]),
        recall=min(row["recall@10"] for row, _, _ in inverted),
    )


def _inverted(rows: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The row of inverted lists at the accuracy that is the default."""
    found = rows.get(INVERTED) or rows.get(AUTO)
    return found if found and lists_of(found["index"]) else None


def _fit(terms: Sequence[tuple[float, float]], values: Sequence[float]) -> tuple[float, float]:
    """a and b of value = a term + b term, neither below 0, off by the smallest share; of one value, b alone."""
    wanted = np.array(values, float)
    shares = np.array(terms, float) / wanted[:, np.newaxis]
    if len(values) > 1:
        a, b = np.linalg.lstsq(shares, np.ones(len(values)), rcond=None)[0]
        if a >= 0 and b >= 0:
            return float(a), float(b)
    return 0.0, float(shares[:, 1].sum() / (shares[:, 1] ** 2).sum())


REFERENCE = Rates(
    source="two cores of a Xeon with AVX-512 bf16",
    cores=2,
    images_per_s={"efficientnet-lite2": 51.1},
    query_ms={"efficientnet-lite2": 23.3},
    queries_per_s={"efficientnet-lite2": 42.5},
    flat_bytes_per_ms=1.0,
    scan_bytes_per_ms=1.0,
    inverted_ms=(0.0, 1.0),
    flat_build_s=1.0,
    scan_build_s=1.0,
    inverted_build_s=(0.0, 1.0),
    recall=0.995,
    base_mb=120.0,
)
