"""The command line: parse, call the library, show. Its names and JSON keys are a contract."""

import logging
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from similarity import terminal
from similarity.bench import commands as bench_commands
from similarity.engines import Precision
from similarity.errors import GalleryError, SimilarityError
from similarity.home import full_path
from similarity.sample import SAMPLE
from similarity.sources import Split

if TYPE_CHECKING:
    from similarity.gallery import Gallery

app = typer.Typer(
    name="similarity",
    help="Show it a picture, see the most similar pictures of a gallery.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.add_typer(bench_commands.app, name="bench")

GalleryName = Annotated[str, typer.Option("--gallery", "-g", help="A gallery's name, or a path to its folder.")]
Model = Annotated[str, typer.Option("--model", "-m", help="A backbone; auto is ResNet-50 if it can be had.")]
PrecisionName = Annotated[
    Precision, typer.Option(help="Of the network's arithmetic; auto is bf16 or f32 on a CPU, f16 on a GPU.")
]
Count = Annotated[int, typer.Option("-k", min=1, help="How many results.")]
Sheet = Annotated[Path | None, typer.Option(help="Also draw query and results into this PNG file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else, on standard output.")]

INTERRUPTED = 130
# Measured with `bench embedding --precision int8` and on 341 clothing photographs; see the README.
INT8_FACTS = (
    "int8 embeds 1.4 to 1.8 times as many pictures a second as bf16; scores differ from bf16's (a picture's two "
    "embeddings have a cosine of 0.89 or more), and as many first results were of the right kind."
)


def main() -> None:
    """Run the command line: exit status 0 done, 1 an error of ours in one sentence, 2 wrong usage, 130 interrupted."""
    logging.basicConfig(level=logging.ERROR)
    try:
        app()
    except SimilarityError as error:
        terminal.say(str(error), as_="Error", style="bold red")
        sys.exit(1)
    except BrokenPipeError:  # whoever read the output has had enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        terminal.say(f"The output could not be written ({error.strerror or error}).", as_="Error", style="bold red")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


@app.command()
def index(
    source: Annotated[Path, typer.Argument(help="A folder of pictures, a zip, a CSV of paths or URLs, or SOP.")],
    gallery: GalleryName,
    model: Model = "auto",
    precision: PrecisionName = "auto",
    split: Annotated[Split | None, typer.Option(help="Of Stanford Online Products: which part.")] = None,
    products: Annotated[int | None, typer.Option(min=1, help="Of Stanford Online Products: only so many.")] = None,
    seed: Annotated[int, typer.Option(help="Draws other products.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Index pictures into a gallery. The folder a picture lies in is its label; a CSV has a column for it."""
    from similarity.gallery import Gallery, find_gallery
    from similarity.sources import open_source
    from similarity.weights import choose_model

    directory = find_gallery(gallery)
    listed = open_source(source, split=split, products=products, seed=seed)
    with terminal.downloading("Downloading weights") as downloaded:
        choice = choose_model(model, progress=downloaded)
    if choice.note:
        terminal.say(choice.note, as_="Note")
    try:
        with terminal.indexing() as progress:
            built = Gallery.build(listed, directory, model=choice, precision=precision, progress=progress)
    except KeyboardInterrupt:
        terminal.say("Interrupted: nothing was changed.")
        raise typer.Exit(INTERRUPTED) from None
    _report_build(built, as_json=as_json)


@app.command()
def search(
    query: Annotated[str, typer.Argument(help="A picture: its path, or its http(s) address.")],
    gallery: GalleryName = SAMPLE,
    k: Count = 10,
    sheet: Sheet = None,
    as_json: AsJson = False,
) -> None:
    """Find the pictures of a gallery that are most similar to a query."""
    _search(query, gallery, k, sheet, as_json=as_json)


@app.command()
def demo(k: Count = 10, sheet: Sheet = Path("demo.png"), as_json: AsJson = False) -> None:
    """Search the sample gallery with one of the sample queries, and draw the sheet."""
    from similarity.sample import demo_query

    _search(demo_query().path, SAMPLE, k, sheet, as_json=as_json)


@app.command()
def info(gallery: GalleryName = SAMPLE, as_json: AsJson = False) -> None:
    """Show what a gallery is: model, count, when it was made, what was skipped."""
    opened = _open(gallery)
    manifest = asdict(opened.manifest)
    size = sum(file["size"] for file in manifest.pop("files").values())
    facts = {"gallery": opened.name, "directory": str(opened.directory)} | manifest | {"bytes": size}
    if as_json:
        terminal.print_json(facts)
        return
    facts["skipped"] = len(opened.manifest.skipped)
    facts["preprocessing"] = ", ".join(f"{key} {value}" for key, value in manifest["preprocessing"].items())
    terminal.print_table(("", ""), [(key, str(value)) for key, value in facts.items() if value not in ("", None)])
    if opened.manifest.precision == "int8":
        terminal.say(INT8_FACTS, as_="Note")
    terminal.say_skipped(opened.manifest.skipped)


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
            terminal.say(str(error), as_="Note")
            continue
        facts = {"gallery": directory.name, "model": manifest.model, "count": manifest.count}
        galleries.append(facts | {"created": manifest.created})
    if as_json:
        terminal.print_json({"galleries": galleries})
    elif galleries:
        rows = [tuple(str(value) for value in gallery.values()) for gallery in galleries]
        terminal.print_table(("gallery", "model", "count", "created"), rows)
    else:
        terminal.say("There are no galleries yet: make one with `python -m similarity index FOLDER --gallery NAME`.")


@app.command()
def download(
    dataset: Annotated[str, typer.Argument(help="sop (Stanford Online Products) or clothing.")],
    to: Annotated[Path | None, typer.Option(help="Where to put it; artifacts/datasets unless given.")] = None,
    url: Annotated[str | None, typer.Option(help="Another address than the usual one, such as a mirror's.")] = None,
    as_json: AsJson = False,
) -> None:
    """Download a public dataset of photographs, and say how to index it."""
    from similarity.datasets import datasets_folder, download_dataset, get_dataset, index_command, unpack_dataset

    chosen = get_dataset(dataset)
    folder = full_path(to or datasets_folder())
    terminal.say(f"{chosen.title}. Licence: {chosen.licence}")
    try:
        with terminal.downloading("Downloading") as progress:
            download_dataset(chosen, folder, url=url, progress=progress)
        with terminal.counting("Unpacking") as progress:
            unpacked = unpack_dataset(chosen, folder, progress=progress)
    except KeyboardInterrupt:
        terminal.say("Interrupted: run the same command again to go on where it stopped.")
        raise typer.Exit(INTERRUPTED) from None
    command = index_command(chosen, unpacked)
    if as_json:
        terminal.print_json({"dataset": chosen.name, "folder": str(unpacked), "next": command})
        return
    terminal.say(f"It is in {unpacked}. To make a gallery of it, run:")
    terminal.print_line(command)


def _search(query: str, gallery: str, k: int, sheet: Path | None, *, as_json: bool) -> None:
    from similarity.queries import read_query

    if sheet and sheet.suffix.lower() != ".png":
        raise typer.BadParameter("its name must end in .png", param_hint="--sheet")
    file = read_query(query)
    opened = _open(gallery)
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
    rows = [(str(hit.rank), f"{hit.score:.3f}", hit.item.label or "", hit.item.path) for hit in hits]
    terminal.print_table(("rank", "score", "label", "path"), rows)
    if sheet:
        terminal.say(f"Sheet written to {sheet}")


def _open(gallery: str) -> "Gallery":
    """Open a gallery; the sample is indexed first if it has not been."""
    from similarity.gallery import find_gallery, open_gallery
    from similarity.sample import ensure_sample, has_sample
    from similarity.storage import exists

    if gallery != SAMPLE or exists(find_gallery(SAMPLE)) or not has_sample():
        return open_gallery(gallery)
    terminal.say("The sample gallery is indexed first, once.")
    with terminal.indexing() as progress:
        ensure_sample(progress)
    opened = open_gallery(SAMPLE)
    if opened.manifest.note:
        terminal.say(opened.manifest.note, as_="Note")
    return opened


def _report_build(gallery: "Gallery", *, as_json: bool) -> None:
    manifest = gallery.manifest
    rate = round(manifest.count / manifest.seconds, 1) if manifest.seconds else 0.0
    if as_json:
        skipped = [asdict(one) for one in manifest.skipped]
        report = {"gallery": gallery.name, "model": manifest.model, "dim": manifest.dim, "indexed": manifest.count}
        terminal.print_json(report | {"skipped": skipped, "seconds": manifest.seconds, "images_per_second": rate})
        return
    terminal.say_skipped(manifest.skipped)
    terminal.print_line(
        f"Indexed {manifest.count:,} pictures into {gallery.name} in {manifest.seconds:.1f} s ({rate} a second)."
    )
