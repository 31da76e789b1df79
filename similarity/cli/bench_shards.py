"""`bench shards`: a set beside one gallery of the same pictures."""

from typing import Annotated

import typer

from similarity.cli import terminal
from similarity.cli.options import AsJson, GalleryName
from similarity.cli.running import interruptible
from similarity.sample import SAMPLE

COLUMNS = ("refinement", "same hits", "recall@10", "scores differ by", "one, p50 ms", "shards, p50 ms", "ratio")


def shards(
    gallery: GalleryName = SAMPLE,
    shards: Annotated[int, typer.Option("--shards", help="Number of shards.")] = 8,
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="Number of queries.")] = 1_000,
    seed: Annotated[int, typer.Option("--seed", help="Another seed makes other queries.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Measure whether shards find what one gallery of the same pictures finds, and in what time."""
    from similarity.bench.shards import bench_shards

    with interruptible(goes_on=False), terminal.indexing() as progress:
        report = bench_shards(gallery, shards=shards, count=count, seed=seed, progress=progress)
    if as_json:
        terminal.print_json(report)
        return
    rows = [
        (
            row["refinement"],
            f"{row['same_hits']:.3f}",
            f"{row['recall@10']:.3f}",
            f"{row['largest_difference']:.0e}",
            *(str(row[name]) for name in ("one_p50_ms", "shards_p50_ms", "ratio")),
        )
        for row in report["compared"]
    ]
    terminal.print_table(COLUMNS, rows)
    terminal.print_line(
        f"{report['gallery']}: {report['pictures']:,} pictures ({report['recipe']}), {report['shards']} shards, "
        f"{report['queries']:,} queries, seed {report['seed']}, {report['seconds']:.0f} s."
    )
