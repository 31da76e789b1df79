"""A Milvus server with synthetic vectors: time to send them, and each kind of index at full length."""

import secrets
import socket
import statistics
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import psutil

from similarity.bench.indexes import K
from similarity.bench.machine import describe_machine
from similarity.bench.made_vectors import made_vectors
from similarity.errors import SearchError, StoreError
from similarity.progress import OnProgress, Progress, Reporter
from similarity.search import Rows
from similarity.search.milvus.addresses import give
from similarity.search.milvus.bulk_insert import fill
from similarity.search.milvus.collection import Collection
from similarity.search.milvus.index_types import lists_for
from similarity.search.rescoring import rescore
from similarity.search.stores import Store
from similarity.search.tuning import SHORTLIST, TARGETS
from similarity.vectors.arrays import Vectors
from similarity.vectors.memmap import StoredVectors

CLIENTS, SECONDS, QUERIES = 8, 15.0, 500
# Kinds of index that are measured by default.
KINDS = ("IVF_SQ8", "HNSW")
# Queries by which an effort is chosen.
TUNED = 100


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of index of Milvus.

    Attributes:
        name: as Milvus calls it.
        parameters: those of building.
        effort: the parameter of a search that trades time for recall.
        least, most: of that.
    """

    name: str
    parameters: dict[str, int]
    effort: str
    least: int
    most: int


def kinds_for(count: int, dim: int) -> dict[str, Kind]:
    """The kinds of index that are measured."""
    lists, shortlist = lists_for(count, dim), SHORTLIST["balanced"]
    return {
        "FLAT": Kind("FLAT", {}, "", 0, 0),
        "IVF_SQ8": Kind("IVF_SQ8", {"nlist": lists}, "nprobe", 1, lists),
        "HNSW": Kind("HNSW", {"M": 16, "efConstruction": 200}, "ef", shortlist, 3200),
        "DISKANN": Kind("DISKANN", {}, "search_list", shortlist, 3200),
    }


def bench_milvus(
    store: Store,
    n: int = 100_000,
    dim: int = 1280,
    *,
    kinds: Sequence[str] = KINDS,
    progress: OnProgress | None = None,
) -> dict[str, Any]:
    """Send vectors to a collection that is dropped afterwards, by requests or in bulk, and measure each kind of index.

    Args:
        store: a Milvus server, or a Milvus Lite.
        n: number of vectors.
        dim: their length.
        kinds: of index, see `kinds_for`.

    Raises:
        SearchError: there is no such kind, or there are too few vectors. StoreError: Milvus refuses something.
    """
    known = kinds_for(n, dim)
    if unknown := [kind for kind in kinds if kind not in known]:
        raise SearchError(f"{unknown[0]!r} is not a kind of index that is measured: choose from {', '.join(known)}.")
    give(store)
    with made_vectors(n, dim, QUERIES, progress) as made:
        bench = _Bench(store, made.vectors, made.queries, made.truth, progress)
        try:
            sent = bench.send()
            rows = [bench.measure(known[kind]) for kind in kinds]
        finally:
            with suppress(StoreError):
                bench.collection.drop()
    return {"n": n, "dim": dim, "queries": QUERIES, "store": store.uri, **sent, "kinds": rows} | {
        "machine": describe_machine()
    }


class _Bench:
    """A collection of vectors whose nearest are known."""

    def __init__(
        self, store: Store, vectors: StoredVectors, queries: Vectors, truth: Rows, progress: OnProgress | None
    ) -> None:
        self.collection = Collection(store, f"similarity_bench_{secrets.token_hex(6)}")
        self._vectors, self._queries, self._truth, self._progress = vectors, queries, truth, progress
        self._server = _server(store)

    def send(self) -> dict[str, Any]:
        """Send all vectors: seconds, and processor time of this program and of the server."""
        self.collection.create(self._vectors.dim)
        began, before = time.perf_counter(), self._cpu()
        is_bulk = fill(self.collection, self._batches())
        self.collection.flush()
        seconds = time.perf_counter() - began
        return {"sent": "in bulk" if is_bulk else "by requests", "send_s": round(seconds, 1), **self._cpu_since(before)}

    def measure(self, kind: Kind) -> dict[str, Any]:
        """Build an index, and search at the least effort that is enough."""
        if self._progress:
            self._progress(Progress(f"Building {kind.name}"))
        began, before = time.perf_counter(), self._cpu()
        self.collection.index(kind.name, kind.parameters)
        built = {"build_s": round(time.perf_counter() - began, 1), **self._cpu_since(before)}
        effort, recall = self._choose_effort(kind)
        if self._progress:
            self._progress(Progress(f"Searching {kind.name}"))
        row = {
            "kind": kind.name,
            **kind.parameters,
            **built,
            **({kind.effort: effort} if kind.effort else {}),
            "recall@10": recall,
            "server_mb": self._memory(),
            **self._time(kind, effort, 1),
            **self._time(kind, effort, CLIENTS),
        }
        self.collection.drop_index()
        return row

    def _choose_effort(self, kind: Kind) -> tuple[int, float]:
        """The least effort, doubled from one to the next, that reaches the recall of `balanced`; and that recall."""
        effort = kind.least
        while True:
            few = self._recall(kind, effort, TUNED)
            if few >= TARGETS["balanced"] or effort >= kind.most:
                return effort, self._recall(kind, effort, len(self._queries))
            effort = min(2 * effort, kind.most)

    def _recall(self, kind: Kind, effort: int, count: int) -> float:
        found = [self._search(query, kind, effort) for query in self._queries[:count]]
        pairs = zip(found, self._truth, strict=False)
        return round(statistics.mean(len({*rows.tolist()} & {*exact.tolist()}) / K for rows, exact in pairs), 4)

    def _search(self, query: Vectors, kind: Kind, effort: int) -> Rows:
        """The K nearest rows, int64 (K,): candidates of Milvus, compared here as those of a gallery are."""
        parameters = {kind.effort: effort} if kind.effort else {}
        rows = self.collection.search(query[np.newaxis], SHORTLIST["balanced"], "", parameters)[0]
        return rescore(self._vectors, query, rows, K)[1]

    def _time(self, kind: Kind, effort: int, clients: int) -> dict[str, float]:
        """Percentiles of a query, in milliseconds, and queries a second, with so many clients at once."""
        end = time.perf_counter() + SECONDS

        def ask(first: int) -> list[float]:
            took = []
            number = first
            while (began := time.perf_counter()) < end:
                self._search(self._queries[number % len(self._queries)], kind, effort)
                took.append(1000 * (time.perf_counter() - began))
                number += clients
            return took

        began = time.perf_counter()
        with ThreadPoolExecutor(clients) as pool:
            took = [one for part in pool.map(ask, range(clients)) for one in part]
        rate = len(took) / (time.perf_counter() - began)
        middle, high = np.percentile(took, [50, 95])
        of = f"{clients}_client{'s' if clients > 1 else ''}"
        return {
            f"p50_ms_{of}": round(float(middle), 2),
            f"p95_ms_{of}": round(float(high), 2),
            f"queries_per_s_{of}": round(rate, 1),
        }

    def _batches(self) -> Iterator[tuple[Rows, Vectors, list[list[str]]]]:
        report = Reporter(len(self._vectors), self._progress, task="Sending to Milvus")
        for start, block in self._vectors.blocks():
            yield np.arange(start, start + len(block)), block, [[] for _ in block]
            report.advance(len(block))

    def _cpu(self) -> tuple[float, float]:
        """Processor seconds of this program and of the server so far."""
        own, server = psutil.Process().cpu_times(), self._server and self._server.cpu_times()
        return own.user + own.system, server.user + server.system if server else 0.0

    def _cpu_since(self, before: tuple[float, float]) -> dict[str, float]:
        own, server = self._cpu()
        rest = {"server_cpu_s": round(server - before[1], 1)} if self._server else {}
        return {"own_cpu_s": round(own - before[0], 1), **rest}

    def _memory(self) -> int | None:
        """Megabytes of the server's process; None if it runs elsewhere."""
        return round(self._server.memory_info().rss / 1e6) if self._server else None


def _server(store: Store) -> psutil.Process | None:
    """The Milvus that listens at the store's address, if it runs on this computer and may be looked at."""
    try:
        place = urlsplit(store.uri)
        own = {one.address for addresses in psutil.net_if_addrs().values() for one in addresses}
        if not place.hostname or not own & {str(one[4][0]) for one in socket.getaddrinfo(place.hostname, None)}:
            return None
        processes = (
            psutil.Process(one.pid)
            for one in psutil.net_connections("tcp")
            if one.status == "LISTEN" and one.pid and one.laddr and one.laddr[1] == place.port
        )
        # Whoever only passes on what arrives, such as a container's proxy or a tunnel, does none of the work.
        return next((process for process in processes if "milvus" in process.name().lower()), None)
    except (psutil.Error, OSError, ValueError):
        return None
