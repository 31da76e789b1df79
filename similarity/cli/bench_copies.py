"""`bench copies`: the second look that tells copies, measured on altered pictures of a gallery."""

from typing import Annotated, Any

import typer

from similarity.cli import terminal
from similarity.cli.options import AsJson, GalleryName
from similarity.cli.running import interruptible

COLUMNS = ("altered", "first without", "first with --copies", "among the first 200", "called the same picture")


def copies(
    gallery: GalleryName,
    count: Annotated[int, typer.Option("--count", "-n", min=2, help="Number of pictures.")] = 150,
    seed: Annotated[int, typer.Option("--seed", help="Another seed draws other pictures.")] = 0,
    pairs: Annotated[
        int | None,
        typer.Option(
            "--pairs", min=1, help="Compare this many pairs of nearest pictures instead: which are called the same?"
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure how often altered pictures, turned or cut, find their source first, without and with --copies.

    With --pairs, measure how often other pictures are called the same.
    """
    from similarity.bench.copies import bench_copies
    from similarity.bench.copy_pairs import bench_copy_pairs

    with interruptible(goes_on=False), terminal.indexing() as progress:
        if pairs is None:
            report = bench_copies(gallery, count=count, seed=seed, progress=progress)
        else:
            report = bench_copy_pairs(gallery, pairs=pairs, seed=seed, progress=progress)
    if as_json:
        terminal.print_json(report)
    elif pairs is None:
        _print_alterations(report)
    else:
        _print_pairs(report)


def _print_alterations(report: dict[str, Any]) -> None:
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


def _print_pairs(report: dict[str, Any]) -> None:
    called = report["called_the_same"]
    if called:
        rows = [(pair["query"], pair["id"], f"{pair['probability']:.3f}", str(pair["inliers"])) for pair in called]
        terminal.print_table(("picture", "called the same as", "probability", "matches"), rows)
    verb = "is" if len(called) == 1 else "are"
    terminal.print_line(
        f"{report['gallery']}: of {report['pairs']:,} pairs of near pictures, {len(called):,} {verb} called "
        f"the same picture; {report['seconds']:.0f} s. Look at them: some may be. --json lists the next, too."
    )
