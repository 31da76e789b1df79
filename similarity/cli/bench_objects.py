"""`bench objects`: the objects that are proposed in a query, measured on scenes of a gallery's pictures."""

from typing import Annotated

import typer

from similarity.cli import terminal
from similarity.cli.options import AsJson, GalleryName
from similarity.cli.running import interruptible
from similarity.sample import SAMPLE


def objects(
    gallery: GalleryName = SAMPLE,
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="Number of scenes.")] = 200,
    seed: Annotated[int, typer.Option("--seed", help="Another seed composes other scenes.")] = 0,
    side_by_side: Annotated[
        bool, typer.Option("--side-by-side", help="Whole pictures in a row, instead of products on one backdrop.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Measure how often a proposed box covers an object of a scene, and finds its product first."""
    from similarity.bench.objects import bench_objects

    with interruptible(goes_on=False), terminal.indexing() as progress:
        report = bench_objects(gallery, count=count, seed=seed, side_by_side=side_by_side, progress=progress)
    if as_json:
        terminal.print_json(report)
        return
    if report["scenes"] < report["asked"]:
        terminal.say(
            f"Only {report['scenes']:,} of {report['asked']:,} scenes could be made: too few pictures can be used."
        )
    kind = "rows of pictures" if report["side_by_side"] else "scenes"
    terminal.print_line(
        f"{report['gallery']}: {report['scenes']:,} {kind} of two and three, seed {report['seed']}, "
        f"{report['seconds']:.0f} s."
    )
    terminal.print_line(
        f"A proposed box covers {report['covered']:.3f} of {report['objects']:,} objects. Of those, searching with the "
        f"box finds the product first in {report['found_first']:.3f}; the whole picture finds "
        f"{report['found_first_by_scene']:.3f} of all."
    )
    terminal.print_line(
        f"{report['other_boxes']:.2f} boxes a picture cover none. Proposing takes {report['propose_p50_ms']:.0f} ms at "
        f"the median, beside {report['embed_p50_ms']:.0f} ms for the embedding."
    )
