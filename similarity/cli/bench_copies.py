"""`bench copies`: the second look that tells copies, measured on altered pictures of a gallery."""

from typing import Annotated

import typer

from similarity.cli import terminal
from similarity.cli.options import AsJson, GalleryName
from similarity.cli.running import interruptible

COLUMNS = ("altered", "first without", "first with --copies", "among the first 200", "called the same picture")


def copies(
    gallery: GalleryName,
    count: Annotated[int, typer.Option("--count", "-n", min=2, help="Number of pictures.")] = 150,
    seed: Annotated[int, typer.Option("--seed", help="Another seed draws other pictures.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Measure how often altered pictures, turned or cut, find their source first, without and with --copies."""
    from similarity.bench.copies import bench_copies

    with interruptible(goes_on=False), terminal.indexing() as progress:
        report = bench_copies(gallery, count=count, seed=seed, progress=progress)
    if as_json:
        terminal.print_json(report)
        return
    names = ("without", "with", "among", "proven")
    rows = [(row["name"], *(f"{row[name]:.3f}" for name in names)) for row in report["alterations"]]
    terminal.print_table(COLUMNS, rows)
    others = len(report["others_called_copies"])
    pairs = "1 pair of different files was" if others == 1 else f"{others:,} pairs of different files were"
    terminal.print_line(
        f"{report['gallery']}: {report['pictures']:,} pictures, seed {report['seed']}, {report['seconds']:.0f} s. "
        f"The second look at {report['candidates_timed']} candidates takes {report['p50_ms']:.0f} ms at the median. "
        f"{pairs} called the same picture; --json lists them."
    )
