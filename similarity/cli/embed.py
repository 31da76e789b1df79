"""`embed`: embeds a list of pictures into shards, on this computer or on several."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from similarity.cli import terminal
from similarity.cli.options import (
    INTERRUPTED,
    SOURCES,
    AsJson,
    Model,
    PrecisionName,
    Products,
    QualityName,
    Seed,
    SplitName,
    ViewName,
    WeightsPath,
    given_path,
)
from similarity.cli.running import choose

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from similarity.shards.run import Embedding, Workers

Source = Annotated[str, typer.Argument(help=f"{SOURCES} Or a place in an object store: s3://, gs://, az://.")]
ShardSize = Annotated[int, typer.Option(min=1, help="Number of pictures in a shard.")]
Thumbnails = Annotated[bool, typer.Option(help="Store a small JPEG of each picture.")]
Address = Annotated[
    str | None, typer.Option(help="Address of a Ray cluster, host:6379; by default only this computer.")
]
WorkerCores = Annotated[
    int | None, typer.Option(min=1, help="Cores of each Ray worker; by default all of a computer, up to 8.")
]
EngineName = Annotated[Literal["local", "ray"], typer.Option(help="Embed in this process, or with workers of Ray.")]


def embed(
    source: Source,
    out: Annotated[
        Path,
        typer.Option(parser=given_path, metavar="<path>", help="Folder for the shards, which all computers share."),
    ],
    engine: EngineName = "local",
    model: Model = "auto",
    weights: WeightsPath = None,
    precision: PrecisionName = "auto",
    view: ViewName = "auto",
    quality: QualityName = "standard",
    shard_size: ShardSize = 512,
    thumbnails: Thumbnails = True,
    address: Address = None,
    cpus_per_worker: WorkerCores = None,
    split: SplitName = None,
    products: Products = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Embed pictures to Parquet files, also with Ray; `index --from-embeddings` makes a gallery of them."""
    from similarity.shards import run
    from similarity.shards.chunks import open_list
    from similarity.sources.base import notes_of

    listed = open_list(source, split=split, products=products, seed=seed)
    workers = _workers(engine, address, cpus_per_worker)
    terminal.say_notes(notes_of(listed))
    choice = choose(model, weights, quality)
    try:
        with terminal.indexing() as progress:
            options = run.ShardOptions(precision, view, quality, shard_size, thumbnails)
            done = run.embed(listed, out, choice, options, workers=workers, progress=progress)
    except KeyboardInterrupt:
        terminal.say("Interrupted: finished shards stay. Run the same command again to go on where it stopped.")
        raise typer.Exit(INTERRUPTED) from None
    _print_report(done, as_json=as_json)


def _workers(engine: str, address: str | None, cores: int | None) -> "AbstractContextManager[Workers] | None":
    """Return the workers of a Ray cluster; None for this process alone."""
    if engine == "ray":
        from similarity.shards.ray import cluster

        return cluster(address, cores=cores)
    if address or cores:
        raise typer.BadParameter("these options need --engine ray", param_hint="--address, --cpus-per-worker")
    return None


def _print_report(done: "Embedding", *, as_json: bool) -> None:
    """Print the counts, and the command that makes a gallery of the shards."""
    model = done.origin.identity["model"]
    if as_json:
        facts: dict[str, Any] = {"out": str(done.out), "model": model, "dim": done.origin.dim}
        facts |= {name: getattr(done, name) for name in ("embedded", "resumed")}
        facts["skipped"] = [{"path": file.path, "reason": file.reason} for file in done.skipped]
        facts |= {name: getattr(done, name) for name in ("shards", "seconds", "images_per_second", "engine")}
        terminal.print_json(facts)
        return
    terminal.say_skipped(done.skipped, all_in="embed --json")
    resumed = f", {done.resumed:,} taken over from earlier runs" if done.resumed else ""
    rate = f" ({done.images_per_second} a second once the model was loaded)" if done.embedded else ""
    terminal.print_line(f"{done.embedded:,} embedded by {model}{resumed} in {done.seconds:.1f} s{rate}.")
    terminal.print_line(f"{done.out} has {done.embedded + done.resumed:,} embeddings in {done.shards:,} shards.")
    terminal.print_line(f"Make a gallery of them: index --from-embeddings {done.out} --gallery NAME")
