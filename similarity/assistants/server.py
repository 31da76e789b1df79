"""A server of the Model Context Protocol over standard input and output, for the user's own assistant."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from similarity.errors import SimilarityError
from similarity.text.plain import one_line

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer

NAME = "similarity"
# Hits and thumbnails of a search: an assistant reads all of them.
MOST_HITS = 50
INSTRUCTIONS = (
    "Visual search in galleries of pictures on this computer. Call list_galleries first, then search with a picture, "
    "with a picture of the gallery itself, or with words. Nothing is changed."
)
NEEDED = "Serving assistants needs the library mcp: run `pip install mcp`."


def run() -> None:
    """Serve one assistant until it closes standard input.

    Raises:
        SimilarityError: the library that this needs is not installed.
    """
    create().run("stdio")


def create() -> "MCPServer":
    """Return a server with the tools; raises SimilarityError if the library that this needs is not installed."""
    try:
        from mcp.server.mcpserver import MCPServer
        from mcp.types import ToolAnnotations
    except ModuleNotFoundError as error:
        raise SimilarityError(NEEDED) from error

    server = MCPServer(NAME, instructions=INSTRUCTIONS, log_level="ERROR")
    for tool, is_local in ((list_galleries, True), (search, False)):
        annotations = ToolAnnotations(read_only_hint=True, open_world_hint=not is_local)
        server.tool(annotations=annotations, structured_output=False)(tool)
    return server


def list_galleries() -> str:
    """List the galleries that can be searched: name, model, number of pictures, and whether words can be used."""
    from similarity.assistants import answers

    with _told():
        return json.dumps(answers.list_galleries())


def search(
    gallery: Annotated[str, Field(description="Name of a gallery, as list_galleries gives it.")],
    picture: Annotated[str, Field(description="Path of a picture on this computer, or its http(s) address.")] = "",
    item: Annotated[str, Field(description="Id of a picture of the gallery itself, to find more like it.")] = "",
    text: Annotated[str, Field(description="Words that describe what is looked for, if the gallery takes words.")] = "",
    k: Annotated[int, Field(ge=1, le=MOST_HITS, description="How many results.")] = 10,
    where: Annotated[
        list[str] | None,
        Field(description="Conditions such as label=boot, width>=1000 or camera~canon; all must hold."),
    ] = None,
) -> list[Any]:
    """Find the pictures of a gallery that look most like a picture, or match words, best first.

    Returns the results as JSON (rank, score from -1 to 1, id, path, label, probability of being right if known), then a
    thumbnail of each, in the same order.
    """
    from mcp.server.mcpserver import Image

    from similarity.assistants import answers  # which loads what searches: an assistant waits for a start only briefly

    with _told():
        found = answers.search(gallery, picture, item, text, k, where or [])
    return [json.dumps(found.facts), *(Image(data=picture, format="jpeg") for picture in found.thumbnails)]


@contextmanager
def _told() -> Iterator[None]:
    """Tell the assistant of our errors in their own sentences."""
    from mcp.server.mcpserver.exceptions import ToolError

    try:
        yield
    except SimilarityError as error:
        raise ToolError(one_line(str(error))) from error
