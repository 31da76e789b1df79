"""`search` in several galleries at once."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from similarity.cli import parts, terminal
from similarity.cli.query_arguments import QueryArguments
from similarity.cli.running import open_or_index
from similarity.sample import SAMPLE

if TYPE_CHECKING:
    from similarity.gallery import Gallery
    from similarity.query.fused_hits import FusedHits

ONE_ONLY = "works with one gallery; leave it out, or name one gallery with -g"


@dataclass(frozen=True, slots=True)
class Request:
    """What a `search` in several galleries asks for: its query, names of galleries, and fields of a `SearchRequest`."""

    query: QueryArguments
    galleries: Sequence[str]
    fields: Mapping[str, Any]


def are_several(names: Sequence[str]) -> bool:
    """Whether names are of several galleries, or a pattern of names, which may fit several."""
    from similarity.galleries import is_pattern

    return len(names) > 1 or any(map(is_pattern, names))


def check(given: Mapping[str, bool], place: Path | str | None) -> None:
    """Raise BadParameter if an option that works with one gallery was given.

    Args:
        given: by the names of such options, whether each was.
        place: of many queries, if there are many.
    """
    for name, is_given in given.items():
        if is_given:
            raise typer.BadParameter(ONE_ONLY, param_hint=f"--{name}")
    if place is not None:
        raise typer.BadParameter("a folder of queries is searched for in one gallery", param_hint="QUERY")


def run(request: Request, sheet: Path | None, *, as_json: bool) -> None:
    """Search, draw the sheet if one is requested, and print the hits."""
    from similarity.galleries import Galleries, expand

    if sheet and sheet.suffix.lower() != ".png":
        raise typer.BadParameter("its name must end in .png", param_hint="--sheet")
    examples, fields = request.query.read(), request.fields
    galleries = Galleries.open_with(_opener(), expand(request.galleries))
    for gallery in galleries.galleries.values():
        parts.prepare(gallery, fields["options"])
    began = time.perf_counter()
    hits = galleries.search(
        examples, fields["k"], fields["options"], conditions=fields["where"], exclude_query=fields["exclude_query"]
    )
    took_ms = round((time.perf_counter() - began) * 1000, 1)
    if as_json:
        from similarity.service.answers.to_json import fused_to_json

        terminal.print_json(fused_to_json(request.query.title, galleries.galleries, hits, took_ms))
        if sheet:
            hits.sheet(sheet)
        return
    for name, reason in hits.left_out.items():
        what = f"{name} is not whole." if name in hits.directories else f"{name} is left out."
        terminal.say(f"{what} {reason}", as_="Note")
    if hits:
        _print(hits)
    else:
        terminal.say("No picture meets these conditions.")
    if sheet:
        hits.sheet(sheet)
        terminal.say(f"Sheet written to {sheet}")


def _opener() -> "Callable[[str], Gallery]":
    """Return what opens galleries: those of one model share it, and the sample is indexed first if it has not been."""
    from similarity.embedding.embedder import Embedder
    from similarity.gallery import open_gallery

    load = cache(Embedder.restore)
    return lambda name: open_or_index(name) if name == SAMPLE else open_gallery(name, load)


def _print(hits: "FusedHits") -> None:
    """Print a line for each hit, with the galleries that have it."""
    rows = [
        (
            str(hit.rank),
            f"{hit.score:.3f}",
            ", ".join([hit.gallery, *hit.also_in]),
            hit.item.label or "",
            hit.item.path + (" (the file is gone)" if hit.item.is_gone else ""),
        )
        for hit in hits.located
    ]
    terminal.print_table(("rank", "score", "gallery", "label", "path"), rows)
