"""`index`, `add`, `sync`, `remove` and `rebuild`: the commands that change a gallery."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from similarity.cli import terminal
from similarity.cli.options import (
    AsJson,
    DryRun,
    Exclude,
    GalleryName,
    Gps,
    Model,
    PrecisionName,
    Products,
    QualityName,
    RecipeName,
    RefinementName,
    Seed,
    Shards,
    SourceOrNone,
    SourcePath,
    SplitName,
    StoreName,
    StoreUri,
    ViewName,
    WeightsPath,
    WithParts,
)
from similarity.cli.running import choose, interruptible
from similarity.cli.vectors import (
    FromVectors,
    GivenVectors,
    ItemsOfVectors,
    Thumbnails,
    check_source,
    index_given,
)
from similarity.search.stores import Store, choose_store

if TYPE_CHECKING:
    from similarity.storage.manifest import Manifest, Report
    from similarity.vectors.heads import Head


FIXED = ["auto", "auto", "auto"]  # of options that `embed` has fixed, where they are not given


def index(
    gallery: GalleryName,
    source: SourceOrNone = None,
    from_embeddings: Annotated[
        Path | None, typer.Option(help="A folder that `embed` wrote, instead of pictures.")
    ] = None,
    from_vectors: FromVectors = None,
    items: ItemsOfVectors = None,
    thumbnails: Thumbnails = True,
    model: Model = "auto",
    weights: WeightsPath = None,
    precision: PrecisionName = "auto",
    view: ViewName = "auto",
    quality: QualityName = "standard",
    recipe: RecipeName = "auto",
    refinement: RefinementName = "auto",
    split: SplitName = None,
    products: Products = None,
    seed: Seed = 0,
    gps: Gps = False,
    parts: WithParts = False,
    store: StoreName = None,
    uri: StoreUri = None,
    shards: Shards = None,
    exclude: Exclude = None,
    as_json: AsJson = False,
) -> None:
    """Index pictures into a gallery. The label of a picture is the name of its folder, or a column of a CSV."""
    from similarity.gallery import Gallery
    from similarity.indexing.options import IndexOptions
    from similarity.indexing.sets import check_shards
    from similarity.search.stores import EMBEDDED
    from similarity.sources import open_source
    from similarity.storage.inventory import find_gallery

    of_pictures = split or products or exclude or gps or parts or shards or quality != "standard"
    check_source(
        {"SOURCE": source, "--from-embeddings": from_embeddings, "--from-vectors": from_vectors},
        of_pictures=of_pictures,
        of_models=weights or [model, precision, view] != FIXED,
        of_vectors=items or not thumbnails,
    )
    directory = find_gallery(gallery)
    kept_in = choose_store(store, uri) if store or uri else None
    if from_embeddings:
        _index_shards(from_embeddings, directory, recipe, refinement, kept_in, as_json=as_json)
        return
    if from_vectors:
        given = GivenVectors(from_vectors, items, thumbnails, model, weights, precision, view)
        indexed = IndexOptions(recipe=recipe, refinement=refinement, store=kept_in)
        print_report(index_given(given, directory, indexed), directory, as_json=as_json)
        return
    check_shards(shards, kept_in or EMBEDDED, with_parts=parts)  # before weights are downloaded
    listed = open_source(str(source), split=split, products=products, seed=seed)
    chosen = choose(model, weights, quality)
    options = IndexOptions(chosen, precision, recipe, refinement, kept_in, exclude or (), gps, view, quality, parts)
    options = options.updated(shards=shards)
    with interruptible(directory), terminal.indexing() as progress:
        built = Gallery.build(listed, directory, options, progress=progress)
    print_report(built.report, directory, as_json=as_json)


def add(
    source: SourcePath,
    gallery: GalleryName,
    split: SplitName = None,
    products: Products = None,
    seed: Seed = 0,
    exclude: Exclude = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Add new and changed pictures to a gallery."""
    from similarity.gallery import Gallery
    from similarity.sources import open_source
    from similarity.storage.inventory import find_gallery

    listed, directory = open_source(source, split=split, products=products, seed=seed), find_gallery(gallery)
    with interruptible(directory), terminal.indexing() as progress:
        opened, preview = Gallery.open(directory), None
        if dry_run:
            preview = opened.preview.add(listed, exclude=exclude)
        else:
            opened = opened.add(listed, exclude=exclude, progress=progress)
    print_report(preview or opened.report, directory, as_json=as_json, dry_run=dry_run)


def sync(
    source: SourcePath,
    gallery: GalleryName,
    split: SplitName = None,
    products: Products = None,
    seed: Seed = 0,
    exclude: Exclude = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Synchronise a gallery with a source: add new pictures, embed changed ones, remove missing ones."""
    from similarity.gallery import Gallery
    from similarity.sources import open_source
    from similarity.storage.inventory import find_gallery

    listed, directory = open_source(source, split=split, products=products, seed=seed), find_gallery(gallery)
    with interruptible(directory), terminal.indexing() as progress:
        opened, preview = Gallery.open(directory), None
        if dry_run:
            preview = opened.preview.sync(listed, exclude=exclude)
        else:
            opened = opened.sync(listed, exclude=exclude, progress=progress)
    print_report(preview or opened.report, directory, as_json=as_json, dry_run=dry_run)


def remove(
    gallery: GalleryName,
    ids: Annotated[list[str] | None, typer.Option("--id", help="Id of a picture; may be repeated.")] = None,
    paths: Annotated[
        list[str] | None, typer.Option("--path", help="Path of a picture or of a folder; may be repeated.")
    ] = None,
    labels: Annotated[
        list[str] | None, typer.Option("--label", help="Remove all pictures with this label; may be repeated.")
    ] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Remove pictures from a gallery by id, path or label. Their files are not touched."""
    from similarity.gallery import Gallery
    from similarity.sources.locations import full_place
    from similarity.storage.inventory import find_gallery

    if not (ids or paths or labels):
        raise typer.BadParameter("give the pictures to remove", param_hint="--id, --path or --label")
    directory = find_gallery(gallery)
    places = list(map(full_place, paths or ()))
    chosen = {"ids": ids or [], "paths": places, "labels": labels or []}
    opened = Gallery.open(directory)
    report = opened.preview.remove(**chosen) if dry_run else opened.remove(**chosen).report
    print_report(report, directory, as_json=as_json, dry_run=dry_run)


def rebuild(
    gallery: GalleryName,
    recipe: Annotated[
        str | None,
        typer.Option(help="New kind of index: auto, flat, flat-sq8, ivf, or a FAISS factory string with IVF."),
    ] = None,
    refinement: Annotated[
        str | None,
        typer.Option(help="New refinement of embeddings: none, centred, neighbours, or auto, which chooses again."),
    ] = None,
    head: Annotated[
        Path | None, typer.Option(help="Apply this head, a file that `finetune` made; none removes it.")
    ] = None,
    store: StoreName = None,
    uri: StoreUri = None,
    into: Annotated[str | None, typer.Option(help="Name of a new gallery; this one is not changed.")] = None,
    as_json: AsJson = False,
) -> None:
    """Rebuild a gallery's index from its stored embeddings, with the same or other options. No picture is read."""
    from similarity.gallery import Gallery
    from similarity.storage.current import exists
    from similarity.storage.inventory import find_gallery
    from similarity.vectors.heads import read_head

    directory = find_gallery(gallery)
    target = find_gallery(into) if into else directory
    if target != directory and exists(target):
        raise typer.BadParameter(f"there is a gallery {into} already: give another name", param_hint="--into")
    through: Head | Literal["none"] | None = "none" if str(head) == "none" else read_head(head) if head else None
    place = choose_store(store, uri) if store or uri else None
    with interruptible(target, goes_on=False), terminal.indexing() as progress:
        opened = Gallery.open(directory)
        rebuilt = opened.rebuild(recipe, refinement, through, store=place, into=target, progress=progress)
    print_report(rebuilt.report, target, as_json=as_json)


def _index_shards(
    folder: Path, directory: Path, recipe: str, refinement: str, store: Store | None, *, as_json: bool
) -> None:
    """Make a gallery of the shards that `embed` wrote."""
    from similarity.shards.to_gallery import index_shards

    with interruptible(directory, goes_on=False), terminal.indexing() as progress:
        report = index_shards(folder, directory, recipe=recipe, refinement=refinement, store=store, progress=progress)
    print_report(report, directory, as_json=as_json)


def print_report(report: "Report | None", directory: Path, *, as_json: bool, dry_run: bool = False) -> None:
    """Print the report of a run, or of a preview."""
    from similarity.service.report_facts import report_facts
    from similarity.storage.live import read_live_manifest

    manifest = read_live_manifest(directory)
    report = report or manifest.last_run  # a gallery that was only opened has no other
    if as_json:
        terminal.print_json(report_facts(report, directory.name, manifest, dry_run=dry_run))
        return
    terminal.say_notes(report.notes)
    terminal.say_skipped(report.skipped)
    terminal.say_passed_over(report.passed_over)
    terminal.print_line(_sentence(report, directory.name, dry_run=dry_run))
    if report.task == "index" and report.removed:
        terminal.say_replaced(report.removed, directory, report.source)
    if not dry_run:
        copies = f", {manifest.duplicates:,} of them exact copies" if manifest.duplicates else ""
        count = manifest.count + manifest.duplicates
        terminal.print_line(f"{directory.name} has {count:,} picture{'s' if count != 1 else ''}{copies}.")
        if report.task in ("index", "rebuild"):
            for line in _of_model(manifest):
                terminal.print_line(line)
            terminal.print_line(f"Its index is {manifest.recipe}. {manifest.recipe_reason}")
            terminal.print_line(f"Its refinement is {manifest.refinement}. {manifest.refinement_reason}")


def _of_model(manifest: "Manifest") -> list[str]:
    """Return what was embedded, in sentences; nothing of vectors without a model."""
    view = [f"Its view of pictures is {manifest.view}."] if manifest.has_model else []
    parts = ["Parts of its pictures were embedded, too: search them with --parts."] if manifest.parts else []
    return view + parts


def _sentence(report: "Report", name: str, *, dry_run: bool) -> str:
    """Return a sentence with all counts that are not zero."""
    words = {
        "added": "added",
        "changed": "changed",
        "moved": "found in another place",
        "relabelled": "with another label",
        "removed": "removed",
        "unchanged": "unchanged",
    }
    if report.task == "rebuild":
        return f"The index of {name} was rebuilt in {report.seconds:.1f} s."
    counts = [f"{report.counts[key]:,} {text}" for key, text in words.items() if report.counts[key]]
    done = ", ".join(counts or ["nothing to do"])
    resumed = f", {report.resumed:,} taken over from an interrupted run" if report.resumed else ""
    embedded = f"{report.embedded:,} embedded{resumed}"
    if dry_run:
        return f"Nothing was changed. `{report.task}` would do this to {name}: {done}; {embedded}."
    rate = f" ({report.images_per_second} a second)" if report.embedded else ""
    return f"{done.capitalize()}; {embedded} in {report.seconds:.1f} s{rate}."
