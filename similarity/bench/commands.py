"""The commands `bench embedding` and `bench query`."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from similarity.cli import terminal
from similarity.engines import Precision
from similarity.home import full_path
from similarity.sample import FOLDER

app = typer.Typer(help="Measure how fast this computer is.", no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(help="Pictures to measure with; those of the sample gallery unless given.")]
Model = Annotated[str, typer.Option("--model", "-m", help="A backbone; one without weights here gets random ones.")]
PrecisionName = Annotated[Precision, typer.Option(help="Of the network's arithmetic.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else, on standard output.")]

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


def _measure(bench: Bench, folder: Path, model: str, precision: Precision, *, as_json: bool) -> None:
    with terminal.indexing() as progress:
        report = bench(full_path(folder), model=model, precision=precision, progress=progress)
    if as_json:
        terminal.print_json(report)
        return
    machine = report.pop("machine")
    rows = [(key, str(value)) for key, value in report.items()]
    terminal.print_table(("", ""), rows + [(f"machine: {key}", str(value)) for key, value in machine.items()])
