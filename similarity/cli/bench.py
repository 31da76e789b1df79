"""`bench embedding`, `query`, `search`, `neighbours`, `duplicates`, `copies` ...: benchmarks of this computer."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from similarity.cli import terminal
from similarity.cli.bench_api import api
from similarity.cli.bench_copies import copies
from similarity.cli.bench_guard import compare, measure_all
from similarity.cli.bench_milvus import milvus
from similarity.cli.bench_objects import objects
from similarity.cli.bench_search import search
from similarity.cli.bench_shards import shards
from similarity.cli.bench_views import views
from similarity.cli.options import GalleryName
from similarity.cli.running import interruptible
from similarity.embedding.precision import Precision
from similarity.finetuning.settings import Loss
from similarity.paths import full_path
from similarity.sample import FOLDER

app = typer.Typer(
    help="Measure how fast this computer is, and what finetuning and views are worth to a gallery.",
    no_args_is_help=True,
)
app.command("all")(measure_all)
app.command()(api)
app.command()(compare)
app.command()(copies)
app.command()(milvus)
app.command()(objects)
app.command()(search)
app.command()(shards)
app.command()(views)

Folder = Annotated[Path, typer.Argument(help="A folder of pictures; by default those of the sample gallery.")]
Model = Annotated[
    str,
    typer.Option("--model", "-m", help="A backbone; without weights on this computer it is measured with random ones."),
]
PrecisionName = Annotated[Precision, typer.Option(help="Number format that the network computes in.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else, on standard output.")]

# Rows of the table of `bench neighbours`: the key in its report, and the heading.
MEASURED = {
    "find_s": "seconds to find the neighbours",
    "find_core_s": "seconds that cores computed for that",
    "apply_s": "seconds to move all pictures towards them",
    "peak_rss_mb": "peak memory until then, MB",
    "recall": "recall of the neighbours",
    "index_s": "seconds to index the moved pictures",
    "query_recall": "recall of the neighbours of queries, by that index",
    "query_ms": "milliseconds to refine a query",
    "add_s": "seconds to add 1,000",
    "add_moved": "others that these moved",
    "add_recall": "recall of the neighbours after that",
}
# Rows of the table of `bench duplicates`.
DUPLICATES = {
    "seconds": "seconds in all",
    "lists_s": "seconds to make inverted lists",
    "pairs_s": "seconds to find near pairs",
    "groups_s": "seconds to group them",
    "pairs": "near pairs",
    "groups": "groups",
    "peak_rss_mb": "peak memory, MB",
}
Bench = Callable[..., dict[str, Any]]


@app.command()
def embedding(
    folder: Folder = FOLDER, model: Model = "auto", precision: PrecisionName = "auto", as_json: AsJson = False
) -> None:
    """Measure images a second: the network alone, decoding alone, from disk to vectors, and torch for comparison."""
    from similarity.bench.embedding import bench_embedding

    _measure(bench_embedding, folder, model, precision, as_json=as_json)


@app.command()
def query(
    folder: Folder = FOLDER, model: Model = "auto", precision: PrecisionName = "auto", as_json: AsJson = False
) -> None:
    """Measure milliseconds from a picture's bytes to its hits: alone, among other searches, and in a new process."""
    from similarity.bench.query import bench_query

    _measure(bench_query, folder, model, precision, as_json=as_json)


@app.command()
def explain(
    folder: Folder = FOLDER, model: Model = "auto", precision: PrecisionName = "auto", as_json: AsJson = False
) -> None:
    """Measure milliseconds to explain why two pictures are similar, for a new query and for one seen before."""
    from similarity.bench.explain import bench_explain

    _measure(bench_explain, folder, model, precision, as_json=as_json)


@app.command()
def teaching(
    gallery: GalleryName,
    loss: Annotated[Loss, typer.Option(help="The loss of metric learning.")] = "multi-similarity",
    draws: Annotated[int, typer.Option(min=1, help="Number of random splits into training and held-out pictures.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Measure heads on held-out pictures and on held-out labels: mean and spread over several splits."""
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
def neighbours(
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="Number of synthetic vectors.")] = 200_000,
    dim: Annotated[int, typer.Option("--dim", min=2, help="Numbers in each vector.")] = 1280,
    as_json: AsJson = False,
) -> None:
    """Measure finding the neighbours of a large gallery: seconds, memory and recall, and the same for an addition."""
    from similarity.bench.neighbours import bench_neighbours

    with terminal.indexing() as progress:
        report = bench_neighbours(count, dim, progress=progress)
    if as_json:
        terminal.print_json(report)
        return
    terminal.print_line(f"{report['count']:,} vectors of {report['dim']}")
    terminal.print_table(("", ""), [(heading, f"{report[name]:,}") for name, heading in MEASURED.items()])
    expected = report["expected"]
    terminal.print_line(f"Expected: {expected['seconds']:.0f} s and {expected['memory'] / 1e6:,.0f} MB of memory.")


@app.command()
def duplicates(
    n: Annotated[int, typer.Option("--n", min=1, help="Number of synthetic vectors.")] = 100_000,
    dim: Annotated[int, typer.Option("--dim", min=16, help="Numbers in each vector.")] = 256,
    as_json: AsJson = False,
) -> None:
    """Measure finding duplicates in a large gallery: seconds, and whether planted groups are found, and no chain is."""
    from similarity.bench.duplicates import bench_duplicates

    with interruptible(goes_on=False), terminal.indexing() as progress:
        report = bench_duplicates(n, dim, progress=progress)
    if as_json:
        terminal.print_json(report)
        return
    terminal.print_line(f"{report['n']:,} vectors of {report['dim']}, compared {report['compared']}")
    terminal.print_table(("", ""), [(heading, f"{report[name]:,}") for name, heading in DUPLICATES.items()])
    terminal.print_line(f"{report['found']:,} of {report['planted']:,} planted groups were found.")
    terminal.print_line(
        f"{report['chains_joined']:,} of {report['chains']:,} planted chains were joined; none should be."
    )


def _measure(bench: Bench, folder: Path, model: str, precision: Precision, *, as_json: bool) -> None:
    with terminal.indexing() as progress:
        report = bench(full_path(folder), model=model, precision=precision, progress=progress)
    if as_json:
        terminal.print_json(report)
        return
    machine = report.pop("machine")
    rows = [(key, str(value)) for key, value in report.items()]
    terminal.print_table(("", ""), rows + [(f"machine: {key}", str(value)) for key, value in machine.items()])
