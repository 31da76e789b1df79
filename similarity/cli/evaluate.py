"""`evaluate` and `compare`: how good the results of a gallery are."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from similarity.cli import terminal
from similarity.cli.options import AsJson, GalleryName
from similarity.cli.running import open_or_index
from similarity.sample import SAMPLE
from similarity.sources.base import LABEL

if TYPE_CHECKING:
    from similarity.evaluation import Comparison, Evaluation
    from similarity.sources import Source

QueriesPath = Annotated[
    Path | None,
    typer.Option(
        "--queries", help="Query pictures: a folder, a zip, a CSV or SOP; by default the gallery's own pictures."
    ),
]
Column = Annotated[
    str, typer.Option("--by", help="A result is right if it has the same value here: label, or a column.")
]
Most = Annotated[
    int | None, typer.Option(min=1, help="Use at most this many queries, drawn at random; by default all.")
]

WORST_LABELS = 5


def evaluate(
    gallery: GalleryName = SAMPLE,
    queries: QueriesPath = None,
    by: Column = LABEL,
    most: Most = None,
    report: Annotated[
        Path | None, typer.Option(help="Also write a page with plots and pictures to this .html file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure how often the first results of a gallery are right."""
    from similarity.evaluation import evaluate as measure
    from similarity.evaluation import render_report
    from similarity.evaluation.report.page import save_report

    if report and report.suffix.lower() != ".html":
        raise typer.BadParameter("the file's name must end in .html", param_hint="--report")
    if report and not report.absolute().parent.is_dir():
        raise typer.BadParameter("there is no such folder", param_hint="--report")
    opened, source = open_or_index(gallery), _source(queries)
    with terminal.indexing() as progress:
        evaluation = measure(opened, source, by=by, most=most, progress=progress)
    if report:
        save_report(report, render_report(opened, evaluation))
    if as_json:
        terminal.print_json(evaluation.to_json())
        return
    _show(evaluation)
    if report:
        terminal.say(f"Report written to {report}")


def compare(
    a: Annotated[str, typer.Argument(help="A gallery's name, or a path to its folder.")],
    b: Annotated[str, typer.Argument(help="The gallery to compare it with.")],
    queries: QueriesPath = None,
    by: Column = LABEL,
    most: Most = None,
    as_json: AsJson = False,
) -> None:
    """Compare the results of two galleries for the same queries, and say whether the difference can be chance."""
    from similarity.evaluation import compare as compare_evaluations
    from similarity.evaluation import evaluate as measure

    galleries, source = [open_or_index(name) for name in (a, b)], _source(queries)
    with terminal.indexing() as progress:
        evaluations = [measure(gallery, source, by=by, most=most, progress=progress) for gallery in galleries]
    comparison = compare_evaluations(*evaluations)
    if as_json:
        terminal.print_json(comparison.to_json())
        return
    _show_comparison(comparison)


def _source(queries: Path | None) -> "Source | None":
    from similarity.sources import open_source

    return None if queries is None else open_source(queries)


def _show(evaluation: "Evaluation") -> None:
    """Print the metrics as a table, and the labels with the worst results."""
    rows = [
        (name, f"{metric.value:.3f}", f"{metric.low:.3f} to {metric.high:.3f}")
        for name, metric in evaluation.metrics.items()
    ]
    terminal.print_table(("metric", "score", "95 % interval"), rows)
    queries = f"{evaluation.queries:,} queries ({evaluation.protocol}), {evaluation.seconds:.1f} s"
    left_out = f"; {evaluation.left_out.total:,} left out: {evaluation.left_out}" if evaluation.left_out.total else ""
    terminal.print_line(f"{evaluation.gallery}, {evaluation.model}, right by {evaluation.by}: {queries}{left_out}.")
    if evaluation.caution:
        terminal.say(evaluation.caution, as_="Note")
    if evaluation.reliability is not None:
        error = evaluation.reliability.error
        terminal.print_line(
            f"Expected calibration error {error:.3f}: how far the probabilities are from the shares of right results."
        )
    if len(evaluation.per_label) > 1:
        worst = sorted(evaluation.per_label, key=lambda label: label.map_r)[:WORST_LABELS]
        terminal.print_line("")
        terminal.print_table(
            ("lowest map@r", "count", "map@r", "recall@1"),
            [(label.label, f"{label.queries:,}", f"{label.map_r:.3f}", f"{label.recall_1:.3f}") for label in worst],
        )


def _show_comparison(comparison: "Comparison") -> None:
    rows = [
        (
            name,
            f"{metric.a:.3f}",
            f"{metric.b:.3f}",
            f"{metric.difference:+.3f}",
            f"{metric.low:+.3f} to {metric.high:+.3f}",
            f"{metric.adjusted:.4f}",
            comparison.verdict(name),
        )
        for name, metric in comparison.metrics.items()
    ]
    names = comparison.names
    for caution in comparison.cautions:
        terminal.say(caution, as_="Note")
    terminal.print_table(("metric", *names, "difference", "95 % interval", "p", "verdict"), rows)
    terminal.print_line(
        f"{comparison.queries:,} queries in common ({comparison.a.protocol}), right by {comparison.a.by}. "
        "p is of McNemar's test for recall and of a sign-flip test for the rest, after Holm's correction."
    )
    if not comparison.same_pictures:
        terminal.say("The galleries hold different pictures, which alone changes the metrics.", as_="Note")
