"""`rebalance`: share out the pictures of a gallery among shards."""

from typing import Annotated

import typer

from similarity.cli import terminal
from similarity.cli.options import AsJson, GalleryName
from similarity.cli.running import interruptible


def rebalance(
    gallery: GalleryName,
    shards: Annotated[
        int,
        typer.Option("--shards", help="Number of galleries that share out the pictures; 1 makes one gallery of all."),
    ],
    as_json: AsJson = False,
) -> None:
    """Share out a gallery's pictures among another number of shards, with their vectors. Nothing is embedded again."""
    from similarity.gallery import Gallery
    from similarity.service.report_facts import report_facts
    from similarity.storage.inventory import find_gallery

    directory = find_gallery(gallery)
    with interruptible(directory, goes_on=False), terminal.indexing() as progress:
        changed = Gallery.open(directory).rebalance(shards, progress=progress)
    report, manifest = changed.report or changed.manifest.last_run, changed.manifest
    number = len(manifest.shards) or 1
    if as_json:
        terminal.print_json(report_facts(report, directory.name, manifest, dry_run=False) | {"shards": number})
        return
    among = f"{number} shards" if number > 1 else "one gallery"
    terminal.print_line(
        f"The {len(changed):,} pictures of {directory.name} are in {among} now ({report.seconds:.1f} s)."
    )
