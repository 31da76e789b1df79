"""The commands `bench embedding`, `bench query`, `bench explain`, `bench search` and `bench teaching`."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from similarity.cli import terminal
from similarity.cli.options import GalleryName
from similarity.embedding.precision import Precision
from similarity.finetuning.settings import Loss
from similarity.paths import full_path
from similarity.sample import FOLDER

app = typer.Typer(help="Measure how fast this computer is, and what teaching is worth.", no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(help="Pictures to measure with; those of the sample gallery unless given.")]
Model = Annotated[str, typer.Option("--model", "-m", help="A backbone; one without weights here gets random ones.")]
PrecisionName = Annotated[Precision, typer.Option(help="Of the network's arithmetic.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else, on standard output.")]

# Of the table of `bench search`: the key in its report, and what stands above.
COLUMNS = {
    "recipe": "recipe",
    "build_s": "build s",
    "bytes_per_vector": "bytes each",
    "resident_mb": "MB in all",
    "p50_ms": "p50 ms",
    "p95_ms": "p95 ms",
    "recall@10": "recall@10",
    "queries_per_s_batch": "a second, batch",
    "queries_per_s_16_threads": "16 threads",
    "filtered_p50_ms": "p50 ms, 1 % of them",
    "filtered_recall@10": "recall@10",
}

Bench = Callable[..., dict[str, Any]]


@app.command()
def embedding(
    folder: Folder = FOLDER, model: Model = "auto", precision: PrecisionName = "auto", as_json: AsJson = False
) -> None:
    """Images a second: the network alone, decoding alone, both from disk to vectors, and torch for comparison."""
    from similarity.bench.embedding import bench_embedding

    _measure(bench_embedding, folder, model, precision, as_json=as_json)


@app.command()
def query(
    folder: Folder = FOLDER, model: Model = "auto", precision: PrecisionName = "auto", as_json: AsJson = False
) -> None:
    """Milliseconds from a picture's bytes to its hits, alone and among others, and for a command in a fresh process."""
    from similarity.bench.query import bench_query

    _measure(bench_query, folder, model, precision, as_json=as_json)


@app.command()
def explain(
    folder: Folder = FOLDER, model: Model = "auto", precision: PrecisionName = "auto", as_json: AsJson = False
) -> None:
    """Milliseconds to say why two pictures are similar, with a query that was looked at before and without."""
    from similarity.bench.explain import bench_explain

    _measure(bench_explain, folder, model, precision, as_json=as_json)


@app.command()
def teaching(
    gallery: GalleryName,
    loss: Annotated[Loss, typer.Option(help="Which loss of metric learning.")] = "multi-similarity",
    draws: Annotated[int, typer.Option(min=1, help="How many times something else is held out.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Measure a head on pictures that were held out, and on labels that it never saw: mean and spread."""
    from similarity.bench.finetuning import bench_teaching
    from similarity.finetuning.validation import METRICS

    with terminal.indexing() as progress:
        report = bench_teaching(gallery, loss=loss, draws=draws, progress=progress)
    if as_json:
        terminal.print_json(report)
        return
    rows = [
        (case, name, *(f"{report[case][name][key]:.3f}" for key in ("before", "after", "change", "spread", "least")))
        for case in ("pictures", "labels", "labels, nothing kept")
        for name in METRICS
    ]
    terminal.print_table(("held out", "metric", "before", "after", "change", "spread", "least"), rows)
    terminal.print_line(f"{report['draws']} draws, loss {report['loss']}, {report['seconds']:.0f} s.")


@app.command()
def search(
    n: Annotated[int, typer.Option("--n", min=1, help="How many vectors.")] = 100_000,
    dim: Annotated[int, typer.Option("--dim", min=2, help="How long each is: 2048 for ResNet-50.")] = 1280,
    gallery: Annotated[str | None, typer.Option("--gallery", "-g", help="Take this gallery's vectors instead.")] = None,
    as_json: AsJson = False,
) -> None:
    """Every index there is on the same vectors: time to build, memory, milliseconds a query, and how much it finds."""
    from similarity.bench.search import bench_search

    with terminal.indexing() as progress:
        report = bench_search(n, dim, gallery=gallery, progress=progress)
    if as_json:
        terminal.print_json(report)
        return
    terminal.print_line(f"{report['n']:,} vectors of {report['dim']}, {report['queries']:,} queries")
    terminal.print_table(tuple(COLUMNS.values()), [_cells(row) for row in report["recipes"]])
    if any("extrapolated_from" in row for row in report["recipes"]):
        terminal.say("* measured with 200,000 vectors, and times and memory scaled to all of them")
    terminal.print_line(f"auto is {report['auto']['recipe']}. {report['auto']['reason']}")
    terminal.print_line(report["recommendation"])


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    """A row of the table."""
    scaled = "*" if "extrapolated_from" in row else ""
    return (row["recipe"] + scaled, *(str(row.get(name, "")) for name in list(COLUMNS)[1:]))


def _measure(bench: Bench, folder: Path, model: str, precision: Precision, *, as_json: bool) -> None:
    with terminal.indexing() as progress:
        report = bench(full_path(folder), model=model, precision=precision, progress=progress)
    if as_json:
        terminal.print_json(report)
        return
    machine = report.pop("machine")
    rows = [(key, str(value)) for key, value in report.items()]
    terminal.print_table(("", ""), rows + [(f"machine: {key}", str(value)) for key, value in machine.items()])
