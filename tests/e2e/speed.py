"""How fast the app is in a browser, beside another commit: `python -m tests.e2e.speed --against COMMIT`.

Both are served at once, on copies of one home, and take turns, so that a busy computer slows both. Measured are the
milliseconds from a click on a picture to its 100 results; the gaps between frames while all results are scrolled
through; and the server's memory after 100, 500 and 1,000 searches. Prints a table, and with `--json` one JSON object.
"""

import argparse
import asyncio
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import websockets
from playwright.sync_api import Browser, Page, sync_playwright

from similarity import Gallery
from tests.e2e import load
from tests.e2e.server import CHROMIUM, QUIET, ROOT, running

WAIT = 60_000
HERE = "this checkout"
SIZE = {"width": 1440, "height": 900}
START = 'img[alt^="In the gallery:"], img[alt^="Sample:"]'
WARM_UP = 3
MEMORY_AT = (100, 500, 1000)
# What was served -> for each click, milliseconds until there were results, and until nothing more was done.
Clicks = dict[str, list[tuple[float, float]]]
# Pictures that take turns at being the query, since one visitor may have only so many embedded in a minute.
QUERIES = 20
TOO_MUCH, REST_S = "within a minute", 15
SLOW_FRAME_MS = 50
# Milliseconds from the next click until results are there, and until the app has nothing more to do.
ARM = """() => {
  window.took = window.settled = null;
  const find = (root, selector) => root.querySelector(selector) ?? [...root.querySelectorAll("*")]
    .reduce((found, one) => found ?? (one.shadowRoot && find(one.shadowRoot, selector)), null);
  const isIdle = () => document.querySelector('[data-testid="stApp"][data-test-script-state="notRunning"]')
    && !document.querySelector('[data-stale="true"]');
  const begin = () => {
    const start = performance.now();
    const look = () => {
      if (window.took === null && find(document, 'img[alt^="Rank 1:"]')) window.took = performance.now() - start;
      if (window.took !== null && isIdle()) window.settled = performance.now() - start;
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  };
  addEventListener("click", begin, { capture: true, once: true });
}"""
# Scrolls a screen's height in a third of a second, as a wheel does, until there is nothing further; the gaps between
# frames in milliseconds.
SCROLL = """() => new Promise((resolve) => {
  const box = document.querySelector('[data-testid="stMain"]');
  const gaps = [];
  let before, quiet = 0;
  const step = (now) => {
    if (before !== undefined) gaps.push(now - before);
    before = now;
    const from = box.scrollTop;
    box.scrollTop += box.clientHeight / 20;
    quiet = box.scrollTop === from ? quiet + 1 : 0;
    if (quiet < 90 && gaps.length < 6000) requestAnimationFrame(step);
    else resolve({ gaps, pixels: box.scrollTop });
  };
  requestAnimationFrame(step);
})"""


@contextmanager
def checked_out(commit: str) -> Iterator[Path]:
    """Another commit's files, in a folder of their own until the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "commit"
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", str(place), commit], cwd=ROOT, check=True)
        try:
            yield place
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(place)], cwd=ROOT, check=True)


def click_to_results(page: Page, url: str, gallery: str, turn: int) -> tuple[float, float]:
    """Milliseconds from a click on a picture of the start page to 100 results, and until nothing more is done."""
    page.goto(f"{url}/?{urlencode({'gallery': gallery, 'k': 100})}")
    pictures = page.locator(START)
    pictures.first.wait_for(timeout=WAIT)
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for(timeout=WAIT)
    page.wait_for_timeout(300)
    page.evaluate(ARM)
    pictures.nth(turn % pictures.count()).click()
    page.wait_for_function("window.settled !== null", timeout=WAIT)
    shown, settled = page.evaluate("[window.took, window.settled]")
    return float(shown), float(settled)


def measure_clicks(browser: Browser, urls: dict[str, str], gallery: str, rounds: int) -> Clicks:
    """Click in each app in turn; milliseconds, without those of the first rounds, in which all is loaded."""
    pages = {name: browser.new_page(viewport=SIZE) for name in urls}
    took: Clicks = {name: [] for name in urls}
    for turn in range(WARM_UP + rounds):
        for name, url in urls.items():
            milliseconds = click_to_results(pages[name], url, gallery, turn)
            if turn >= WARM_UP:
                took[name].append(milliseconds)
    for page in pages.values():
        page.close()
    return took


def measure_scrolling(browser: Browser, url: str, gallery: str, item: str) -> dict[str, float]:
    """Scroll through all results of a picture."""
    page = browser.new_page(viewport=SIZE)
    page.goto(f"{url}/?{urlencode({'gallery': gallery, 'like': f'item:{item}', 'k': 100})}")
    page.get_by_alt_text("Rank 1:").first.wait_for(timeout=WAIT)
    page.wait_for_timeout(1000)
    scrolled = page.evaluate(SCROLL)
    page.close()
    gaps = scrolled["gaps"]
    return {
        "pixels": scrolled["pixels"],
        "frames": len(gaps),
        "median_gap_ms": round(statistics.median(gaps), 1),
        "longest_gap_ms": round(max(gaps), 1),
        "slow_frames": sum(gap > SLOW_FRAME_MS for gap in gaps),
    }


async def measure_memory(url: str, process: int, gallery: str, items: list[str]) -> dict[str, float]:
    """Search in one session, again and again; the server's resident megabytes after so many searches."""
    socket = f"{url.replace('http', 'ws')}/_stcore/stream"
    resident = {}
    async with websockets.connect(socket, subprotocols=["streamlit"], max_size=None, origin=url) as connection:
        for count in range(1, MEMORY_AT[-1] + 1):
            query = {"gallery": gallery, "like": f"item:{items[count % len(items)]}", "k": 100}
            _, fault = await load.search(connection, urlencode(query))
            while TOO_MUCH in fault:
                await asyncio.sleep(REST_S)
                _, fault = await load.search(connection, urlencode(query))
            if fault:
                raise RuntimeError(fault)
            if count in MEMORY_AT:
                resident[str(count)] = round(load.resident_mb(process))
    return resident


def summarise(took: Clicks) -> dict[str, Any]:
    """Medians, the slowest tenth, and how many times as long this checkout takes."""
    found: dict[str, Any] = {
        name: {
            "median_ms": round(statistics.median(shown for shown, _ in all_)),
            "p90_ms": round(statistics.quantiles([shown for shown, _ in all_], n=10)[-1]),
            "settled_median_ms": round(statistics.median(settled for _, settled in all_)),
        }
        for name, all_ in took.items()
    }
    others = [name for name in took if name != HERE]
    ratios = {name: round(found[HERE]["median_ms"] / found[name]["median_ms"], 2) for name in others}
    return {"click_to_100_results": found, "times_as_long_as": ratios}


def measure(chosen: argparse.Namespace) -> dict[str, Any]:
    """Serve the apps, and measure."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        roots = {HERE: ROOT}
        if chosen.against:
            roots[chosen.against] = stack.enter_context(checked_out(chosen.against))
        apps = {}
        for number, (name, root) in enumerate(roots.items()):
            home = Path(shutil.copytree(chosen.home, folder / str(number)))
            apps[name] = stack.enter_context(running(home, root=root))
        items = Gallery.open(folder / "0" / "galleries" / chosen.gallery).items
        ids = [item.public_id for item in items.at(range(len(items)))]
        urls = {name: url for name, (url, _) in apps.items()}
        found: dict[str, Any] = {"pictures": len(ids), "rounds": chosen.rounds}
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
            found |= summarise(measure_clicks(browser, urls, chosen.gallery, chosen.rounds))
            scrolled = {name: measure_scrolling(browser, url, chosen.gallery, ids[0]) for name, url in urls.items()}
            browser.close()
        found["scrolling"] = scrolled
        if chosen.memory:
            found["resident_mb_after"] = asyncio.run(measure_memory(*apps[HERE], chosen.gallery, ids[:QUERIES]))
    return found


def table(found: dict[str, Any]) -> str:
    """The figures, for people."""
    lines = [f"{found['pictures']:,} pictures, {found['rounds']} clicks each"]
    for name, figures in found["click_to_100_results"].items():
        scrolled = found["scrolling"][name]
        lines.append(
            f"{name:<20} click to 100 results {figures['median_ms']:>5} ms median, {figures['p90_ms']:>5} ms at 90 %, "
            f"{figures['settled_median_ms']:>5} ms until nothing more is done; "
            f"scrolling {scrolled['pixels']:,.0f} px: {scrolled['median_gap_ms']} ms a frame, "
            f"{scrolled['longest_gap_ms']} ms the longest, {scrolled['slow_frames']} over {SLOW_FRAME_MS} ms"
        )
    lines += [f"{HERE} takes {ratio} times as long as {name}" for name, ratio in found["times_as_long_as"].items()]
    if resident := found.get("resident_mb_after"):
        lines.append("memory: " + ", ".join(f"{size} MB after {count} searches" for count, size in resident.items()))
    return "\n".join(lines)


def main() -> None:
    """Measure, and print."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--home", type=Path, required=True, help="a SIMILARITY_HOME, of which copies are served")
    options.add_argument("--gallery", required=True, help="a gallery of it, of some thousand pictures")
    options.add_argument("--against", default="", help="the commit to compare with")
    options.add_argument("--rounds", type=int, default=20, help="clicks in each app")
    options.add_argument("--memory", action="store_true", help="measure the memory after a thousand searches, too")
    options.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    chosen = options.parse_args()
    found = measure(chosen)
    sys.stdout.write((json.dumps(found) if chosen.json else table(found)) + "\n")


if __name__ == "__main__":
    main()
