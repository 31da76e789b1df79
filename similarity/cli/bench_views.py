"""`bench views`: the views of a gallery's pictures beside each other."""

from typing import Annotated, Any

import typer

from similarity.cli import terminal
from similarity.cli.evaluate import Column, QueriesPath, open_queries
from similarity.cli.options import AsJson, GalleryName
from similarity.cli.running import interruptible, open_or_index
from similarity.sources.base import LABEL

# Headings of the table of `bench views`.
VIEW_COLUMNS = (
    "view",
    "recall@1",
    "mAP@R",
    "recall@1 - crop",
    "mAP@R - crop",
    "won, lost at 1",
    "pictures/s",
    "windows",
)
SIGNIFICANT = (
    "* significant: McNemar's test for recall, a sign-flip test for mAP@R, after Holm's correction for metrics."
)


def views(
    gallery: GalleryName,
    queries: QueriesPath = None,
    by: Column = LABEL,
    quality: Annotated[
        bool, typer.Option("--quality", help="Measure the best quality as well, which may take another model.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compare the views of a gallery's pictures, crop, fit and both: how good its results are, and the time."""
    from similarity.bench.views import bench_views

    opened, source = open_or_index(gallery), open_queries(queries)
    with interruptible(goes_on=False), terminal.indexing() as progress:
        report = bench_views(opened, source, by=by, quality=quality, progress=progress)
    if as_json:
        terminal.print_json(report)
        return
    _show_views(report)


def _show_views(report: dict[str, Any]) -> None:
    """Print the table of views, and the recommendation."""
    if skipped := report["skipped"]:
        files = (
            "1 file cannot be read and is" if len(skipped) == 1 else f"{len(skipped):,} files cannot be read and are"
        )
        example = f"{skipped[0]['path']}: {skipped[0]['reason']}"
        terminal.say(f"{files} left out{', such as' if len(skipped) > 1 else ':'} {example}", as_="Note")
    if report["has_head"]:
        terminal.say(
            "The gallery's head is left out, since it was trained for one view: another needs its own.", as_="Note"
        )
    terminal.print_table(VIEW_COLUMNS, [_view_cells(row) for row in report["views"]])
    terminal.say(SIGNIFICANT)
    terminal.print_line(
        f"{report['gallery']}, right by {report['by']}: {report['queries']:,} queries ({report['protocol']}), "
        f"{report['pictures']:,} pictures, {report['seconds']:.0f} s."
    )
    terminal.print_line(report["reason"])
    is_change = report["recommended"] not in (None, report["view"])
    terminal.print_line(f"{'To change it' if is_change else 'For another view'}: `{report['command']}`")


def _view_cells(row: dict[str, Any]) -> tuple[str, ...]:
    """Return a row of the table of views."""

    def metric(name: str) -> str:
        low, high = row["intervals"][name]
        return f"{row[name]:.3f} [{low:.3f}, {high:.3f}]"

    def difference(name: str) -> str:
        change = row["to_crop"][name]
        low, high = change["interval"]
        return f"{change['difference']:+.3f}{'*' * change['is_significant']} [{low:+.3f}, {high:+.3f}]"

    is_crop = row["name"] == "crop"
    compared = (
        ("", "", "")
        if is_crop
        else (difference("recall@1"), difference("map@r"), f"{row['won_at_1']:,}, {row['lost_at_1']:,}")
    )
    speed, shown = f"{row['images_per_s']:.1f}", f"{row['windows_per_picture']:.2f}"
    return (row["name"], metric("recall@1"), metric("map@r"), *compared, speed, shown)
