"""Measured rates of a Milvus server, and how they scale.

A server splits a collection into segments of a bounded size, each with an index of its own, and a query visits all of
them. So everything grows with the number of vectors, beside a constant: the processor time to index and to answer, the
time of a query on as many cores, and memory. The time to send grows with the numbers that are sent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from similarity.errors import SearchError

# The kind of index that recipes choose on a server.
KIND = "IVF_SQ8"
# Bytes of a key.
KEY_BYTES = 8
# Clients at once from whose rate the processor time of a query is computed.
CLIENTS = 8


@dataclass(frozen=True, slots=True)
class MilvusRates:
    """The measured rates of a server; of pairs a and b, for n vectors of `dim` numbers the value is a + b n dim / 1e6.

    Attributes:
        source: the source of the numbers, for people.
        cores: number of cores of the server, which its clients share.
        send_s: seconds to send a million numbers, in bulk.
        build_core_s: seconds of a core to index a million numbers.
        query_ms: a and b of a query, alone, on all of these cores.
        query_core_ms: a and b of the milliseconds of a core that a query takes, its client included.
        base_mb: memory beside the codes.
        recall: recall@10.
    """

    source: str
    cores: int
    send_s: float
    build_core_s: float
    query_ms: tuple[float, float]
    query_core_ms: tuple[float, float]
    base_mb: float
    recall: float

    def send(self, count: int, dim: int) -> float:
        """Return the seconds to send vectors."""
        return self.send_s * count * dim / 1e6

    def build(self, count: int, dim: int, cores: int) -> float:
        """Return the seconds to index vectors with so many cores."""
        return self.build_core_s * count * dim / 1e6 / cores

    def search_ms(self, count: int, dim: int, cores: int) -> float:
        """Return the median time of a query, in milliseconds, whose segments so many cores share."""
        a, b = self.query_ms
        return a + b * count * dim / 1e6 * self.cores / cores

    def search_core_ms(self, count: int, dim: int) -> float:
        """Return the processor time of a query, in milliseconds."""
        a, b = self.query_core_ms
        return a + b * count * dim / 1e6


def fit_milvus(reports: Sequence[Mapping[str, Any]]) -> MilvusRates:
    """Return the rates that reports of `bench milvus` give, all of one computer.

    Raises:
        SearchError: one does not have the kind of index that recipes choose.
    """
    rows = [kind_row(report) for report in reports]
    codes = [milvus_memory(row["nlist"], report["n"], report["dim"]) for row, report in zip(rows, reports, strict=True)]
    millions = np.array([report["n"] * report["dim"] / 1e6 for report in reports])
    cores = int(reports[0]["machine"]["cores"])
    core_ms = [1000 * cores / row[f"queries_per_s_{CLIENTS}_clients"] for row in rows]
    return MilvusRates(
        source="the reports that were given",
        cores=cores,
        send_s=float(np.median([report["send_s"] for report in reports] / millions)),
        build_core_s=float(np.median([row["server_cpu_s"] for row in rows] / millions)),
        query_ms=_line(millions, [row["p50_ms_1_client"] for row in rows]),
        query_core_ms=_line(millions, core_ms),
        base_mb=float(np.median([row["server_mb"] - code / 1e6 for row, code in zip(rows, codes, strict=True)])),
        recall=min(row["recall@10"] for row in rows),
    )


def kind_row(report: Mapping[str, Any]) -> Mapping[str, Any]:
    """The row of the kind of index that recipes choose; raises SearchError if there is none."""
    rows = [row for row in report["kinds"] if row["kind"] == KIND and "server_cpu_s" in row]
    if not rows:
        raise SearchError(f"That report of `bench milvus` has no index {KIND}, or is of a server on another computer.")
    found: Mapping[str, Any] = rows[0]
    return found


def milvus_memory(lists: int, count: int, dim: int, *, exact: bool = False) -> int:
    """Bytes of vectors in a server: 8 bits for each number, or float32 if exact, a key, and the centres of lists."""
    return count * (dim * (4 if exact else 1) + KEY_BYTES) + 4 * lists * dim


def _line(millions: Any, values: Sequence[float]) -> tuple[float, float]:
    """a and b of value = a + b millions, neither below 0; of values at one size, b alone."""
    measured = np.array(values)
    if len(set(millions.tolist())) == 1:
        return 0.0, float(np.median(measured) / millions[0])
    b, a = np.polyfit(millions, measured, 1)
    if b < 0:
        return float(measured.mean()), 0.0
    if a < 0:  # more than in proportion: the nearest line from 0, or more vectors would take no longer
        return 0.0, float(millions @ measured / (millions @ millions))
    return float(a), float(b)
