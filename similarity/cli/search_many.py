"""`search` with many queries, each alone: a folder or a list of them, to a file, to JSON lines or as a table."""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from similarity.cli import parts, terminal
from similarity.cli.options import INTERRUPTED
from similarity.cli.running import open_or_index

if TYPE_CHECKING:
    from similarity.gallery import Gallery
    from similarity.progress import OnProgress
    from similarity.query.lists import QueryList
    from similarity.sources import Skipped

KINDS = (".parquet", ".csv", ".jsonl")
# Columns that are there if they were asked for: for each option its column, whose boxes and the like are JSON.
ASKED: dict[str, tuple[str, type]] = {"copies": ("copy", str), "parts": ("part", str), "precision": ("confident", bool)}


@dataclass(frozen=True, slots=True)
class ManySearches:
    """What a `search` with many queries asks for.

    Attributes:
        place: the path of a folder or a list of queries; or one picture, as a text.
        gallery: its name.
        fields: of the `SearchRequest` that each of them is.
        out: the file to write; None to print.
        as_json: whether standard output is JSON.
    """

    place: Path | str
    gallery: str
    fields: Mapping[str, Any]
    out: Path | None
    as_json: bool


@dataclass(slots=True)
class Tally:
    """What has been searched with so far, and what could not be."""

    searched: int = 0
    hits: int = 0
    skipped: "list[Skipped]" = field(default_factory=list)


def place_of(query: str | None, queries: Path | None, out: Path | None) -> Path | str | None:
    """Return where many queries are, or the one that is written to a file; None for a search that is none of these."""
    if queries is not None:
        if query is not None:
            raise typer.BadParameter("give a picture or a list, not both", param_hint="--queries")
        return queries
    if query is not None and _is_folder(query):
        return Path(query)
    if query is None and out is not None:
        raise typer.BadParameter("give the pictures: a picture, a folder or a list with --queries", param_hint="--out")
    return query if out is not None else None


def check(out: Path | None, place: Path | str, **others: bool) -> None:
    """Raise BadParameter if many searches cannot be combined with other options, or there is no such kind of file.

    Args:
        others: for each option that is for one search only, whether it was given.
    """
    if other := next((name for name, is_given in others.items() if is_given), None):
        raise typer.BadParameter(
            "is for one search, and here each picture is searched with alone", param_hint=f"--{other.replace('_', '-')}"
        )
    if out is not None and out.suffix.lower() not in KINDS:
        raise typer.BadParameter("its name must end in .parquet, .csv or .jsonl", param_hint="--out")
    if out is not None and isinstance(place, Path) and out.exists() and place.exists() and out.samefile(place):
        raise typer.BadParameter("it is the list of the queries: choose another name", param_hint="--out")


def run(asked: ManySearches) -> None:
    """Search with each query, and write or print the answers."""
    listed = _open(asked)
    started, tally = time.monotonic(), Tally()
    terminal.say_notes(listed.notes)
    gallery = open_or_index(asked.gallery)
    try:
        _write(asked, gallery, listed, tally)
    except KeyboardInterrupt:
        rest = f"{asked.out} is as it was" if asked.out else "the rest is not here"
        terminal.say(f"Interrupted: {rest}.")
        raise typer.Exit(INTERRUPTED) from None
    _report(asked, gallery, tally, time.monotonic() - started)
    if not tally.searched:
        terminal.say("None of the queries could be searched with.", as_="Error", style="bold red")
        raise typer.Exit(1)


def _is_folder(query: str) -> bool:
    try:
        return bool(query.strip()) and Path(query).expanduser().is_dir()
    except (OSError, ValueError, RuntimeError):  # an address or words, which are no path
        return False


def _open(asked: ManySearches) -> "QueryList":
    from similarity.query.lists import QueryList, open_queries

    return QueryList([asked.place], 1) if isinstance(asked.place, str) else open_queries(asked.place)


def _write(asked: ManySearches, gallery: "Gallery", listed: "QueryList", tally: Tally) -> None:
    """Write the answers to a file as they come, or print them."""
    from similarity.exports import tables
    from similarity.service.answers.to_json import columns_of, to_rows

    if asked.out is None and asked.as_json:
        for answer in _answers(asked, gallery, listed, tally, None):
            terminal.print_json(answer)
        return
    with terminal.indexing() as progress:
        answers = _answers(asked, gallery, listed, tally, progress)
        if asked.out is None:
            rows = [row for answer in answers for row in to_rows(answer)]
        elif asked.out.suffix.lower() == ".jsonl":
            tables.write_table(asked.out, partial(tables.write_json_lines, objects=answers))
        else:
            write = tables.write_csv if asked.out.suffix.lower() == ".csv" else tables.write_parquet
            columns = columns_of(gallery, _further(asked))
            flat = (row for answer in answers for row in to_rows(answer))
            tables.write_table(asked.out, partial(write, columns=columns, rows=flat))
    if asked.out is None:
        _print(rows)


def _answers(
    asked: ManySearches, gallery: "Gallery", listed: "QueryList", tally: Tally, progress: "OnProgress | None"
) -> Iterator[dict[str, Any]]:
    """Yield the answers as JSON has them, those of lines that name no query at the end, and count them."""
    from similarity.errors import SourceError
    from similarity.query.inputs import Examples
    from similarity.service.answers.many import Unanswered, find_answers
    from similarity.service.answers.request import SearchRequest
    from similarity.service.answers.to_json import one_of_many
    from similarity.sources import Skipped
    from similarity.sources.unread import without_unread

    request = SearchRequest(Examples([]), "", **asked.fields)
    parts.prepare(gallery, request.options)
    for answer in find_answers(gallery, listed.queries, request, progress):
        if isinstance(answer, Unanswered):
            reason = getattr(answer.error, "reason", str(answer.error).removeprefix(f"{answer.query} "))
            tally.skipped.append(Skipped(answer.query, reason))
        else:
            tally.searched += 1
            tally.hits += len(answer.hits)
        yield one_of_many(answer)
    tally.skipped += listed.skipped
    for line in without_unread(listed.skipped):
        yield one_of_many(Unanswered(line.path, SourceError(f"{line.path} {line.reason}")))


def _further(asked: ManySearches) -> dict[str, type]:
    """Return the columns that the search asks for beside those that are always there."""
    fields = {**asked.fields, "parts": asked.fields["options"].parts}
    return {name: kind for option, (name, kind) in ASKED.items() if fields.get(option)}


def _print(rows: Iterable[Mapping[str, Any]]) -> None:
    """Print a line for each hit of each query."""
    from similarity.evaluation.confidence.estimate import percent

    lines = [
        (
            row["query"],
            str(row.get("rank", "")),
            f"{row['score']:.3f}" if "score" in row else "",
            percent(row["probability"]) if row.get("probability") is not None else "",
            row.get("label") or "",
            row.get("path", "no picture meets these conditions"),
        )
        for row in rows
        if "error" not in row
    ]
    if lines:
        terminal.print_table(("query", "rank", "score", "likely", "label", "path"), lines)


def _report(asked: ManySearches, gallery: "Gallery", tally: Tally, seconds: float) -> None:
    """Print what could not be searched with, and the counts."""
    rate = round((tally.searched + len(tally.skipped)) / seconds, 1) if seconds else 0.0
    if asked.as_json and asked.out is not None:
        facts: dict[str, Any] = {"out": str(asked.out), "gallery": gallery.name, "model": gallery.manifest.model}
        facts["skipped"] = [{"path": one.path, "reason": one.reason} for one in tally.skipped]
        facts |= {"searched": tally.searched, "hits": tally.hits}
        terminal.print_json(facts | {"seconds": round(seconds, 1), "images_per_second": rate})
        return
    terminal.say_skipped(tally.skipped, all_in=str(asked.out or "search --json"))
    if asked.out is not None:
        pictures = "1 picture" if tally.searched == 1 else f"{tally.searched:,} pictures"
        terminal.print_line(
            f"{pictures} searched with in {seconds:.1f} s ({rate} a second): {tally.hits:,} results in {asked.out}."
        )
