"""`evaluate` and `compare`: how well galleries answer."""

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
    typer.Option("--queries", help="Ask with these: a folder, a zip, a CSV or SOP; else with the gallery's own."),
]
Column = Annotated[str, typer.Option("--by", help="What must be the same for a result to be right: label or a column.")]
Most = Annotated[int | None, typer.Option(min=1, help="So many queries are enough, drawn at random; else all.")]

WORST_LABELS = 5


def evaluate(
    gallery: GalleryName = SAMPLE,
    queries: QueriesPath = None,
    by: Column = LABEL,
    most: Most = None,
    report: Annotated[
        Path | None, typer.Option(help="Also write a page with plots and pictures: an .html file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure how well a gallery answers: how often the first results are right."""
    from similarity.evaluation import evaluate as measure
    from similarity.evaluation import render_report
    from similarity.evaluation.report.page import save_report

    if report and report.suffix.lower() != ".html":
        raise typer.BadParameter("its name must end in .html", param_hint="--report")
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
    b: Annotated[str, typer.Argument(help="Another one.")],
    queries: QueriesPath = None,
    by: Column = LABEL,
    most: Most = None,
    as_json: AsJson = False,
) -> None:
    """Compare how well two galleries answer the same queries, and say whether that can be chance."""
    from similarity.evaluation import compare as compare_evaluations
    from similarity.evaluation import evaluate as measure

    opened, source = [open_or_index(name) for name in (a, b)], _source(queries)
    with terminal.indexing() as progress:
        evaluations = [measure(one, source, by=by, most=most, progress=progress) for one in opened]
    comparison = compare_evaluations(*evaluations)
    if as_json:
        terminal.print_json(comparison.to_json())
        return
    _show_comparison(comparison)


def _source(queries: Path | None) -> "Source | None":
    from similarity.sources import open_source

    return None if queries is None else open_source(queries)


def _show(evaluation: "Evaluation") -> None:
    """The metrics as a table, and the labels that fare worst."""
    rows = [(name, f"{one.value:.3f}", f"{one.low:.3f} to {one.high:.3f}") for name, one in evaluation.metrics.items()]
    terminal.print_table(("metric", "score", "95 % interval"), rows)
    asked = f"{evaluation.queries:,} queries ({evaluation.protocol}), {evaluation.seconds:.1f} s"
    left_out = f"; {evaluation.left_out.total:,} left out: {evaluation.left_out}" if evaluation.left_out.total else ""
    terminal.print_line(f"{evaluation.gallery}, {evaluation.model}, right by {evaluation.by}: {asked}{left_out}.")
    if evaluation.caution:
        terminal.say(evaluation.caution, as_="Note")
    if evaluation.reliability is not None:
        error = evaluation.reliability.error
        terminal.print_line(
            f"Expected calibration error {error:.3f}: how far probabilities are from the shares that were right."
        )
    if len(evaluation.per_label) > 1:
        worst = sorted(evaluation.per_label, key=lambda one: one.map_r)[:WORST_LABELS]
        terminal.print_line("")
        terminal.print_table(
            ("lowest map@r", "count", "map@r", "recall@1"),
            [(one.label, f"{one.queries:,}", f"{one.map_r:.3f}", f"{one.recall_1:.3f}") for one in worst],
        )


def _show_comparison(comparison: "Comparison") -> None:
    rows = [
        (
            name,
            f"{one.a:.3f}",
            f"{one.b:.3f}",
            f"{one.difference:+.3f}",
            f"{one.low:+.3f} to {one.high:+.3f}",
            f"{one.adjusted:.4f}",
            comparison.verdict(name),
        )
        for name, one in comparison.metrics.items()
    ]
    names = comparison.names
    for caution in dict.fromkeys(filter(None, (comparison.a.caution, comparison.b.caution))):
        terminal.say(caution, as_="Note")
    terminal.print_table(("metric", *names, "difference", "95 % interval", "p", "verdict"), rows)
    terminal.print_line(
        f"{comparison.queries:,} queries in common ({comparison.a.protocol}), right by {comparison.a.by}. "
        "p is McNemar's for recall and of sign flips for the rest, after Holm's correction."
    )
    if not comparison.same_pictures:
        terminal.say("The galleries do not hold the same pictures, which by itself makes a difference.", as_="Note")
