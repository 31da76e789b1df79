"""One visitor who does his worst for a minute while another one searches: `python -m tests.e2e.worst --seconds 60`.

He uploads as much as he can, has large pictures decoded and parts of pictures embedded in many tabs, exports, gives
addresses, opens tabs, says too much, and leaves requests half sent, all at once; in a process that yields to all
others and comes from another address, as if he sat at another computer. Prints one JSON object: how long the other
one's searches took, the server's health, and its memory before, meanwhile and after the first has left.
"""

import argparse
import asyncio
import functools
import io
import itertools
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
import websockets
from PIL import Image
from requests.adapters import HTTPAdapter
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from similarity.sample import sample_queries
from tests.e2e.load import RESULTS, Tally, resident_mb, search
from tests.e2e.server import running

UPLOADERS, DECODERS, CUTTERS, EXPORTERS, TYPERS, COMERS = 6, 8, 16, 3, 3, 3
HALF_HEADS, HALF_BODIES = 1_500, 40
MEGABYTES_20 = 20_000_000
# Another computer's, as far as the server can tell.
FROM = "127.0.0.2"

Tried = dict[str, int]


def connect(url: str, address: str = "127.0.0.1") -> Any:
    """A tab of a computer with an address."""
    socket = f"{url.replace('http', 'ws')}/_stcore/stream"
    return websockets.connect(socket, subprotocols=["streamlit"], max_size=None, origin=url, local_addr=(address, 0))


class FromAddress(HTTPAdapter):
    """Requests from the address of his computer."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, source_address=(Attacker.address, 0), **options)


class Attacker:
    """The computer that he sits at."""

    address = FROM


async def draw(connection: Any, message: BackMsg) -> list[ForwardMsg]:
    """Send something; all that comes until the page has been drawn."""
    await connection.send(message.SerializeToString())
    answers: list[ForwardMsg] = []
    async for data in connection:
        answers.append(ForwardMsg.FromString(data))
        if answers[-1].WhichOneof("type") == "script_finished":
            break
    return answers


def page_at(query: str) -> BackMsg:
    """A page that is asked for."""
    message = BackMsg()
    message.rerun_script.query_string = query
    return message


def elements(answers: list[ForwardMsg], kind: str) -> list[Any]:
    """All elements of a kind on a page."""
    drawn = [answer.delta.new_element for answer in answers if answer.WhichOneof("type") == "delta"]
    return [getattr(element, kind) for element in drawn if element.WhichOneof("type") == kind]


def session_of(answers: list[ForwardMsg]) -> str:
    """Which session a tab is."""
    begun = next(answer for answer in answers if answer.WhichOneof("type") == "new_session")
    return str(begun.new_session.initialize.session_id)


def put(url: str, session: str, number: str, data: bytes) -> int:
    """Upload a file as a page does; the status of the answer."""
    browser = requests.Session()
    browser.mount("http://", FromAddress())
    browser.get(f"{url}/_stcore/host-config", timeout=60)
    browser.get(f"{url}/_stcore/health", timeout=60)
    token = browser.cookies.get("_streamlit_xsrf") or ""
    place = f"{url}/_stcore/upload_file/{session}/{number}"
    files = {"file": (f"{number}.png", data, "image/png")}
    return browser.put(place, files=files, headers={"X-Xsrftoken": token, "Origin": url}, timeout=120).status_code


async def upload(url: str, number: int, tried: Tried) -> None:
    """Upload as much as one can, and use none of it."""
    async with connect(url, Attacker.address) as tab:
        session = session_of(await draw(tab, page_at("gallery=sample")))
        for turn in itertools.count():
            data = os.urandom(16) + bytes(MEGABYTES_20 - 16)
            status = await asyncio.to_thread(put, url, session, f"{number}-{turn}", data)
            count(tried, f"upload {status}")


@functools.cache
def bomb() -> bytes:
    """A small file of 49 million pixels."""
    buffer = io.BytesIO()
    Image.new("RGB", (7_000, 7_000), "grey").save(buffer, "PNG")
    return buffer.getvalue()


async def decode(url: str, number: int, tried: Tried) -> None:
    """Search with pictures that take memory and time."""
    small = await asyncio.to_thread(bomb)
    async with connect(url, Attacker.address) as tab:
        answers = await draw(tab, page_at("gallery=sample"))
        session = session_of(answers)
        for turn in itertools.count():
            name = f"{number}-{turn}"
            data = small + os.urandom(16)  # another file, which nobody has decoded
            status = await asyncio.to_thread(put, url, session, name, data)
            count(tried, f"bomb {status}")
            fields = elements(answers, "file_uploader")
            if not fields:
                answers = await draw(tab, page_at("gallery=sample"))
                continue
            message = page_at("gallery=sample")
            state = message.rerun_script.widget_states.widgets.add(id=fields[-1].id)
            info = state.file_uploader_state_value.uploaded_file_info.add(name="a.png", size=len(data), file_id=name)
            info.file_urls.file_id = name
            answers = await draw(tab, message)
            count(tried, "decoded" if not elements(answers, "alert") else "refused")


async def cut(url: str, number: int, tried: Tried) -> None:
    """Have another part of a picture embedded each time."""
    samples, drawn = [item.id for item in sample_queries()], random.Random(number)
    async with connect(url, Attacker.address) as tab:
        while True:
            left, top = drawn.randint(0, 400) / 10, drawn.randint(0, 400) / 10
            part = f"sample:{drawn.choice(samples)}@{left},{top},{left + 55},{top + 55}"
            _, fault = await search(tab, urlencode({"gallery": "sample", "like": part}))
            count(tried, "cut" if not fault else "cut refused")


async def export(url: str, number: int, tried: Tried) -> None:
    """Ask for every file that a page offers, again and again."""
    query = urlencode({"gallery": "sample", "like": f"sample:{sample_queries()[number].id}"})
    async with connect(url, Attacker.address) as tab:
        while True:
            answers = await draw(tab, page_at(query))
            for button in elements(answers, "download_button"):
                message = BackMsg()
                message.backend_operation_request.deferred_file.file_id = button.deferred_file_id
                message.backend_operation_request.request_id = f"{number}-{button.deferred_file_id}"
                await tab.send(message.SerializeToString())
                count(tried, "export")


async def type_much(url: str, number: int, tried: Tried) -> None:
    """Give addresses, sensible ones and long ones, and messages that are longer still."""
    async with connect(url, Attacker.address) as tab:
        for turn in itertools.count():
            place = f"http://192.0.2.{number}/{turn}" if turn % 3 else "http://example.test/" + "a" * 800_000
            await draw(tab, page_at(urlencode({"gallery": "sample", "like": f"url:{place}"})))
            await tab.send(os.urandom(5_000_000))
            count(tried, "address")


async def come_and_go(url: str, _: int, tried: Tried) -> None:
    """Open a tab, and another one."""
    while True:
        async with connect(url, Attacker.address) as tab:
            await draw(tab, page_at("gallery=sample"))
            count(tried, "tab")


async def leave_half_sent(url: str, head: bytes, tried: Tried) -> None:
    """Begin a request and never end it; begin another one when the server has lost patience."""
    place = urlsplit(url)
    while True:
        reader, writer = await asyncio.open_connection(place.hostname, place.port, local_addr=(Attacker.address, 0))
        writer.write(head.replace(b"HOST", place.netloc.encode()))
        await reader.read(1)
        writer.close()
        count(tried, "half sent")


def count(tried: Tried, what: str) -> None:
    """Note what the server had to do."""
    tried[what] = tried.get(what, 0) + 1


async def again(attack: Callable[[str, int, Tried], Awaitable[None]], url: str, number: int, tried: Tried) -> None:
    """Go on when the server has had enough of it."""
    while True:
        with suppress(OSError, websockets.WebSocketException, StopIteration, requests.RequestException, RuntimeError):
            await attack(url, number, tried)
        count(tried, f"{attack.__name__} was cut off")
        await asyncio.sleep(0.5)


def attacks(url: str, tried: Tried) -> list[Awaitable[None]]:
    """All that he does at once."""
    of = {upload: UPLOADERS, decode: DECODERS, cut: CUTTERS, export: EXPORTERS, type_much: TYPERS, come_and_go: COMERS}
    all_at_once = [again(attack, url, number, tried) for attack, most in of.items() for number in range(most)]
    head = b"GET / HTTP/1.1\r\nHost: HOST\r\nX-A: "
    body = b"PUT /_stcore/upload_file/a/b HTTP/1.1\r\nHost: HOST\r\nContent-Length: 19000000\r\n\r\nabc"
    halves = [head] * HALF_HEADS + [body] * HALF_BODIES

    def half(each: bytes) -> Callable[[str, int, Tried], Awaitable[None]]:
        async def leave(url: str, _: int, tried: Tried) -> None:
            await leave_half_sent(url, each, tried)

        return leave

    return all_at_once + [again(half(each), url, 0, tried) for each in halves]


async def search_on(url: str, until: float, tally: Tally) -> None:
    """Another visitor: a part of a sample every second, each of which is embedded."""
    samples, drawn = [item.id for item in sample_queries()], random.Random(7)
    async with connect(url) as tab:
        while time.monotonic() < until:
            left, top = drawn.randint(0, 400) / 10, drawn.randint(0, 400) / 10
            part = f"sample:{drawn.choice(samples)}@{left},{top},{left + 50},{top + 50}"
            began = time.monotonic()
            tiles, fault = await search(tab, urlencode({"gallery": "sample", "like": part}))
            tally.milliseconds.append(1000 * (time.monotonic() - began))
            if len(tiles) != RESULTS:  # a warning that none is like it is no fault
                tally.errors.append(fault or f"{len(tiles)} results")
            await asyncio.sleep(1)


async def look_on(url: str, process: int, until: float, tally: Tally) -> None:
    """Look at the server's health and memory, twice a second."""
    while time.monotonic() < until:
        try:
            answer = await asyncio.to_thread(requests.get, f"{url}/_stcore/health", timeout=5)
            tally.unhealthy += answer.status_code != 200
        except (OSError, requests.RequestException):
            tally.unhealthy += 1
        tally.resident_mb.append(resident_mb(process))
        await asyncio.sleep(0.5)


async def run(url: str, process: int, seconds: float, after: float, address: str) -> dict[str, Any]:
    """Let both come; what came of it."""
    before, tally = Tally(), Tally()
    async with connect(url) as first:
        await search(first, "gallery=sample")  # the first visitor waits until the sample is indexed
    await search_on(url, time.monotonic() + 10, before)
    calm_mb = resident_mb(process)
    until = time.monotonic() + seconds
    with tempfile.TemporaryFile("w+") as told:
        worst = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.worst", "--attack", url, str(seconds), "--from", address], stdout=told
        )
        await asyncio.gather(search_on(url, until, tally), look_on(url, process, until, tally))
        await asyncio.to_thread(worst.wait)
        told.seek(0)
        tried = json.load(told)
    later = Tally()
    await look_on(url, process, time.monotonic() + after, later)
    return {
        "searches": len(tally.milliseconds),
        "errors": tally.errors[:3],
        "p95_ms_before": _p95(before),
        "p95_ms": _p95(tally),
        "slowest_ms": round(max(tally.milliseconds, default=0)),
        "looks": len(tally.resident_mb),
        "unhealthy": tally.unhealthy,
        "mb_before": round(calm_mb),
        "mb_more_at_most": round(max(tally.resident_mb) - calm_mb),
        "mb_more_after": [round(mb - calm_mb) for mb in later.resident_mb[:: max(1, len(later.resident_mb) // 8)]],
        "tried": tried,
    }


async def attack(url: str, seconds: float) -> Tried:
    """Do all that at once for a while; what came of it."""
    os.nice(19)
    tried = Tried()
    all_at_once = [asyncio.ensure_future(one) for one in attacks(url, tried)]
    await asyncio.wait(all_at_once, timeout=seconds)
    return tried


def _p95(tally: Tally) -> int:
    if len(tally.milliseconds) < 2:
        return -1
    return round(statistics.quantiles(tally.milliseconds, n=20, method="inclusive")[18])


def main() -> None:
    """Serve the app with a home of its own, for visitors who may only search."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--after", type=float, default=180, help="how long to look at memory when he has left")
    options.add_argument("--from", dest="address", default=FROM, help="the network address of his computer")
    options.add_argument("--attack", nargs=2, metavar=("URL", "SECONDS"), help="only do the worst to a server")
    chosen = options.parse_args()
    if chosen.attack:
        Attacker.address = chosen.address
        sys.stdout.write(json.dumps(asyncio.run(attack(chosen.attack[0], float(chosen.attack[1])))))
        sys.stdout.flush()
        os._exit(0)  # threads that still upload end with it
    with (
        tempfile.TemporaryDirectory() as home,
        running(Path(home), environment={"SIMILARITY_MANAGE": "nobody"}) as (url, process),
    ):
        found = asyncio.run(run(url, process, chosen.seconds, chosen.after, chosen.address))
        sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
