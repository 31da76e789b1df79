"""`search` and `demo`."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from similarity.cli import terminal
from similarity.cli.options import AsJson, Count, GalleryName, Sheet
from similarity.errors import GalleryDamagedError
from similarity.sample import SAMPLE

if TYPE_CHECKING:
    from similarity.gallery import Gallery
    from similarity.sources import Item


def search(
    query: Annotated[str, typer.Argument(help="A picture: its path, or its http(s) address.")],
    gallery: GalleryName = SAMPLE,
    k: Count = 10,
    sheet: Sheet = None,
    as_json: AsJson = False,
) -> None:
    """Find the pictures of a gallery that are most similar to a query."""
    _search(query, gallery, k, sheet, as_json=as_json)


def demo(k: Count = 10, sheet: Sheet = Path("demo.png"), as_json: AsJson = False) -> None:
    """Search the sample gallery with one of the sample queries, and draw the sheet."""
    from similarity.sample import demo_query

    _search(demo_query().path, SAMPLE, k, sheet, as_json=as_json)


def open_or_index(gallery: str) -> "Gallery":
    """Open a gallery; the sample is indexed first if it has not been."""
    from similarity.inventory import open_gallery
    from similarity.sample import ensure_sample, has_sample, is_ready

    if gallery != SAMPLE or not has_sample():
        return open_gallery(gallery)
    try:
        if is_ready():
            return open_gallery(gallery)
    except GalleryDamagedError as error:
        terminal.say(f"{error} It is indexed again now.", as_="Note")
    terminal.say("The sample gallery is indexed first, once.")
    with terminal.indexing() as progress:
        ensure_sample(progress, anew=True)
    opened = open_gallery(SAMPLE)
    if opened.manifest.note:
        terminal.say(opened.manifest.note, as_="Note")
    return opened


def _search(query: str, gallery: str, k: int, sheet: Path | None, *, as_json: bool) -> None:
    from similarity.queries import read_query

    if sheet and sheet.suffix.lower() != ".png":
        raise typer.BadParameter("its name must end in .png", param_hint="--sheet")
    file = read_query(query)
    opened = open_or_index(gallery)
    _ = opened.embedder  # loaded here, so that the time below is that of a search
    started = time.perf_counter()
    hits = opened.search(file, k)
    took_ms = round(1000 * (time.perf_counter() - started), 1)
    if sheet:
        from similarity.sheet import draw_sheet, save_sheet

        pictures = [opened.thumbnail(hit.item) for hit in hits]
        save_sheet(sheet, draw_sheet(file.decode(), query.rstrip("/").rsplit("/", 1)[-1], hits, pictures))
    if as_json:
        found = [
            {"rank": hit.rank, "score": hit.score, "id": hit.item.id, "path": hit.item.path, "label": hit.item.label}
            for hit in hits
        ]
        facts = {"query": query, "gallery": opened.name, "model": opened.manifest.model, "took_ms": took_ms}
        terminal.print_json(facts | {"hits": found})
        return
    rows = [(str(hit.rank), f"{hit.score:.3f}", hit.item.label or "", _whereabouts(hit.item)) for hit in hits]
    terminal.print_table(("rank", "score", "label", "path"), rows)
    if sheet:
        terminal.say(f"Sheet written to {sheet}")


def _whereabouts(item: "Item") -> str:
    """A picture's path, and what has to be known of it."""
    copies = {0: "", 1: " (and a copy)"}.get(len(item.copies), f" (and {len(item.copies)} copies)")
    return item.path + copies + (" (the file is gone)" if item.is_gone else "")
