"""`bench api`: searches over HTTP, as programs send them, beside the same searches with the library."""

from typing import Annotated

import typer

from similarity.cli import terminal
from similarity.cli.options import AsJson, GalleryName
from similarity.cli.running import interruptible

COLUMNS = {
    "per_s": "a second",
    "p50_ms": "p50 ms",
    "p95_ms": "p95 ms",
    "library_per_s": "library, a second",
    "of_library": "of the library's",
}


def api(
    gallery: GalleryName,
    clients: Annotated[int, typer.Option(min=1, max=100, help="How many programs ask at once.")] = 8,
    as_json: AsJson = False,
) -> None:
    """Measure searches over HTTP, by pictures of the gallery, by files and by words, and with the library."""
    from similarity.bench.api import bench_api

    with interruptible(goes_on=False), terminal.indexing() as progress:
        report = bench_api(gallery, clients=clients, progress=progress)
    if as_json:
        terminal.print_json(report)
        return
    kinds = [name for name in ("item", "picture", "text") if name in report]
    rows = [(name, *(str(report[name][key]) for key in COLUMNS)) for name in kinds]
    terminal.print_table(("searched by", *COLUMNS.values()), rows)
    terminal.print_line(
        f"{report['gallery']}: {report['pictures']:,} pictures, {report['clients']} programs at once on "
        f"{report['machine']['cores']} cores, which they share with the server."
    )
