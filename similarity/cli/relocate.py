"""`relocate`: tell a gallery where its pictures are now."""

from typing import Annotated

import typer

from similarity.cli.index import print_report
from similarity.cli.options import AsJson, DryRun, GalleryName


def relocate(
    old: Annotated[str, typer.Argument(help="A folder, zip, CSV or picture as the gallery knows it.")],
    new: Annotated[str, typer.Argument(help="Where it is now; it need not be there at the moment.")],
    gallery: GalleryName,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Tell a gallery that pictures have moved, such as an archive that is offline. No picture is read."""
    from similarity.gallery import Gallery
    from similarity.storage.inventory import find_gallery

    directory = find_gallery(gallery)
    opened = Gallery.open(directory)
    report = opened.preview.relocate(old, new) if dry_run else opened.relocate(old, new).report
    print_report(report, directory, as_json=as_json, dry_run=dry_run)
