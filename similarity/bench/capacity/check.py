"""Comparison of a plan's figures with measurements of `bench`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from similarity.bench.capacity import sizes
from similarity.bench.capacity.milvus_rates import CLIENTS, MilvusRates, kind_row, milvus_memory
from similarity.bench.capacity.rates import REPORTS, Rates, lists_of
from similarity.errors import SearchError
from similarity.search.recipes import AUTO, FLAT


@dataclass(frozen=True, slots=True)
class Checked:
    """A figure, planned and measured."""

    name: str
    planned: float
    measured: float

    @property
    def ratio(self) -> float:
        """Ratio of the two; 1 if both are 0."""
        return self.planned / self.measured if self.measured else float(not self.planned)


def check_report(report: Mapping[str, Any], rates: Rates) -> list[Checked]:
    """Compare with a report of `bench search`, `bench embedding`, `bench query` or `bench milvus`.

    Raises:
        SearchError: it is not such a report.
    """
    if "recipes" in report:
        rows = {row["recipe"]: row for row in report["recipes"]}
        return [row for name in (FLAT, AUTO) for row in _search(rows[name], report["n"], report["dim"], rates)]
    if "kinds" in report:
        return _milvus(report, rates.milvus)
    if "queries_per_s_threads" in report:
        rates.check_model(report["model"])
        return [Checked("a query, ms", rates.query_ms[report["model"]], report["p50_ms"])]
    if "images_per_s" in report:
        rates.check_model(report["model"])
        measured = report.get("with_thumbnails_images_per_s", report["images_per_s"])
        planned = rates.images_per_s[report["model"]] / rates.cores * report["machine"]["cores"]
        return [Checked("pictures a second", planned, measured)]
    raise SearchError(f"That is not a report of {REPORTS} with --json.")


def _milvus(report: Mapping[str, Any], rates: MilvusRates) -> list[Checked]:
    """Compare the figures of the kind of index that recipes choose."""
    row, count, dim, cores = kind_row(report), report["n"], report["dim"], report["machine"]["cores"]
    measured_core_ms = 1000 * cores / row[f"queries_per_s_{CLIENTS}_clients"]
    memory = rates.base_mb + milvus_memory(row["nlist"], count, dim) / 1e6
    return [
        Checked("to send, s", rates.send(count, dim), report["send_s"]),
        Checked("to index, s of a core", rates.build(count, dim, 1), row["server_cpu_s"]),
        Checked("a query, ms", rates.search_ms(count, dim, cores), row["p50_ms_1_client"]),
        Checked("a query, ms of a core", rates.search_core_ms(count, dim), measured_core_ms),
        Checked("memory, MB", memory, row["server_mb"]),
        Checked("recall@10", rates.recall, row["recall@10"]),
    ]


def _search(row: Mapping[str, Any], count: int, dim: int, rates: Rates) -> list[Checked]:
    """Compare the figures of a recipe; without memory if the report extrapolated it from fewer vectors."""
    index, name = row["index"], row["recipe"]
    size = sizes.index_file(index, count, dim)
    rows = [
        Checked(f"{name}: bytes a vector", size / count, row["bytes_per_vector"]),
        Checked(f"{name}: a query, ms", rates.search_ms(index, count, dim), row["p50_ms"]),
        Checked(f"{name}: to build, s", rates.build_s(index, count, dim), row["build_s"]),
    ]
    if "extrapolated_from" not in row:
        memory = rates.base_mb + sizes.index_memory(index, count, dim) / 1e6
        rows.append(Checked(f"{name}: memory, MB", memory, row["resident_mb"]))
    if lists_of(index):
        rows.append(Checked(f"{name}: recall@10", rates.recall, row["recall@10"]))
    return rows
