"""The examples as somebody runs them: against the real API on loopback, and the page in a real browser."""

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from e2e.server import CHROMIUM, QUIET

from similarity import Gallery
from similarity.api.application import PREFIX, create_alone

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@contextmanager
def listening() -> Iterator[str]:
    """The API at a free port of this computer; gives its origin."""
    server = uvicorn.Server(uvicorn.Config(create_alone(), port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def origin(shapes: Gallery, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The API with the gallery `shapes`."""
    assert len(shapes)
    monkeypatch.setenv("SIMILARITY_MANAGE", "local")
    with listening() as found:
        yield found


def run_example(origin: str, *command: object, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run an example in a folder."""
    words = list(map(str, command))
    environment = {"API": origin + PREFIX, "PATH": "/usr/local/bin:/usr/bin:/bin"}
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_the_example_in_python_prints_the_hits_and_the_sentence_of_an_error(
    origin: str, shapes: Gallery, tmp_path: Path
) -> None:
    command = (sys.executable, EXAMPLES / "search.py", shapes.items[0].path)
    done = run_example(origin, *command, "shapes", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    expected = [hit.item.path for hit in shapes.search(shapes.items[0].path, k=5)]
    assert [line.split()[-1] for line in done.stdout.splitlines()] == expected
    lost = run_example(origin, *command, "nowhere", folder=tmp_path)
    assert (lost.returncode, lost.stderr) == (1, "There is no gallery named nowhere.\n")


def test_the_example_with_curl_prints_answers_and_fetches_a_thumbnail(
    origin: str, shapes: Gallery, tmp_path: Path
) -> None:
    command = ("sh", EXAMPLES / "search.sh", shapes.items[0].path)
    done = run_example(origin, *command, "shapes", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert len(first["hits"]) == len(second["hits"]) == 5
    assert second["query"] == first["hits"][0]["id"] == shapes.items[0].id
    assert (tmp_path / "thumbnail.jpg").read_bytes() == shapes.thumbnail(shapes.items[0])
    assert run_example(origin, *command, "nowhere", folder=tmp_path).returncode == 22


def test_the_examples_are_small_and_named_in_their_readme() -> None:
    readme = (EXAMPLES / "README.md").read_text()
    for path in EXAMPLES.glob("search.*"):
        assert f"`{path.name}`" in readme
    code = [line for line in (EXAMPLES / "search.py").read_text().splitlines() if line.strip()]
    assert len(code) <= 25


@pytest.mark.browser
@pytest.mark.exhaustive
def test_the_page_searches_with_a_file_and_then_with_a_result(origin: str, shapes: Gallery) -> None:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine")
    from playwright.sync_api import Route, expect, sync_playwright

    def serve(route: Route) -> None:
        route.fulfill(body=(EXAMPLES / "search.html").read_text(), content_type="text/html")

    said: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = browser.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.route(re.compile(r"/search\.html"), serve)
        page.goto(f"{origin}/search.html?api={origin}{PREFIX}&gallery=shapes")
        page.locator("#file").set_input_files(shapes.items[0].path)
        expect(page.get_by_role("status")).to_have_text(f"{len(shapes)} most similar pictures")
        drawn = "() => [...document.querySelectorAll('#hits img')].every(image => image.naturalWidth > 0)"
        page.wait_for_function(drawn)
        expect(page.locator("#hits li")).to_have_count(len(shapes))
        expect(page.locator("#hits i").first).to_have_text(shapes.items[0].label or "")
        page.locator("#hits button").nth(1).click()
        second = shapes.search(shapes.items[0].path, k=2)[1]
        expect(page.locator("#query")).to_have_attribute("alt", second.item.label or "")
        expect(page.locator("#hits small").first).to_have_text("1.000")
        page.wait_for_function(drawn)
        assert said == []
        page.goto(f"{origin}/search.html?api={origin}/nowhere")
        expect(page.get_by_role("status")).to_have_class("failed")
        browser.close()
