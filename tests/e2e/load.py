"""Many visitors at once, on the real server: `python -m tests.e2e.load --sessions 20 --seconds 60`.

Each session is one of Streamlit's own, over its own protocol, and searches again as soon as it has its results: now for
a picture of the gallery, now for a part of a sample that is embedded for it. Every answer is checked. Prints one JSON
object: searches, errors, milliseconds from asking to the last element, memory of the server in time.
"""

import argparse
import asyncio
import itertools
import json
import random
import statistics
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import websockets
from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from similarity.sample import FOLDER, sample_queries
from similarity.sources import open_source
from tests.e2e.server import running

# Of which a grid is sent at first, see `tiles.FIRST`.
RESULTS = 100

MEGABYTE = 1024


@dataclass
class Tally:
    """What came of it.

    Attributes:
        milliseconds: of each search.
        errors: what went wrong, in a few words.
        resident_mb: of the server, once a second.
        unhealthy: how often its health was not 200.
    """

    milliseconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    resident_mb: list[float] = field(default_factory=list)
    unhealthy: int = 0

    def summary(self, seconds: float) -> dict[str, Any]:
        """In figures."""
        cuts = statistics.quantiles(self.milliseconds, n=100, method="inclusive")
        return {
            "searches": len(self.milliseconds),
            "searches_per_s": round(len(self.milliseconds) / seconds, 1),
            "errors": len(self.errors),
            "first_errors": self.errors[:3],
            "unhealthy": self.unhealthy,
            "p50_ms": round(cuts[49]),
            "p95_ms": round(cuts[94]),
            "resident_mb": [round(self.resident_mb[place * (len(self.resident_mb) - 1) // 6]) for place in range(7)],
        }


async def visit(url: str, number: int, until: float, tally: Tally) -> None:
    """One session: search until it is time to go."""
    random_ = random.Random(number)
    items = [item.id for item in open_source(FOLDER / "catalogue.csv").items]
    samples = [item.id for item in sample_queries()]
    socket = f"{url.replace('http', 'ws')}/_stcore/stream"
    async with websockets.connect(socket, subprotocols=["streamlit"], max_size=None, origin=url) as connection:
        for turn in itertools.count():
            if time.monotonic() > until:
                return
            item = random_.choice(items)
            left, top = random_.randint(0, 40), random_.randint(0, 40)
            part = f"sample:{random_.choice(samples)}@{left},{top},{left + 55},{top + 55}"
            is_item = turn % 2 == 0
            query = {"gallery": "sample", "like": f"item:{item}" if is_item else part}
            started = time.monotonic()
            tiles, fault = await search(connection, urlencode(query))
            tally.milliseconds.append(1000 * (time.monotonic() - started))
            if fault or len(tiles) != RESULTS:
                tally.errors.append(fault or f"{len(tiles)} results instead of {RESULTS}")
            elif is_item and tiles[0]["id"] != item:
                tally.errors.append(f"{item} did not find itself")


async def search(connection: Any, query: str) -> tuple[list[dict[str, Any]], str]:
    """Open the search page at an address; the results, and what went wrong."""
    message = BackMsg()
    message.rerun_script.query_string = query
    await connection.send(message.SerializeToString())
    tiles: list[dict[str, Any]] = []
    fault = ""
    async for data in connection:
        answer = ForwardMsg.FromString(data)
        kind = answer.WhichOneof("type")
        if kind == "script_finished":
            return tiles, fault
        element = answer.delta.new_element if kind == "delta" else None
        if element and element.WhichOneof("type") == "bidi_component":
            if element.bidi_component.component_name == "similarity_tiles":
                # The latest: results are drawn again where a second look has found something in them.
                tiles = [tile for tile in json.loads(element.bidi_component.json)["tiles"] if tile["rank"]] or tiles
        elif element and (element.WhichOneof("type") == "exception" or element.alert.format == Alert.ERROR):
            fault = fault or str(element)[:200]  # a warning is what is said of results, such as that none is likely
    return tiles, "the connection ended"


async def watch(url: str, process: int, until: float, tally: Tally) -> None:
    """Look at the server's health and memory, once a second."""
    while time.monotonic() < until:
        try:
            answer = await asyncio.to_thread(urllib.request.urlopen, f"{url}/_stcore/health", timeout=5)
            tally.unhealthy += answer.status != 200
        except OSError:
            tally.unhealthy += 1
        tally.resident_mb.append(resident_mb(process))
        await asyncio.sleep(1)


def resident_mb(process: int) -> float:
    """The memory that a process has, in megabytes."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / MEGABYTE


async def run(url: str, process: int, sessions: int, seconds: float) -> dict[str, Any]:
    """Let sessions search at once for a while; what came of it."""
    tally = Tally()
    async with websockets.connect(
        f"{url.replace('http', 'ws')}/_stcore/stream", subprotocols=["streamlit"], max_size=None, origin=url
    ) as first:
        await search(first, "gallery=sample")  # the first visitor waits until the sample is indexed
    until = time.monotonic() + seconds
    visitors = (visit(url, number, until, tally) for number in range(sessions))
    await asyncio.gather(watch(url, process, until, tally), *visitors)
    return {"sessions": sessions, "seconds": seconds} | tally.summary(seconds)


def main() -> None:
    """Serve the app with a home of its own, and let them come."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--sessions", type=int, default=20)
    options.add_argument("--seconds", type=float, default=60)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as home, running(Path(home)) as (url, process):
        sys.stdout.write(json.dumps(asyncio.run(run(url, process, chosen.sessions, chosen.seconds))) + "\n")


if __name__ == "__main__":
    main()
