"""Speed of the HTTP API: a server in a process of its own, and programs that keep their connections to it.

Rates are compared with those of the library in the same run, with as many threads as there are programs. The programs
run on the same cores as the server, so that its own rate is somewhat higher.
"""

import json
import socket
import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from urllib3 import HTTPConnectionPool, Retry, encode_multipart_formdata
from urllib3.exceptions import HTTPError

from similarity.bench.machine import describe_machine
from similarity.bench.query import percentile, time_all
from similarity.errors import FetchError, ImageError, SearchError, SimilarityError
from similarity.gallery import Gallery, open_gallery
from similarity.processes import running_module
from similarity.progress import OnProgress, Progress
from similarity.query.inputs import ItemId, Query, Text
from similarity.sources.originals import read_original

CLIENTS = 8
# Requests of a kind in a round; rounds take turns with the library's, so that disturbances affect both alike.
REQUESTS, ROUNDS = {"item": 600, "picture": 60, "text": 60}, 3
WORDS = ("red shoes", "a dress with flowers", "blue jeans", "a hat", "a white shirt")
# The server needs some seconds to start.
STARTING = Retry(total=200, redirect=False, backoff_factor=0.1, backoff_max=0.3)
Request = tuple[bytes, str]  # body and its type


@dataclass(slots=True)
class Kind:
    """Queries of a kind, and what was measured with them.

    Attributes:
        queries: as the library is asked.
        requests: the same as programs send them.
        rates, library_rates: a second, of each round.
        taken_ms: by each request.
    """

    queries: Sequence[Query]
    requests: Sequence[Request]
    rates: list[float] = field(default_factory=list)
    library_rates: list[float] = field(default_factory=list)
    taken_ms: list[float] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return the medians of the rates, percentiles of the times, and the share of the library's rate."""
        rate, library = statistics.median(self.rates), statistics.median(self.library_rates)
        return {
            "requests": len(self.taken_ms),
            "per_s": round(rate, 1),
            "p50_ms": percentile(self.taken_ms, 50),
            "p95_ms": percentile(self.taken_ms, 95),
            "library_per_s": round(library, 1),
            "of_library": round(rate / library, 3),
        }


def bench_api(gallery: str | Gallery, *, clients: int = CLIENTS, progress: OnProgress | None = None) -> dict[str, Any]:
    """Search a gallery in SIMILARITY_HOME over HTTP, by items, pictures and, where its model can, words.

    Args:
        clients: how many programs ask at once.

    Raises:
        SearchError: no picture of the gallery can be read. ModelError: its model cannot be loaded.
        SimilarityError: the API does not answer, or refuses a search.
    """
    opened, report = gallery if isinstance(gallery, Gallery) else open_gallery(gallery), progress or (lambda _: None)
    report(Progress("Reading pictures"))
    kinds = _kinds(opened)
    place = f"/api/v1/galleries/{quote(opened.name)}/search"
    with _serving(clients) as pool:
        for turn in range(ROUNDS + 1):
            report(Progress("Searching", done=turn, total=ROUNDS + 1))
            for kind in kinds.values():
                _measure(kind, opened.search, lambda request: _ask(pool, place, request), clients, is_kept=turn > 0)
    return {
        "gallery": opened.name,
        "pictures": len(opened),
        "model": opened.manifest.model,
        "clients": clients,
        **{name: kind.to_json() for name, kind in kinds.items()},
        "machine": describe_machine(),
    }


def _measure(
    kind: Kind, search: Callable[[Query], object], ask: Callable[[Request], None], clients: int, *, is_kept: bool
) -> None:
    """Measure a round with the library, and one over HTTP; the first of all warms up, and is not kept."""
    _, library = time_all(search, kind.queries, threads=clients)
    taken, rate = time_all(ask, kind.requests, threads=clients)
    if is_kept:
        kind.library_rates.append(library)
        kind.rates.append(rate)
        kind.taken_ms += taken


def _kinds(gallery: Gallery) -> dict[str, Kind]:
    """Return the queries of each kind that a gallery can be asked."""
    ids = _repeated([item.id for item in gallery.items[: REQUESTS["item"]]], REQUESTS["item"])
    files = _repeated(_files(gallery, REQUESTS["picture"]), REQUESTS["picture"])
    kinds = {
        "item": Kind([ItemId(name) for name in ids], [_part(item=name) for name in ids]),
        "picture": Kind(files, [encode_multipart_formdata({"file": ("query", data)}) for data in files]),
    }
    if gallery.understands_text:
        words = _repeated(WORDS, REQUESTS["text"])
        kinds["text"] = Kind([Text(one) for one in words], [_part(text=one) for one in words])
    return kinds


def _part(**part: str) -> Request:
    return json.dumps({"like": [part]}).encode(), "application/json"


def _repeated(values: Sequence[Any], count: int) -> list[Any]:
    return [values[place % len(values)] for place in range(count)]


def _files(gallery: Gallery, count: int) -> list[bytes]:
    """Return the files of some of a gallery's pictures, of all parts of it; raises SearchError if none can be read."""
    found = []
    for row in range(0, len(gallery), max(1, len(gallery) // count)):
        try:
            found.append(read_original(gallery.items[row]).data)
        except (ImageError, FetchError):
            continue
    if not found:
        raise SearchError(f"No picture of {gallery.name} can be read: there is nothing to measure with.")
    return found[:count]


@contextmanager
def _serving(clients: int) -> Iterator[HTTPConnectionPool]:
    """Serve the API in another process; gives connections to it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    pool = HTTPConnectionPool("127.0.0.1", port, maxsize=clients, block=True, retries=False)
    with running_module("similarity", "serve", "--port", str(port)), pool:
        try:
            pool.request("GET", "/openapi.json", retries=STARTING)
            yield pool
        except HTTPError as error:
            raise SimilarityError(f"The API that was started does not answer ({error}).") from error


def _ask(pool: HTTPConnectionPool, place: str, request: Request) -> None:
    """Send a search; raises SimilarityError if it is refused."""
    body, kind = request
    answer = pool.request("POST", place, body=body, headers={"Content-Type": kind})
    if answer.status != 200:
        raise SimilarityError(f"The API has refused a search ({answer.status}): {answer.data.decode(errors='replace')}")
