"""What assistants get over standard streams, asked with the client of the protocol's own library."""

import asyncio
import base64
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from commands import Run
from conftest import Site
from PIL import Image

from similarity import Gallery
from similarity.assistants import answers
from similarity.assistants.server import create
from similarity.errors import SearchError

COMMAND = [sys.executable, "-m", "similarity", "mcp"]


def ask(*calls: tuple[str, dict[str, Any]], environment: dict[str, str] | None = None) -> tuple[Any, list[Any]]:
    """Call the tools of a server in turn; returns the list of tools and what each call gave.

    Args:
        environment: of a process of its own, spoken to over its standard streams; None for a server in this process.
    """
    pytest.importorskip("mcp", reason="the library mcp is not installed")
    from mcp import Client, StdioServerParameters

    async def session() -> tuple[Any, list[Any]]:
        server = StdioServerParameters(command=COMMAND[0], args=COMMAND[1:], env=environment)
        async with Client(create() if environment is None else server, read_timeout_seconds=60) as client:
            tools = (await client.list_tools()).tools
            return tools, [await client.call_tool(name, arguments) for name, arguments in calls]

    return asyncio.run(session())


def test_an_assistant_lists_and_searches_with_paths_addresses_and_pictures_of_the_gallery(
    shapes: Gallery, site: Site
) -> None:
    first = shapes.items[0]
    site.pages["/a.jpg"] = (200, {"Content-Type": "image/jpeg"}, Path(first.path).read_bytes())
    there = {"gallery": "shapes", "k": 3}
    tools, (listed, by_path, by_url, by_item, refused, private) = ask(
        ("list_galleries", {}),
        ("search", {**there, "picture": first.path, "where": ["label=dots"]}),
        ("search", {**there, "picture": site.url("/a.jpg")}),
        ("search", {**there, "item": first.id}),
        ("search", {**there, "gallery": "nowhere", "item": first.id}),
        ("search", {**there, "picture": "http://127.0.0.2:1/a.jpg"}),
    )
    assert [tool.name for tool in tools] == ["list_galleries", "search"]
    assert all(tool.annotations.read_only_hint for tool in tools)
    [facts] = json.loads(listed.content[0].text)["galleries"]
    assert (facts["gallery"], facts["count"], facts["words"]) == ("shapes", len(shapes), False)
    for answer in (by_path, by_url, by_item):
        found, *pictures = answer.content
        hits = json.loads(found.text)["hits"]
        assert not answer.is_error
        assert hits[0]["id"] == first.id
        assert len(hits) == len(pictures) == 3
        with Image.open(io.BytesIO(base64.b64decode(pictures[0].data))) as image:
            assert image.format == "JPEG"
    assert {hit["label"] for hit in json.loads(by_path.content[0].text)["hits"]} == {"dots"}
    for answer, sentence in (
        (refused, "There is no gallery named nowhere; there are: shapes."),
        (private, "127.0.0.2"),
    ):
        assert answer.is_error
        assert sentence in answer.content[0].text
        assert "\n" not in answer.content[0].text


@pytest.mark.exhaustive
def test_a_process_is_spoken_to_over_its_standard_streams(shapes: Gallery, child_environment: dict[str, str]) -> None:
    there = {"gallery": "shapes", "picture": shapes.items[0].path, "k": 1}
    _, [listed, found, refused] = ask(
        ("list_galleries", {}), ("search", there), ("search", {"gallery": "shapes"}), environment=child_environment
    )
    assert json.loads(listed.content[0].text)["galleries"][0]["gallery"] == "shapes"
    assert json.loads(found.content[0].text)["hits"][0]["id"] == shapes.items[0].id
    assert refused.is_error


def test_what_makes_no_sense_is_refused_in_a_sentence(shapes: Gallery) -> None:
    assert len(shapes)
    with pytest.raises(SearchError, match="Give a picture"):
        answers.search("shapes")
    _, [refused] = ask(("search", {"gallery": "shapes", "item": shapes.items[0].id, "k": 51}))
    assert refused.is_error
    assert "less than or equal to 50" in refused.content[0].text


def test_a_home_without_galleries_says_how_to_make_one(empty_home: Path) -> None:
    assert not list(empty_home.glob("galleries/*"))
    listed = answers.list_galleries()
    assert listed["galleries"] == []
    assert "python -m similarity index" in listed["note"]


def test_without_its_library_the_command_says_what_to_install(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mcp.server.mcpserver", None)
    done = run("mcp")
    assert done.returncode == 1
    assert "pip install mcp" in done.stderr
    assert done.stdout == ""


@pytest.mark.exhaustive
def test_nothing_but_the_protocol_is_on_standard_output(shapes: Gallery, child_environment: dict[str, str]) -> None:
    pytest.importorskip("mcp", reason="the library mcp is not installed")
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    search = {"name": "search", "arguments": {"gallery": "shapes", "picture": shapes.items[0].path}}
    messages = (
        {"id": 1, "method": "initialize", "params": hello},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/call", "params": search},
    )
    with subprocess.Popen(
        COMMAND, env=child_environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        for message in messages:
            process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
            process.stdin.flush()
        told = [json.loads(process.stdout.readline()) for _ in range(2)]
        process.stdin.close()
        assert process.stdout.read() == ""
        assert process.wait(30) == 0
        assert "Traceback" not in process.stderr.read()
    assert [message["id"] for message in told] == [1, 2]
    assert told[1]["result"]["isError"] is False
