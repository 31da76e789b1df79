"""`bench search`: every kind of index on the same vectors."""

from pathlib import Path
from typing import Annotated, Any

import typer

from similarity.cli import terminal
from similarity.errors import SearchError
from similarity.paths import full_path

# Columns of the table of `bench search`: the key in its report, and the heading.
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

# Columns of the table of its curves.
CURVES = {
    "recipe": "recipe",
    "build_s": "build s",
    "bytes_per_vector": "bytes each",
    "queries_per_s@0.95": "a second at 0.95",
    "queries_per_s@0.99": "at 0.99",
}


def search(
    n: Annotated[int, typer.Option("--n", min=1, help="Number of vectors.")] = 100_000,
    dim: Annotated[int, typer.Option("--dim", min=2, help="Numbers in each vector: 2048 for ResNet-50.")] = 1280,
    gallery: Annotated[
        str | None, typer.Option("--gallery", "-g", help="Use the vectors of this gallery instead of synthetic ones.")
    ] = None,
    curves: Annotated[
        bool, typer.Option("--curves", help="Measure as VIBE does: the 100 nearest, one core, speed by recall.")
    ] = False,
    vibe: Annotated[
        Path | None, typer.Option("--vibe", help="Measure so with a data set of VIBE, a file in HDF5.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object, and nothing else, on standard output.")
    ] = False,
) -> None:
    """Compare all kinds of index on the same vectors: time to build, memory, milliseconds a query, and recall."""
    if gallery and vibe:
        raise SearchError("Choose one of --gallery and --vibe.")
    if curves or vibe:
        _print_curves(n, dim, gallery, vibe, as_json=as_json)
        return
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


def _print_curves(n: int, dim: int, gallery: str | None, vibe: Path | None, *, as_json: bool) -> None:
    from similarity.bench.search_curves import bench_curves

    with terminal.indexing() as progress:
        report = bench_curves(n, dim, gallery=gallery, vibe=full_path(vibe) if vibe else None, progress=progress)
    if as_json:
        terminal.print_json(report)
        return
    terminal.print_line(
        f"{report['n']:,} vectors of {report['dim']}, {report['queries']:,} queries, {report['k']} nearest, one core"
    )
    rows = [tuple("-" if row[name] is None else str(row[name]) for name in CURVES) for row in report["curves"]]
    terminal.print_table(tuple(CURVES.values()), rows)


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    """Return a row of the table."""
    scaled = "*" if "extrapolated_from" in row else ""
    return (row["recipe"] + scaled, *(str(row.get(name, "")) for name in list(COLUMNS)[1:]))
