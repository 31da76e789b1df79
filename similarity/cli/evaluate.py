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
    from similarity.evaluation.findings import StrangerResults
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

Strangers = Annotated[
    Path | None,
    typer.Option(
        help="Also search with pictures whose kind the gallery does not have, and measure whether that is told."
    ),
]

WORST_LABELS = 5
TESTS = "p is of McNemar's test for recall and of a sign-flip test for the rest, after Holm's correction."


def evaluate(
    gallery: GalleryName = SAMPLE,
    queries: QueriesPath = None,
    by: Column = LABEL,
    most: Most = None,
    strangers: Strangers = None,
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
    opened, source = open_or_index(gallery), open_queries(queries)
    with terminal.indexing() as progress:
        evaluation = measure(opened, source, by=by, most=most, strangers=open_queries(strangers), progress=progress)
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

    galleries, source = [open_or_index(name) for name in (a, b)], open_queries(queries)
    with terminal.indexing() as progress:
        evaluations = [measure(gallery, source, by=by, most=most, progress=progress) for gallery in galleries]
    comparison = compare_evaluations(*evaluations)
    if as_json:
        terminal.print_json(comparison.to_json())
        return
    _show_comparison(comparison)


def open_queries(queries: Path | None) -> "Source | None":
    """Open the source of queries, if there is one."""
    from similarity.sources import open_source

    return None if queries is None else open_source(queries)


def _show(evaluation: "Evaluation") -> None:
    """Print the metrics as a table, and the labels with the worst results."""
    _say_held_out(evaluation)
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
    if evaluation.strangers is not None:
        _show_strangers(evaluation.strangers)


def _say_held_out(evaluation: "Evaluation") -> None:
    from similarity.evaluation.held_out import UNSEEN, phrase

    if metrics := phrase(evaluation.held_out):
        terminal.print_line(f"{evaluation.gallery} on {UNSEEN}: {metrics}.")


def _show_strangers(strangers: "StrangerResults") -> None:
    """Print how well strangers are told, and what is called likely all the same."""
    rows = [
        ("told from its own queries, AUROC", f"{strangers.auroc:.3f}"),
        ("look like nothing in the gallery", f"{strangers.nothing_like:.1%}"),
        ("its own queries that do", f"{strangers.own_nothing_like:.1%}"),
    ]
    if strangers.likely is not None:
        rows += [("with a result that is called at least 80 % likely", f"{strangers.likely:.1%}")]
    rows += [
        (f"with a result that is confident from {precision:.0%} on", f"{share:.1%}")
        for precision, share in strangers.confident.items()
    ]
    rows += [
        (f"expected calibration error, {share:.0%} of the queries being strangers", f"{mixed.error:.3f}")
        for share, mixed in strangers.reliability.items()
    ]
    terminal.print_line("")
    terminal.print_table((f"{strangers.pictures:,} strangers", "share"), rows)


def _show_comparison(comparison: "Comparison") -> None:
    is_tested = not comparison.cautions
    rows = [
        (
            name,
            f"{metric.a:.3f}",
            f"{metric.b:.3f}",
            f"{metric.difference:+.3f}",
            f"{metric.low:+.3f} to {metric.high:+.3f}",
            *((f"{metric.adjusted:.4f}", comparison.verdict(name)) if is_tested else ()),
        )
        for name, metric in comparison.metrics.items()
    ]
    for evaluation in (comparison.a, comparison.b):
        _say_held_out(evaluation)
    for caution in comparison.cautions:
        terminal.say(caution, as_="Note")
    columns = ("metric", *comparison.names, "difference", "95 % interval", *(("p", "verdict") if is_tested else ()))
    terminal.print_table(columns, rows)
    terminal.print_line(
        f"{comparison.queries:,} queries in common ({comparison.a.protocol}), right by {comparison.a.by}."
        + (f" {TESTS}" if is_tested else "")
    )
    if not comparison.same_pictures:
        terminal.say("The galleries hold different pictures, which alone changes the metrics.", as_="Note")
