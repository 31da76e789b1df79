"""`bench all` and `bench compare`: a guard against regressions."""

from pathlib import Path
from typing import Annotated

import typer

from similarity.cli import terminal
from similarity.cli.bench_reports import read_report
from similarity.cli.options import AsJson
from similarity.cli.running import interruptible
from similarity.paths import full_path
from similarity.sample import FOLDER

Report = Annotated[Path, typer.Argument(metavar="REPORT", help="What `bench all --json` printed.")]


def measure_all(
    folder: Annotated[
        Path, typer.Argument(help="A folder of pictures; by default those of the sample gallery.")
    ] = FOLDER,
    as_json: AsJson = False,
) -> None:
    """Measure all that a change could make slower, in some minutes, as ratios to references of the same run."""
    from similarity.bench.guard import bench_all

    with interruptible(goes_on=False), terminal.indexing() as progress:
        report = bench_all(full_path(folder), progress=progress)
    if as_json:
        terminal.print_json(report)
        return
    rows = [
        (row["name"], row["reference"], f"{row['ratio']:g}", f"{row['low']:g} to {row['high']:g}")
        for row in report["figures"]
    ]
    terminal.print_table(("time of", "in times of", "median", f"of {report['rounds']} rounds"), rows)
    terminal.print_line(f"Less is better. {report['seconds']:.0f} s.")


def compare(old: Report, new: Report, as_json: AsJson = False) -> None:
    """Compare two reports of `bench all`, and end with status 1 if anything got worse beyond its spread."""
    from dataclasses import asdict

    from similarity.bench.guard import compare_reports

    before, now = read_report(old), read_report(new)
    compared = compare_reports(before, now)
    worse = [figure.name for figure in compared if figure.verdict == "worse"]
    if before.get("machine") != now.get("machine"):
        terminal.say("The reports are of different computers or versions of libraries.", as_="Note")
    if as_json:
        terminal.print_json({"compared": [asdict(figure) for figure in compared], "worse": worse})
    else:
        rows = [
            (
                figure.name,
                figure.reference,
                *(f"{of.ratio:g} ({of.low:g} to {of.high:g})" for of in (figure.old, figure.new)),
                figure.verdict,
            )
            for figure in compared
        ]
        terminal.print_table(("time of", "in times of", "old", "new", ""), rows)
        terminal.print_line(f"Worse: {', '.join(worse)}." if worse else "Nothing got worse beyond its spread.")
    if worse:
        raise typer.Exit(1)
