"""The command line: parse, call the library, print. Results go to standard output, the rest to standard error."""

import json
import logging
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from similarity.errors import GalleryError, SimilarityError

app = typer.Typer(
    name="similarity",
    help="Show it a picture, see the most similar pictures of a gallery.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

GalleryName = Annotated[str, typer.Option("--gallery", "-g", help="A gallery's name, or a path to its folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else, on standard output.")]

SHOWN_SKIPPED = 20
INTERRUPTED = 130


def main() -> None:
    """Run the command line: exit status 0 done, 1 an error of ours in one sentence, 2 wrong usage, 130 interrupted."""
    logging.basicConfig(level=logging.ERROR)
    try:
        app()
    except SimilarityError as error:
        _say(f"[bold red]Error:[/] {_plain(str(error))}")
        sys.exit(1)


@app.command()
def index(
    source: Annotated[Path, typer.Argument(help="A folder of pictures, searched with all folders below it.")],
    gallery: GalleryName,
    model: Annotated[
        str, typer.Option("--model", "-m", help="A backbone; auto is ResNet-50 if it can be had.")
    ] = "auto",
    as_json: AsJson = False,
) -> None:
    """Index a folder of pictures into a gallery; the folder a picture lies in is its label."""
    from similarity.gallery import Gallery, find_gallery
    from similarity.sources import Folder
    from similarity.weights import choose_model

    directory = find_gallery(gallery)
    listed = Folder.scan(source)
    with _download_bar("Downloading weights") as downloaded:
        choice = choose_model(model, progress=downloaded)
    if choice.note:
        _say(f"[yellow]Note:[/] {_plain(choice.note)}")
    try:
        with _progress_bar(f"Indexing with {choice.backbone.title}") as progress:
            built = Gallery.build(listed, directory, model=choice, progress=progress)
    except KeyboardInterrupt:
        _say("Interrupted: nothing was changed.")
        raise typer.Exit(INTERRUPTED) from None
    _report_build(built.name, built.manifest, as_json=as_json)


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="A picture: its path, or its http(s) address.")],
    gallery: GalleryName = "sample",
    k: Annotated[int, typer.Option("-k", min=1, help="How many results.")] = 10,
    sheet: Annotated[Path | None, typer.Option(help="Also draw query and results into this PNG file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Find the pictures of a gallery that are most similar to a query."""
    from similarity.gallery import open_gallery
    from similarity.queries import read_query

    if sheet and sheet.suffix.lower() != ".png":
        raise typer.BadParameter("its name must end in .png", param_hint="--sheet")
    opened = open_gallery(gallery)
    image = read_query(query)
    _ = opened.embedder  # loaded here, so that the time below is that of a search
    started = time.perf_counter()
    hits = opened.search(image, k)
    took_ms = round(1000 * (time.perf_counter() - started), 1)
    if sheet:
        from similarity.sheet import draw_sheet, save_sheet

        pictures = [opened.thumbnail(hit.item) for hit in hits]
        save_sheet(sheet, draw_sheet(image, query.rstrip("/").rsplit("/", 1)[-1], hits, pictures))
    if as_json:
        found = [
            {"rank": hit.rank, "score": hit.score, "id": hit.item.id, "path": hit.item.path, "label": hit.item.label}
            for hit in hits
        ]
        model = opened.manifest.model
        _print_json({"query": query, "gallery": opened.name, "model": model, "took_ms": took_ms, "hits": found})
        return
    rows = [(str(hit.rank), f"{hit.score:.3f}", hit.item.label or "", hit.item.path) for hit in hits]
    _print_table(("rank", "score", "label", "path"), rows)
    if sheet:
        _say(f"Sheet written to {_plain(str(sheet))}")


@app.command()
def info(gallery: GalleryName = "sample", as_json: AsJson = False) -> None:
    """Show what a gallery is: model, count, when it was made, what was skipped."""
    from similarity.gallery import open_gallery

    opened = open_gallery(gallery)
    manifest = asdict(opened.manifest)
    files = manifest.pop("files")
    size = sum(file["size"] for file in files.values())
    facts = {"gallery": opened.name, "directory": str(opened.directory)} | manifest | {"bytes": size}
    if as_json:
        _print_json(facts)
        return
    facts["skipped"] = len(opened.manifest.skipped)
    facts["preprocessing"] = ", ".join(f"{key} {value}" for key, value in manifest["preprocessing"].items())
    _print_table(("", ""), [(key, str(value)) for key, value in facts.items() if value not in ("", None)])
    _print_skipped(opened.manifest.skipped)


@app.command("list")
def list_command(as_json: AsJson = False) -> None:
    """List the galleries in SIMILARITY_HOME."""
    from similarity.gallery import list_galleries
    from similarity.storage import read_manifest

    galleries = []
    for directory in list_galleries():
        try:
            manifest = read_manifest(directory)
        except GalleryError as error:
            _say(f"[yellow]Note:[/] {_plain(str(error))}")
            continue
        galleries.append(
            {"gallery": directory.name, "model": manifest.model, "count": manifest.count, "created": manifest.created}
        )
    if as_json:
        _print_json({"galleries": galleries})
    elif galleries:
        rows = [tuple(str(value) for value in gallery.values()) for gallery in galleries]
        _print_table(("gallery", "model", "count", "created"), rows)
    else:
        _say("There are no galleries yet: make one with `python -m similarity index FOLDER --gallery NAME`.")


def _report_build(name: str, manifest: Any, *, as_json: bool) -> None:
    rate = round(manifest.count / manifest.seconds, 1) if manifest.seconds else 0.0
    if as_json:
        skipped = [asdict(one) for one in manifest.skipped]
        report = {"gallery": name, "model": manifest.model, "dim": manifest.dim, "indexed": manifest.count}
        _print_json(report | {"skipped": skipped, "seconds": manifest.seconds, "images_per_second": rate})
        return
    _print_skipped(manifest.skipped)
    count, seconds = f"{manifest.count:,} pictures", f"{manifest.seconds:.1f} s"
    Console(highlight=False).print(f"Indexed {count} into [bold]{_plain(name)}[/] in {seconds} ({rate} a second).")


def _print_skipped(skipped: list[Any]) -> None:
    for one in skipped[:SHOWN_SKIPPED]:
        _say(f"[yellow]Skipped[/] {_plain(one.path)}: {_plain(one.reason)}")
    if len(skipped) > SHOWN_SKIPPED:
        _say(f"... and {len(skipped) - SHOWN_SKIPPED} more; `info --json` lists them all.")


def _print_json(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")


def _print_table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """A table on standard output; in a pipe it is as wide as it needs, so that no line is broken."""
    table = Table(box=None, pad_edge=False, show_header=any(columns), header_style="bold")
    for column in columns:
        right = column in ("rank", "score", "count")
        table.add_column(column, justify="right" if right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_plain(cell) for cell in row))
    Console(highlight=False, width=None if sys.stdout.isatty() else 1000).print(table)


def _plain(text: str) -> str:
    """Text that rich must not read as markup, such as a path with brackets."""
    from rich.markup import escape

    return escape(text)


def _say(markup: str) -> None:
    """One line on standard error."""
    Console(stderr=True, highlight=False).print(markup, soft_wrap=True)


@contextmanager
def _progress_bar(text: str) -> Iterator[Any]:
    """A bar of pictures on standard error; gives the callback that moves it."""
    with _bar(MofNCompleteColumn()) as bar:
        task = bar.add_task(text, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def _download_bar(text: str) -> Iterator[Any]:
    """A bar of bytes on standard error, drawn once the first have come."""
    with _bar(DownloadColumn()) as bar:
        task = bar.add_task(text, total=None, visible=False)
        yield lambda done, total: bar.update(task, completed=done, total=total or None, visible=True)


def _bar(amount: ProgressColumn) -> Progress:
    """A bar that is drawn for people only, and gone when it is done."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), amount, TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
